"""Where buckets begin: whole minutes and hours of UTC, civil days of the meter's zone. Seconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.tic.values import PARIS

MINUTE: Final = 60
HOUR: Final = 3600


def floor(seconds: int, step: int) -> int:
    """The start of the bucket that holds a moment."""
    return seconds // step * step


def ceiling(seconds: int, step: int) -> int:
    """The first start of a bucket at a moment or after it."""
    return -(-seconds // step) * step


def zone_of(name: str) -> ZoneInfo:
    """A meter's zone; where its name says nothing, that of the mainland."""
    try:
        return ZoneInfo(name) if name else PARIS
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return PARIS


def midnights(start: int, end: int, where: ZoneInfo) -> list[int]:
    """The starts of the civil days that start..end (half-open) touches, and the end of the last one."""
    day = datetime.fromtimestamp(start, UTC).astimezone(where).date()
    found = [_midnight(day, where)]
    while found[-1] < end:
        day += timedelta(days=1)
        found.append(_midnight(day, where))
    return found


def _midnight(day: date, where: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), where).timestamp())
