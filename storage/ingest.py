"""`reading` messages to rows, exactly once: one transaction for a batch, idempotent by (epoch, seq).

A reading is handled when it is in Data, DeadLetter or Gap. `Epoch.handled` is the highest seq up to which that is
so without a hole; the store tells it to the bridge, which may then forget.
"""

from __future__ import annotations

import heapq
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import QuerySet

from bridge.topics import Envelope, EnvelopeError, Topics, printable, read_envelope
from storage.columns import ColumnError, columns
from storage.models import Data, DeadLetter, Epoch, Gap, Meter

log = logging.getLogger("ticbridge.store")

_CHUNK: Final = 500  # rows of one statement: SQLite takes 32 766 parameters


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the broker delivered it."""

    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the readings of one meter and epoch are handled."""

    meter: str
    epoch: str
    handled: int


@dataclass(slots=True)
class Outcome:
    """What a batch came to."""

    stored: int = 0
    duplicates: int = 0
    dead: int = 0
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    incoming: Incoming
    envelope: Envelope
    epoch: Epoch
    values: dict[str, Any]  # column -> value, of any column's type


def ingest(topics: Topics, batch: Sequence[Incoming]) -> Outcome:
    """Write a batch and commit. `OperationalError`: the database is not there now; nothing was written."""
    outcome = Outcome()
    with transaction.atomic():
        readable = [
            (incoming, envelope) for incoming in batch if (envelope := _parse(topics, incoming, outcome)) is not None
        ]
        epochs = _epochs(envelope for _, envelope in readable)
        rows = []
        for incoming, envelope in readable:
            epoch = epochs[envelope.meter, envelope.epoch]
            try:
                rows.append(_Row(incoming, envelope, epoch, columns(envelope)))
            except ColumnError as error:
                _bury(outcome, incoming, str(error), epoch, envelope.seq)
        for start in range(0, len(rows), _CHUNK):
            _insert(rows[start : start + _CHUNK], outcome)
        floors: dict[tuple[str, str], int] = defaultdict(int)
        for _, envelope in readable:
            key = envelope.meter, envelope.epoch
            floors[key] = max(floors[key], envelope.floor)
        for key, epoch in epochs.items():
            _advance(epoch, floors[key])
            outcome.marks.append(Mark(key[0], key[1], epoch.handled))
    return outcome


def _parse(topics: Topics, incoming: Incoming, outcome: Outcome) -> Envelope | None:
    try:
        return read_envelope(topics, incoming.topic, incoming.body)
    except EnvelopeError as error:
        _bury(outcome, incoming, str(error))
        return None


def _epochs(envelopes: Iterable[Envelope]) -> dict[tuple[str, str], Epoch]:
    """The epochs of a batch, locked until it is committed; made at first sight."""
    found: dict[tuple[str, str], Epoch] = {}
    for envelope in envelopes:
        key = envelope.meter, envelope.epoch
        if key in found:
            continue
        meter, _ = Meter.objects.get_or_create(
            meter_id=envelope.meter, defaults={"mode": envelope.mode.value, "timezone": envelope.tz}
        )
        if meter.mode != envelope.mode.value:
            meter.mode = envelope.mode.value
            meter.save(update_fields=["mode"])
        # What the bridge no longer held when we first heard of this epoch cannot come: it is a gap at once.
        Epoch.objects.get_or_create(
            meter=meter,
            uuid=UUID(envelope.epoch),
            defaults={"bridge": envelope.bridge, "handled": 0, "floor": 1},
        )
        found[key] = Epoch.objects.select_for_update().get(meter=meter, uuid=UUID(envelope.epoch))
    return found


def _insert(rows: list[_Row], outcome: Outcome) -> None:
    """Insert rows that are not there yet; a row that the database refuses is set aside, not its neighbours."""
    if not rows:
        return
    try:
        with transaction.atomic():
            inserted = _insert_all(rows)
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(rows) == 1:
            row = rows[0]
            _bury(outcome, row.incoming, f"the database refuses it: {error}", row.epoch, row.envelope.seq)
            return
        half = len(rows) // 2
        _insert(rows[:half], outcome)
        _insert(rows[half:], outcome)
        return
    outcome.stored += len(inserted)
    outcome.duplicates += len(rows) - len(inserted)
    epochs = {row.epoch.pk: row.epoch for row in rows}
    for epoch, seq in inserted:
        if seq <= epochs[epoch].handled:
            _shrink_gap(epochs[epoch], seq)


