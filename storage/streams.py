"""The streams of a batch: a meter's readings from one start of its bridge. Found, locked, moved on.

A batch of a fleet speaks of as many streams as it has readings. So each step is one statement for all of them: what a
reading costs does not depend on how many meters there are. Workers that lock the same rows take them in one order,
meters before epochs, and new epochs before those that are there; else they would wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from bridge.envelope import Envelope, Name
from storage import gaps
from storage.models import Data, DeadLetter, Epoch, Gap, Meter
from storage.nameplate import nameplate

Key = tuple[str, str]  # meter and epoch, as messages call them

_EPOCHS: Final = Epoch._meta.db_table


@dataclass(slots=True)
class Stream:
    """An epoch as a batch speaks of it."""

    epoch: Epoch
    is_new: bool
    floor: int = 1
    since: int = 1
    seqs: set[int] = field(default_factory=set)  # of the batch: handled when it is committed
    late: list[datetime] = field(default_factory=list)  # when its replayed readings were taken
    stored: list[datetime] = field(default_factory=list)  # when those were taken that are new in the database
    lacking: list[Envelope] = field(default_factory=list)  # what is not stored


def open_streams(names: Iterable[Envelope | Name]) -> dict[Key, Stream]:
    """The streams that these belong to, locked until the transaction ends; made at first sight."""
    first: dict[Key, Envelope | Name] = {}
    for name in names:
        key = name.meter, name.epoch
        if not isinstance(first.setdefault(key, name), Envelope):
            first[key] = name
    if not first:
        return {}
    ordered = {key: first[key] for key in sorted(first)}
    meters = _meters(ordered)
    wanted = {key: (meters[key[0]].pk, UUID(key[1])) for key in ordered}
    new = _make(wanted, ordered)
    locked = {(epoch.meter_id, epoch.uuid): epoch for epoch in _lock(wanted.values())}
    return {key: Stream(locked[pair], locked[pair].pk in new) for key, pair in wanted.items()}


def _meters(first: Mapping[Key, Envelope | Name]) -> dict[str, Meter]:
    known = {meter.meter_id: meter for meter in Meter.objects.filter(meter_id__in={meter for meter, _ in first})}
    for (meter_id, _), name in first.items():
        envelope = name if isinstance(name, Envelope) else None
        if meter_id not in known:
            known[meter_id], _ = Meter.objects.get_or_create(
                meter_id=meter_id,
                defaults={"mode": envelope.mode.value, "timezone": envelope.tz} if envelope else {},
            )
        if envelope is not None:
            _keep_up(known[meter_id], envelope)
    return known


def _keep_up(meter: Meter, envelope: Envelope) -> None:
    """What a reading says of its meter; a change is in its history."""
    said = {"mode": envelope.mode.value, "timezone": meter.timezone or envelope.tz, **nameplate(meter, envelope.values)}
    changed = {name: value for name, value in said.items() if getattr(meter, name) != value}
    for name, value in changed.items():
        setattr(meter, name, value)
    if changed:
        meter.save(update_fields=list(changed))


# Both engines call the columns of VALUES column1, column2 ...


def _make(wanted: Mapping[Key, tuple[int, UUID]], first: Mapping[Key, Envelope | Name]) -> set[int]:
    """Write the epochs that are not there, in the order of their meters; the keys of those that were made here."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT column1, column2 FROM ({_table(wanted.values())}) AS v WHERE NOT EXISTS "  # noqa: S608  names and numbers
            f"(SELECT 1 FROM {_EPOCHS} e WHERE e.meter_id = column1 AND e.uuid = column2)"
        )
        missing = {(meter, UUID(str(uuid))) for meter, uuid in cursor.fetchall()}
        made = set()
        for key, (meter, uuid) in wanted.items():
            if (meter, uuid) in missing:
                cursor.execute(
                    f"INSERT INTO {_EPOCHS} (meter_id, uuid, bridge, handled, floor) "  # noqa: S608  as above
                    f"VALUES ({meter}, {_literal(uuid)}, %s, 0, 1) "
                    "ON CONFLICT (meter_id, uuid) DO NOTHING RETURNING id",
                    [first[key].bridge],
                )
                made |= {pk for (pk,) in cursor.fetchall()}
    return made


