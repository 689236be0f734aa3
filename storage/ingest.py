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

from django.db import DatabaseError, OperationalError, transaction

from bridge.envelope import Envelope, EnvelopeError, Name, printable, read_envelope, read_name
from bridge.topics import MAX_PAYLOAD, Topics
from storage import gaps, writer
from storage.columns import ColumnError, columns
from storage.dirty import mark as mark_dirty
from storage.models import Data, DeadLetter, Epoch
from storage.selection import EVERYTHING, Selection
from storage.streams import Stream, advance, note_stops, open_streams

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
    key: int = field(default=0, compare=False)  # the epoch's in this database


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


@dataclass(frozen=True, slots=True)
class _Row:
    incoming: Incoming
    envelope: Envelope
    stream: Stream
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
        streams = open_streams(one.name for one in parsed)
        rows = []
        for one in parsed:
            name, stream = one.name, streams[one.name.meter, one.name.epoch]
            stream.floor = max(stream.floor, name.floor)
            stream.since = max(stream.since, name.since)
            stream.seqs.add(name.seq)
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
        for stream in streams.values():
            _leave_out(stream, outcome)
        advance(list(streams.values()))
        outcome.marks += [Mark(*key, stream.epoch.handled, stream.epoch.pk) for key, stream in streams.items()]
        note_stops(streams.values())
        mark_dirty(_stored(streams.values()))
    return outcome


def _stored(streams: Iterable[Stream]) -> dict[int, list[datetime]]:
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
    by_key = {(row.stream.epoch.pk, row.seq): row for row in rows}
    for key in inserted:
        row = by_key[key]
        row.stream.stored.append(row.values["dateTime"])
        outcome.readings.append(Stored(row.stream.epoch.meter_id, row.envelope, row.values))
    _come_after_all({key: by_key[key].stream.epoch for key in inserted})
    if len(inserted) < len(rows):
        _look_at_duplicates(rows, set(inserted), outcome)


def _come_after_all(inserted: Mapping[writer.Key, Epoch]) -> None:
    """Take new readings from what is known of missing ones."""
    lacking = gaps.lacking_above(set(inserted.values()))
    for (pk, seq), epoch in inserted.items():
        if seq <= epoch.handled or gaps.holds(lacking.get(pk, ()), seq):
            gaps.shrink(epoch, seq)
    epochs, seqs = ({key[n] for key in inserted} for n in (0, 1))
    letters = DeadLetter.objects.filter(epoch__in=epochs, seq__in=seqs)
    read = [pk for pk, *key in letters.values_list("pk", "epoch", "seq") if tuple(key) in inserted]
    if read:  # what a worker of another version could not read
        DeadLetter.objects.filter(pk__in=read).delete()


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


def _leave_out(stream: Stream, outcome: Outcome) -> None:
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