def _insert_all(rows: list[_Row]) -> list[tuple[int, int]]:
    """Insert in one statement; return (epoch, seq) of the rows that were not there.

    Never OR IGNORE: it would swallow a NOT NULL violation as if it were a duplicate.
    """
    fields = [f for f in Data._meta.concrete_fields if not f.primary_key]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(f.column)) for f in fields)
    one = f"({', '.join(['%s'] * len(fields))})"
    parameters: list[Any] = []  # database values of any column's type
    for row in rows:
        values = {"meter": row.epoch.meter_id, "epoch": row.epoch.pk, "seq": row.envelope.seq, **row.values}
        parameters.extend(f.get_db_prep_save(values.get(f.name), connection) for f in fields)
    statement = (
        f"INSERT INTO {quote(Data._meta.db_table)} ({names}) VALUES {', '.join([one] * len(rows))} "  # noqa: S608  names only
        "ON CONFLICT (epoch_id, seq) DO NOTHING RETURNING epoch_id, seq"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        inserted: list[tuple[int, int]] = cursor.fetchall()
        return inserted


def _bury(
    outcome: Outcome, incoming: Incoming, reason: str, epoch: Epoch | None = None, seq: int | None = None
) -> None:
    """Set a message aside; it counts as handled, or the bridge would send it for ever."""
    outcome.dead += 1
    topic, reason = printable(incoming.topic, 255), printable(reason, 255)
    fields = {"topic": topic, "body": incoming.body[:65536], "reason": reason}
    if epoch is None:
        DeadLetter.objects.create(**fields)
    else:
        DeadLetter.objects.get_or_create(epoch=epoch, seq=seq, defaults=fields)
    log.warning("A reading on %s was set aside: %s", topic, reason)


def _advance(epoch: Epoch, floor: int) -> None:
    """Move `handled` over what is there without a hole, and over what can no longer come."""
    if floor - 1 > epoch.handled:
        _record_gaps(epoch, epoch.handled + 1, floor - 1)
        epoch.handled = floor - 1
    for seq in heapq.merge(_seqs_above(Data.objects, epoch), _seqs_above(DeadLetter.objects, epoch)):
        if seq > epoch.handled + 1:
            break
        epoch.handled = seq
    epoch.floor = max(epoch.floor, floor)
    epoch.save(update_fields=["handled", "floor"])


def _seqs_above(manager: Any, epoch: Epoch) -> Iterable[int]:  # the managers of two models
    """Rising, and read from the database only as far as they are asked for: a backlog may be long."""
    seqs: QuerySet[Any, int] = manager.filter(epoch=epoch, seq__gt=epoch.handled).values_list("seq", flat=True)
    return seqs.order_by("seq").iterator()


def _record_gaps(epoch: Epoch, first: int, last: int) -> None:
    """Write down which seqs of first..last are nowhere."""
    there: set[int] = set()
    for manager in (Data.objects, DeadLetter.objects):
        seqs: Any = manager.filter(epoch=epoch, seq__range=(first, last))  # the managers of two models
        there.update(seqs.values_list("seq", flat=True))
    start = first
    for seq in [*sorted(there), last + 1]:
        if start < seq:
            Gap.objects.create(epoch=epoch, first=start, last=seq - 1)
        start = seq + 1


def _shrink_gap(epoch: Epoch, seq: int) -> None:
    """A reading that was given up on came after all."""
    for gap in Gap.objects.filter(epoch=epoch, first__lte=seq, last__gte=seq):
        gap.delete()
        for first, last in ((gap.first, seq - 1), (seq + 1, gap.last)):
            if first <= last:
                Gap.objects.create(epoch=epoch, first=first, last=last, noticed=gap.noticed)