def _lock(wanted: Iterable[tuple[int, UUID]]) -> list[Epoch]:
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""  # SQLite has one writer at a time
    return list(
        Epoch.objects.raw(
            f"SELECT * FROM {_EPOCHS} WHERE (meter_id, uuid) IN ({_table(wanted)}) ORDER BY id {lock}"  # noqa: S608  as above
        )
    )


def advance(streams: Sequence[Stream]) -> None:
    """Move `handled` over what is there without a hole, and over what can no longer come."""
    if not streams:
        return
    for stream in streams:
        epoch = stream.epoch
        if stream.floor - 1 > epoch.handled:
            gaps.record(epoch, max(epoch.handled + 1, stream.since), stream.floor - 1)
            epoch.handled = stream.floor - 1
        while epoch.handled + 1 in stream.seqs:
            epoch.handled += 1
        epoch.floor = max(epoch.floor, stream.floor)
    reached = _reach([(stream.epoch.pk, stream.epoch.handled) for stream in streams])
    rows = [(stream.epoch.pk, reached[stream.epoch.pk], stream.epoch.floor) for stream in streams]
    for stream in streams:
        stream.epoch.handled = reached[stream.epoch.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_EPOCHS} SET handled = v.column2, floor = v.column3 FROM ({_table(rows)}) AS v "  # noqa: S608  as above
            f"WHERE {_EPOCHS}.id = v.column1"
        )


def _reach(marks: Sequence[tuple[int, int]]) -> dict[int, int]:
    """(epoch, handled) -> how far it goes on from there without a hole: what other batches stored is stepped over."""
    data, letters, lost = (model._meta.db_table for model in (Data, DeadLetter, Gap))
    # Questions for one value each, which every engine answers by its index; one that finds nothing ends the run.
    lacking = (
        f"SELECT max(g.last) FROM {lost} g WHERE g.epoch_id = run.epoch AND g.reason = '{Gap.Reason.LACKING}' "  # noqa: S608  as above
        "AND g.first <= run.seq + 1 AND g.last > run.seq"
    )
    stored, buried = (
        f"SELECT t.seq FROM {table} t WHERE t.epoch_id = run.epoch AND t.seq = run.seq + 1"  # noqa: S608  as above
        for table in (data, letters)
    )
    statement = (
        f"WITH RECURSIVE run (epoch, seq) AS (SELECT column1, CAST(column2 AS bigint) FROM ({_table(marks)}) AS v "  # noqa: S608  as above
        f"UNION ALL SELECT run.epoch, COALESCE(({stored}), ({buried}), ({lacking})) FROM run "
        "WHERE run.seq IS NOT NULL) SELECT epoch, max(seq) FROM run GROUP BY epoch"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return dict(cursor.fetchall())


def note_stops(streams: Iterable[Stream]) -> None:
    """What comes late makes a stop shorter that was noted before."""
    streams = list(streams)
    stopped = gaps.stopped({stream.epoch.meter_id for stream in streams if stream.late})
    for stream in streams:
        if stream.is_new:
            heard = [*stream.stored, *(envelope.moment for envelope in stream.lacking)]
            if heard:
                gaps.note_stop(stream.epoch, min(heard))
                stopped.add(stream.epoch.meter_id)
        if stream.late and stream.epoch.meter_id in stopped:
            gaps.shorten_stops(stream.epoch.meter_id, stream.late)


def _table(rows: Iterable[tuple[int | UUID, ...]]) -> str:
    """VALUES, written out: looking through thousands of parameters takes as long as all else in such a statement."""
    return f"VALUES {', '.join([f'({row})' for row in (', '.join(map(_literal, row)) for row in rows)])}"


def _literal(value: int | UUID) -> str:
    if isinstance(value, UUID):
        return f"'{value}'::uuid" if connection.vendor == "postgresql" else f"'{value.hex}'"
    return str(int(value))
