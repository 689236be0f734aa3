"""`reading` messages to rows, exactly once: one transaction for a batch, idempotent by (epoch, seq).

A reading is handled when it is in Data, DeadLetter or Gap (one that lacks what the owner requires becomes a Gap).
`Epoch.handled` is the highest seq up to which that is so without a hole; the store tells it to the bridge, which may
then forget.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, OperationalError, transaction
from django.db.models import Min

from bridge.envelope import Envelope, EnvelopeError, Name, printable, read_envelope, read_name
from bridge.topics import MAX_PAYLOAD, Topics
from storage import gaps, writer
from storage.columns import ColumnError, columns
from storage.dirty import mark as mark_dirty
from storage.models import Data, DeadLetter, Epoch, Meter
from storage.nameplate import nameplate
from storage.selection import EVERYTHING, Selection

log = logging.getLogger("ticbridge.store")

_MOST_LETTERS: Final = 10_000  # messages without a number that are kept


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


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading that is new in the database: its meter's key, what the message said, what the columns hold."""

    meter: int
    envelope: Envelope
    columns: Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What a batch came to."""

    stored: int = 0
    duplicates: int = 0
    mismatched: int = 0  # of the duplicates: those that say something else than what is stored
    dead: int = 0
    lacking: int = 0  # not stored, since something was not there that is required
    missed: Counter[str] = field(default_factory=Counter)  # what that was, by slug
    marks: list[Mark] = field(default_factory=list)
    readings: list[Stored] = field(default_factory=list, compare=False)


@dataclass(slots=True)
class _Stream:
    """An epoch as a batch speaks of it."""

    epoch: Epoch
    is_new: bool
    floor: int = 1
    since: int = 1
    late: list[datetime] = field(default_factory=list)  # when its replayed readings were taken
    stored: list[datetime] = field(default_factory=list)  # when those were taken that are new in the database
    lacking: list[Envelope] = field(default_factory=list)  # what is not stored


@dataclass(frozen=True, slots=True)
class _Row:
    incoming: Incoming
    envelope: Envelope
    stream: _Stream
    values: dict[str, Any]  # column -> value, of any column's type

    @property
    def seq(self) -> int:
        return self.envelope.seq

    @property
    def fields(self) -> writer.Row:
        epoch = self.stream.epoch
        return {"meter": epoch.meter_id, "epoch": epoch.pk, "seq": self.seq, **self.values}


@dataclass(frozen=True, slots=True)
class _Parsed:
    incoming: Incoming
    name: Envelope | Name
    reason: str = ""  # why there is no envelope


def ingest(topics: Topics, batch: Sequence[Incoming], selection: Selection = EVERYTHING) -> Outcome:
    """Write a batch and commit. When a `django.db.Error` leaves here, nothing was written: the database is away."""
    outcome = Outcome()
    with transaction.atomic():
        parsed = [one for incoming in batch if (one := _parse(topics, incoming, outcome)) is not None]
        streams = _streams(parsed)
        rows = []
        for one in parsed:
            name, stream = one.name, streams[one.name.meter, one.name.epoch]
            stream.floor = max(stream.floor, name.floor)
            stream.since = max(stream.since, name.since)
            if not isinstance(name, Envelope):
                _bury(outcome, one.incoming, one.reason, stream.epoch, name.seq)
                continue
            try:
                values = columns(name)
            except ColumnError as error:
                _bury(outcome, one.incoming, str(error), stream.epoch, name.seq)
            else:
                if missed := selection.missed(name, values):
                    stream.lacking.append(name)
                    outcome.missed.update(missed)
                else:
                    if extra := selection.kept(name):
                        values["extra"] = extra
                    rows.append(_Row(one.incoming, name, stream, values))
            if name.replay:
                stream.late.append(name.moment)
        _insert(rows, outcome)
        for key, stream in streams.items():
            _leave_out(stream, outcome)
            _advance(stream)
            outcome.marks.append(Mark(key[0], key[1], stream.epoch.handled))
        _note_stops(streams.values())
        mark_dirty(_stored(streams.values()))
    return outcome


def _stored(streams: Iterable[_Stream]) -> dict[int, list[datetime]]:
    """When the new readings were taken, by meter: two bridges may read one."""
    stored: dict[int, list[datetime]] = {}
    for stream in streams:
        if stream.stored:
            stored.setdefault(stream.epoch.meter_id, []).extend(stream.stored)
    return stored


def _parse(topics: Topics, incoming: Incoming, outcome: Outcome) -> _Parsed | None:
    try:
        return _Parsed(incoming, read_envelope(topics, incoming.topic, incoming.body))
    except EnvelopeError as error:
        name = read_name(topics, incoming.topic, incoming.body)
        if name is not None:
            return _Parsed(incoming, name, str(error))
        _bury(outcome, incoming, str(error))
        return None


def _streams(parsed: Iterable[_Parsed]) -> dict[tuple[str, str], _Stream]:
    """The epochs of a batch, locked until it is committed; made at first sight."""
    first: dict[tuple[str, str], Envelope | Name] = {}
    for one in parsed:
        known = first.setdefault((one.name.meter, one.name.epoch), one.name)
        if not isinstance(known, Envelope):
            first[known.meter, known.epoch] = one.name
    found = {}
    for key in sorted(first):  # in one order: two workers that lock the same two would wait for each other
        name = first[key]
        envelope = name if isinstance(name, Envelope) else None
        meter, _ = Meter.objects.get_or_create(
            meter_id=name.meter,
            defaults={"mode": envelope.mode.value, "timezone": envelope.tz} if envelope else {},
        )
        if envelope is not None:
            _keep_up(meter, envelope)
        epoch, is_new = Epoch.objects.get_or_create(
            meter=meter,
            uuid=UUID(name.epoch),
            defaults={"bridge": name.bridge, "handled": 0, "floor": 1},
        )
        found[key] = _Stream(Epoch.objects.select_for_update().get(pk=epoch.pk), is_new)
    return found


def _keep_up(meter: Meter, envelope: Envelope) -> None:
    """What a reading says of its meter; a change is in its history."""
    said = {"mode": envelope.mode.value, "timezone": meter.timezone or envelope.tz, **nameplate(meter, envelope.values)}
    changed = {name: value for name, value in said.items() if getattr(meter, name) != value}
    for name, value in changed.items():
        setattr(meter, name, value)
    if changed:
        meter.save(update_fields=list(changed))


def _insert(rows: list[_Row], outcome: Outcome) -> None:
    """Insert rows that are not there yet; a row that the database refuses is set aside, not its neighbours."""
    if not rows:
        return
    try:
        with transaction.atomic():
            inserted = writer.insert([row.fields for row in rows])
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(rows) == 1:
            row = rows[0]
            _bury(outcome, row.incoming, f"the database refuses it: {error}", row.stream.epoch, row.seq)
            return
        half = len(rows) // 2
        _insert(rows[:half], outcome)
        _insert(rows[half:], outcome)
        return
    outcome.stored += len(inserted)
    epochs = {row.stream.epoch.pk: row.stream.epoch for row in rows}
    by_key = {(row.stream.epoch.pk, row.seq): row for row in rows}
    for key in inserted:
        row = by_key[key]
        row.stream.stored.append(row.values["dateTime"])
        outcome.readings.append(Stored(row.stream.epoch.meter_id, row.envelope, row.values))
    lacking = {pk: gaps.lacking_above(epoch) for pk, epoch in epochs.items()}
    for epoch, seq in inserted:
        if seq <= epochs[epoch].handled or (lacking[epoch] and gaps.holds(lacking[epoch], seq)):
            gaps.shrink(epochs[epoch], seq)
    for epoch in epochs:  # what a worker of another version could not read
        DeadLetter.objects.filter(epoch=epoch, seq__in=[seq for of, seq in inserted if of == epoch]).delete()
    if len(inserted) < len(rows):
        _look_at_duplicates(rows, set(inserted), outcome)


def _look_at_duplicates(rows: list[_Row], inserted: set[tuple[int, int]], outcome: Outcome) -> None:
    """What comes twice says the same; if it does not, it is another reading with a used number, and not thrown away."""
    twice = []
    for row in rows:
        key = row.stream.epoch.pk, row.seq
        if key in inserted:
            inserted.remove(key)  # the first of this number in the batch is the one that is stored
        else:
            twice.append(row)
    outcome.duplicates += len(twice)
    stored: dict[tuple[int, int], Data] = {}
    for epoch in {row.stream.epoch for row in twice}:
        seqs = [row.seq for row in twice if row.stream.epoch == epoch]
        stored |= {(epoch.pk, data.seq): data for data in Data.objects.filter(epoch=epoch, seq__in=seqs)}
    for row in twice:
        data = stored[row.stream.epoch.pk, row.seq]
        if any(_contradicts(getattr(data, column), value) for column, value in row.values.items()):
            outcome.mismatched += 1
            reason = f"another reading is stored as number {row.seq} of this epoch"
            _bury(outcome, row.incoming, reason, row.stream.epoch)


def _contradicts(stored: Any, value: Any) -> bool:  # of any column
    """Whether both cannot be true. A column that is empty, or a field of `extra`, may be younger than the row."""
    if isinstance(stored, dict) and isinstance(value, dict):
        return any(stored[key] != value[key] for key in stored.keys() & value.keys())
    return stored not in (None, value)


def _bury(
    outcome: Outcome, incoming: Incoming, reason: str, epoch: Epoch | None = None, seq: int | None = None
) -> None:
    """Set a message aside; with a number it counts as handled, or the bridge would send it for ever."""
    if epoch is not None and seq is not None and Data.objects.filter(epoch=epoch, seq=seq).exists():
        outcome.duplicates += 1  # a worker of another version could read it
        return
    outcome.dead += 1
    topic, reason = printable(incoming.topic, 255), printable(reason, 255)
    fields = {"topic": topic, "body": incoming.body[:MAX_PAYLOAD], "reason": reason}
    if epoch is not None and seq is not None:
        if DeadLetter.objects.get_or_create(epoch=epoch, seq=seq, defaults=fields)[1]:
            gaps.shrink(epoch, seq)
    elif DeadLetter.objects.filter(seq=None).count() < _MOST_LETTERS:  # whoever may publish could fill the disk
        DeadLetter.objects.create(epoch=epoch, **fields)
    log.warning("A reading on %s was set aside: %s", topic, reason)


def _leave_out(stream: _Stream, outcome: Outcome) -> None:
    """Readings that lack something are handled: a gap says so, unless they are here already, stored or set aside."""
    if not stream.lacking:
        return
    seqs = {envelope.seq for envelope in stream.lacking}
    for manager in (Data.objects, DeadLetter.objects):
        there: Any = manager.filter(epoch=stream.epoch, seq__in=seqs)  # the managers of two models
        seqs -= set(there.values_list("seq", flat=True))
    new = gaps.lack(stream.epoch, seqs) if seqs else 0
    outcome.lacking += new
    outcome.duplicates += len(stream.lacking) - new


def _advance(stream: _Stream) -> None:
    """Move `handled` over what is there without a hole, and over what can no longer come."""
    epoch, floor = stream.epoch, stream.floor
    if floor - 1 > epoch.handled:
        gaps.record(epoch, max(epoch.handled + 1, stream.since), floor - 1)
        epoch.handled = floor - 1
    for first, last in gaps.handled_above(epoch):
        if first > epoch.handled + 1:
            break
        epoch.handled = last
    epoch.floor = max(epoch.floor, floor)
    epoch.save(update_fields=["handled", "floor"])


def _note_stops(streams: Iterable[_Stream]) -> None:
    """What comes late makes a stop shorter that was noted before."""
    for stream in streams:
        if stream.is_new:
            first = Data.objects.filter(epoch=stream.epoch).aggregate(first=Min("dateTime"))["first"]
            heard = [*([first] if first else []), *(envelope.moment for envelope in stream.lacking)]
            if heard:
                gaps.note_stop(stream.epoch, min(heard))
        if stream.late:
            gaps.shorten_stops(stream.epoch.meter_id, stream.late)
