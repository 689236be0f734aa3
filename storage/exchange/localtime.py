"""Local times without an offset to instants: in October an hour comes twice, and the order of the rows tells which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

_MOST: Final = 100_000  # rows of one doubtful hour that are held back: ten a second
_HALF_HOUR: Final = 30
_NEAR: Final = timedelta(minutes=20)  # of a hint to the time that it is about


class Doubt(Enum):
    """Why a local time is no instant."""

    TWICE = "in the hour that comes twice, and the order does not tell which of the two"
    NEVER = "in the hour that the clocks leave out"


class _Offsets(NamedTuple):
    first: timedelta
    second: timedelta


@lru_cache(maxsize=256)
def _offsets(local: datetime, zone: ZoneInfo) -> _Offsets:
    offsets = [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    assert offsets[0] is not None, "a zone has an offset"
    assert offsets[1] is not None, "a zone has an offset"
    return _Offsets(offsets[0], offsets[1])


def unfold(
    rows: Iterable[tuple[datetime, datetime | None, T]], zone: ZoneInfo, fall: timedelta
) -> Iterator[tuple[datetime | Doubt, T]]:
    """The instant of each (local time, hint, anything), in order.

    Of the hour that comes twice, what stands before the one place where time falls back by at least `fall` is the
    first, what stands after it the second. A hint is the instant by another clock, which decides for its own row.
    A time that carries its offset is an instant already.
    """
    doubtful: list[tuple[datetime, datetime | None, T]] = []
    for local, hint, what in rows:
        if local.tzinfo is not None:
            yield from _settled(doubtful, zone, fall)
            doubtful.clear()
            yield local, what
            continue
        offsets = _offsets(local.replace(minute=local.minute // _HALF_HOUR * _HALF_HOUR, second=0, microsecond=0), zone)
        if offsets.first > offsets.second and len(doubtful) < _MOST:
            doubtful.append((local, hint, what))
            continue
        if doubtful:
            yield from _settled(doubtful, zone, fall)
            doubtful.clear()
        if offsets.first < offsets.second:
            yield Doubt.NEVER, what
        else:
            yield (local - offsets.first).replace(tzinfo=UTC), what
    yield from _settled(doubtful, zone, fall)


def _settled(
    rows: list[tuple[datetime, datetime | None, T]], zone: ZoneInfo, fall: timedelta
) -> Iterator[tuple[datetime | Doubt, T]]:
    falls = [n for n in range(1, len(rows)) if rows[n - 1][0] - rows[n][0] >= fall]
    for number, (local, hint, what) in enumerate(rows):
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        nearest = None if hint is None else min(first, second, key=lambda at: abs(at - hint))
        if nearest is not None and hint is not None and abs(nearest - hint) < _NEAR:
            yield nearest, what
        elif len(falls) == 1:
            yield (first if number < falls[0] else second), what
        else:
            yield Doubt.TWICE, what
