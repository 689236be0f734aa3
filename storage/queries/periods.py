"""Civil days, Tempo days and months of a meter's zone, as instants: two days a year have 23 or 25 hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from storage.buckets import HOUR

TEMPO_HOUR: Final = 6  # at which a Tempo day begins
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open, in seconds since 1970."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        return self.end - self.start

    def whole_hours(self) -> Period:
        """The hours that lie in it from end to end; none of them: an empty period."""
        start = -(-self.start // HOUR) * HOUR
        return Period(start, max(start, self.end // HOUR * HOUR))


def day(of: date, zone: tzinfo, hour: int = 0) -> Period:
    """From an hour of a day to the same hour of the next one, on the local clock."""
    return Period(_at(of, zone, hour), _at(of + _DAY, zone, hour))


def days(first: date, last: date, zone: tzinfo, hour: int = 0) -> Iterator[Period]:
    """Each day from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield day(first + number * _DAY, zone, hour)


def month(of: date, zone: tzinfo) -> Period:
    """The civil month of a day."""
    first = of.replace(day=1)
    return Period(_at(first, zone), _at((first + 31 * _DAY).replace(day=1), zone))


def months(first: date, last: date, zone: tzinfo) -> Iterator[Period]:
    """The month of `first`, that of `last`, and those between."""
    at = first.replace(day=1)
    while at <= last:
        yield month(at, zone)
        at = (at + 31 * _DAY).replace(day=1)


def days_within(period: Period, zone: tzinfo) -> Period:
    """The civil days that lie in it from end to end; none of them: an empty period."""
    first = datetime.fromtimestamp(period.start, zone).date()
    start = _at(first, zone)
    if start < period.start:
        start = _at(first + _DAY, zone)
    end = _at(datetime.fromtimestamp(period.end, zone).date(), zone)
    return Period(start, max(start, end))


def instant(seconds: int) -> datetime:
    """In UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def instant_of(ms: int) -> datetime:
    """As `instant`, of milliseconds."""
    return _EPOCH + timedelta(milliseconds=ms)


def _at(of: date, zone: tzinfo, hour: int = 0) -> int:
    return int(datetime.combine(of, time(hour), zone).timestamp())
