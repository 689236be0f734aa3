"""What is let go of when it is old, and what stays: the database stops growing, and no index is forgotten.

Of an hour whose readings are older than `storage.keep.raw` stay the first and the last one, those beside a silence or
an index that began anew, and each register's first and last: all that energy is made of. Only what is rolled up goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from bridge.config import KeepSettings
from storage.buckets import HOUR, floor
from storage.dbtime import Milliseconds
from storage.energy import SILENCE, follows
from storage.models import Data, Dirty, Meter, Rollup
from storage.turns import alone
from storage.window import REGISTERS, moment

_CHUNK: Final = 500  # rows of one statement
_SPARE: Final = 0.05  # of the file may stay free, the next hour needs it,
_SPARE_PAGES: Final = 256  # and a megabyte in any case
_PAGES: Final = 1000  # given back to the disk in one go: 4 MB


def purge(keep: KeepSettings, now: datetime) -> Iterator[int]:
    """Let go of what is too old; yields after each slice, a transaction of its own, how many rows went."""
    if keep.raw_age is not None:
        for meter in Meter.objects.all():
            yield from _thin_until(meter.pk, floor(int((now - keep.raw_age).timestamp()), HOUR))
    if keep.minute_age is not None:
        yield from _drop_minutes(now - keep.minute_age)
    yield from _shrink()


def _thin_until(meter: int, cutoff: int) -> Iterator[int]:
    """Thin the hours before `cutoff` (seconds), from the oldest on, up to the first that is not rolled up."""
    while True:
        since = Meter.objects.values_list("raw_since", flat=True).get(pk=meter)
        rows = Data.objects.filter(meter=meter)
        if since is not None:
            rows = rows.filter(dateTime__gte=since)
        oldest = rows.order_by("dateTime").values_list("dateTime", flat=True).first()
        hour = None if oldest is None else floor(int(oldest.timestamp()), HOUR)
        if hour is None or hour >= cutoff:
            if hour is not None and (since is None or since.timestamp() < cutoff):
                _whole_since(meter, cutoff)
            return
        with transaction.atomic():
            if not alone(meter):
                return
            gone = thin(meter, hour)
            if gone is None:
                return
            _whole_since(meter, hour + HOUR)
        yield gone


def _whole_since(meter: int, at: int) -> None:
    """Move it on; nothing that history would tell each hour."""
    QuerySet(Meter).filter(pk=meter).update(raw_since=moment(at * 1000))


def thin(meter: int, hour: int) -> int | None:
    """Let go of the readings of an hour that nothing needs any more; how many, or None: it is not rolled up yet."""
    start, end = moment(hour * 1000), moment((hour + HOUR) * 1000)
    query: Any = Data.objects.filter(meter=meter, dateTime__gte=start, dateTime__lt=end)
    query = query.annotate(ms=Milliseconds("dateTime")).order_by("dateTime", "epoch", "seq")
    rows = list(query.values_list("pk", "ms", *REGISTERS))
    # Asked after the rows were read: what came since has its mark, and is not among them.
    if Dirty.objects.filter(meter=meter, hour=start).exists():
        return None
    kept = _needed([row[1] for row in rows], [row[2:] for row in rows])
    gone = [row[0] for n, row in enumerate(rows) if n not in kept]
    for n in range(0, len(gone), _CHUNK):
        Data.objects.filter(pk__in=gone[n : n + _CHUNK]).delete()
    return len(gone)


def _needed(times: Sequence[int], registers: Sequence[Sequence[int | None]]) -> set[int]:
    """The positions of the readings that the energy of an hour and its neighbours is made of."""
    if not times:
        return set()
    kept = {0, len(times) - 1}
    for n in range(1, len(times)):
        if times[n] - times[n - 1] > SILENCE:
            kept |= {n - 1, n}
    for values in zip(*registers, strict=True):
        said = [(n, value) for n, value in enumerate(values) if value is not None]
        if said:
            kept |= {said[0][0], said[-1][0]}
        for (n, before), (m, after) in pairwise(said):
            if not follows(before, after, times[m] - times[n]):
                kept |= {n, m}
    return kept


def _drop_minutes(until: datetime) -> Iterator[int]:
    """Delete minutes, a day in a slice."""
    minutes = Rollup.objects.filter(step=Rollup.Step.MINUTE)
    for meter in Meter.objects.values_list("pk", flat=True):
        own = minutes.filter(meter=meter)
        while (oldest := own.order_by("start").values_list("start", flat=True).first()) and oldest < until:
            with transaction.atomic():
                if not alone(meter):
                    break
                gone = own.filter(start__lt=min(until, oldest + timedelta(days=1))).delete()[0]
            yield gone


def _shrink() -> Iterator[int]:
    """Give free pages back to the disk, where SQLite keeps the database; PostgreSQL does so by itself."""
    if connection.vendor != "sqlite":
        return
    while _pragma("auto_vacuum") == 2 and _pragma("freelist_count") > _SPARE_PAGES + _SPARE * _pragma("page_count"):
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA incremental_vacuum({_PAGES})")
            cursor.fetchall()  # a page goes with each step
        yield 0


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])
