"""Energies and powers of a file beside what the meter gave: written where they are new, compared where both are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from storage.exchange.enedis.blocks import Block, Curve, Days, Direction, Peaks
from storage.exchange.enedis.curve import DAY, Bucket, buckets, midnight
from storage.exchange.readings import chunks, grow
from storage.models import Import, Meter, Rollup
from storage.rollups import rolled_up

_CHUNK: Final = 2000  # rows of one transaction
ENERGY: Final = {Direction.DRAWN: "east", Direction.INJECTED: "eait"}
_POWER: Final = {Direction.DRAWN: "sinsts_max", Direction.INJECTED: "sinsti_max"}


@dataclass(slots=True)
class Conflict:
    """Buckets of which the meter itself gave a value."""

    number: int = 0
    weaker: int = 0  # of them: the meter only estimated, and the file's value is shown
    most: int = 0  # how far the two differ at most
    meter: int = 0  # sums of both, over these buckets
    file: int = 0


@dataclass(slots=True)
class Written:
    """What became of the buckets of one length."""

    step: int
    new: int = 0
    changed: int = 0
    same: int = 0
    begins: datetime | None = None
    ends: datetime | None = None
    conflict: Conflict = field(default_factory=Conflict)


def buckets_of(content: Curve | Days | Peaks, zone: ZoneInfo) -> list[Bucket]:
    """What a block says, in buckets, the shortest first."""
    if isinstance(content, Curve):
        return sorted(buckets(content, zone))
    days = [(midnight(day, zone), midnight(day + timedelta(days=1), zone), value) for day, value in content.points]
    return [Bucket(DAY, begin, int((end - begin).total_seconds()), value) for begin, end, value in days]


def column_of(block: Block) -> str:
    """The column that a block fills."""
    return (_POWER if isinstance(block.content, Peaks) else ENERGY)[block.direction]


def write(meter: Meter, taken: Import | None, column: str, found: Iterable[Bucket]) -> list[Written]:
    """Write buckets in chunks, each a transaction; without an import only look. Buckets come sorted."""
    return [_write_step(meter, taken, column, step, rows) for step, rows in groupby(found, key=lambda one: one.step)]


def _write_step(meter: Meter, taken: Import | None, column: str, step: int, found: Iterator[Bucket]) -> Written:
    written = Written(step)
    for chunk in chunks(found, _CHUNK):
        with transaction.atomic():
            _write_chunk(meter, taken, column, chunk, written)
        written.begins = written.begins or chunk[0].start
        written.ends = chunk[-1].start + timedelta(seconds=chunk[-1].seconds)
    return written


def _write_chunk(meter: Meter, taken: Import | None, column: str, chunk: list[Bucket], written: Written) -> None:
    there = Rollup.objects.filter(
        meter_id=meter.pk or 0, step=chunk[0].step, start__range=(chunk[0].start, chunk[-1].start)
    )
    ours = dict(there.filter(origin=Rollup.Origin.ENEDIS).values_list("start", column))
    theirs = {
        start: (value, readings > 0 or not estimated)
        for start, value, readings, estimated in there.filter(
            origin=Rollup.Origin.METER, **{f"{column}__isnull": False}
        ).values_list("start", column, "readings", "estimated")
    }
    changed = [bucket for bucket in chunk if ours.get(bucket.start) != bucket.value]
    for bucket in changed:
        if ours.get(bucket.start) is None:
            written.new += 1
        else:
            written.changed += 1
    written.same += len(chunk) - len(changed)
    for bucket in chunk:
        if bucket.start in theirs:
            _compare(written.conflict, *theirs[bucket.start], bucket.value)
    if taken is not None and changed:
        _upsert(meter, taken, column, changed)
        begins, ends = changed[0].start, changed[-1].start + timedelta(seconds=changed[-1].seconds)
        grow(taken, len(changed), begins, ends)
        rolled_up.send(Rollup, meter=meter.pk, start=int(begins.timestamp()), end=int(ends.timestamp()))


def _compare(conflict: Conflict, theirs: int, is_strong: bool, ours: int) -> None:
    conflict.number += 1
    conflict.weaker += not is_strong
    conflict.most = max(conflict.most, abs(theirs - ours))
    conflict.meter += theirs
    conflict.file += ours


def _upsert(meter: Meter, taken: Import, column: str, found: list[Bucket]) -> None:
    """One row holds what files say of a bucket: drawn, injected and the highest power come from several.

    Written without model instances, which would take ten times as long.
    """
    covers = column in ENERGY.values()
    fixed = {str(f.column): f.get_default() for f in Rollup._meta.concrete_fields if not f.null and not f.primary_key}
    fixed |= {"meter_id": meter.pk, "origin": Rollup.Origin.ENEDIS.value, "source_id": taken.pk}
    rows = [
        {
            **fixed,
            "step": one.step,
            "start": int(one.start.timestamp()),
            "covered": one.seconds * covers,
            column: one.value,
        }
        for one in found
    ]
    quote = connection.ops.quote_name
    names = list(rows[0])
    changes = ", ".join(
        f"{quote(name)} = excluded.{quote(name)}" for name in (column, "source_id", *(["covered"] if covers else []))
    )
    one = f"({', '.join(['%s'] * len(names))})"
    statement = (
        f"INSERT INTO {quote(Rollup._meta.db_table)} ({', '.join(map(quote, names))}) "  # noqa: S608  names only
        f"VALUES {', '.join([one] * len(rows))} ON CONFLICT (meter_id, step, start, origin) DO UPDATE SET {changes}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [row[name] for row in rows for name in names])
