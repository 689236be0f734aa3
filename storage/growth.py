"""How the database grows under what is kept, and when its disk is full at that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Final

from django.db.models import Count

from bridge.config import KeepSettings
from storage.models import Data, Meter, Rollup
from storage.rows import ROWS

_DAY: Final = timedelta(days=1)
_ENOUGH: Final = 1000  # rows: of fewer nobody can tell what one takes
HORIZON: Final = 36_525  # days that are looked ahead


@dataclass(frozen=True, slots=True)
class Growth:
    """Rows that a day brings, of which some stay for ever and others only for a time."""

    rows: int  # of readings and roll-ups, now
    per_row: float  # bytes, indexes included
    lasting: int  # rows of a day that stay
    passing: tuple[tuple[int, float], ...]  # (rows of a day, days until as many go as come)

    def bytes_after(self, days: float) -> float:
        """How much larger the database is then."""
        rows = self.lasting * days + sum(number * min(days, left) for number, left in self.passing)
        return rows * self.per_row

    def days_until(self, room: int) -> int | None:
        """After how many days so many bytes are taken; None: not within a hundred years."""
        if self.bytes_after(HORIZON) < room:
            return None
        few, many = 0, HORIZON
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if self.bytes_after(middle) >= room else (middle, many)
        return many


def growth(keep: KeepSettings, used: int, now: datetime) -> Growth | None:
    """As the last day was; None: there is too little yet to tell."""
    rows = ROWS.of(Data) + ROWS.of(Rollup)
    if rows < _ENOUGH:
        return None
    readings = minutes = lasting = 0
    raw_left = minute_left = 0.0
    for meter in Meter.objects.all():
        came = _readings(meter, now - _DAY, now)
        stays = came if keep.raw_age is None else _readings(meter, *_thinned(now, keep.raw_age))
        rolled_up = _rollups(meter, now - _DAY) or _rollups(meter, now)  # of the last day some may still be to come
        readings += max(0, came - stays)
        minutes += rolled_up[Rollup.Step.MINUTE]
        lasting += stays + rolled_up.total() - rolled_up[Rollup.Step.MINUTE]
        raw_left = max(raw_left, _left(keep.raw_age, meter.raw_since or _oldest_reading(meter), now))
        minute_left = max(minute_left, _left(keep.minute_age, _oldest_minute(meter), now))
    return Growth(rows, used / rows, lasting, ((readings, raw_left), (minutes, minute_left)))


def _readings(meter: Meter, begins: datetime, ends: datetime) -> int:
    return Data.objects.filter(meter=meter, dateTime__gte=begins, dateTime__lt=ends).count()


def _thinned(now: datetime, age: timedelta) -> tuple[datetime, datetime]:
    """The newest day of which only what energy needs is left."""
    return now - age - 2 * _DAY, now - age - _DAY


def _rollups(meter: Meter, until: datetime) -> Counter[int]:
    """Those of a day, by their length."""
    steps = list(Rollup.Step)  # all: the index begins with meter and step
    day = Rollup.objects.filter(meter=meter, step__in=steps, start__gte=until - _DAY, start__lt=until)
    own = day.filter(origin=Rollup.Origin.METER).values_list("step").annotate(Count("pk"))
    return Counter(dict(own))


def _oldest_reading(meter: Meter) -> datetime | None:
    return Data.objects.filter(meter=meter).order_by("dateTime").values_list("dateTime", flat=True).first()


def _oldest_minute(meter: Meter) -> datetime | None:
    own = Rollup.objects.filter(meter=meter, step=Rollup.Step.MINUTE)
    return own.order_by("start").values_list("start", flat=True).first()


def _left(age: timedelta | None, oldest: datetime | None, now: datetime) -> float:
    """Days until rows that are `age` old begin to go."""
    if age is None:
        return inf
    return max(0.0, (age - (now - (oldest or now))) / _DAY)
