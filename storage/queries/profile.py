"""A household's habits: what it takes at each hour of the week, and what it never stops taking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import quantiles
from typing import Final

from storage.buckets import HOUR, zone_of
from storage.models import Meter, Rollup
from storage.queries import periods
from storage.queries.buckets import merged
from storage.queries.periods import Period, instant
from storage.window import REGISTERS

_NIGHT: Final = 6 * HOUR  # from midnight
_ENOUGH: Final = 120  # minutes of a night that must have been heard
_NIGHTS: Final = 3
_LOWEST: Final = 20  # one minute of so many is lower


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week."""

    hours: int  # how many such hours were heard
    mean: float  # Wh of one of them, which is its mean power in W
    high: int  # Wh of the one that took most


@dataclass(frozen=True, slots=True)
class Profile:
    """Hours of the week, on the local clock: `cells[weekday][hour]`, Monday first; None where no hour is known."""

    cells: tuple[tuple[Cell | None, ...], ...]


def profile(meter: Meter, start: datetime, end: datetime, register: str = "east") -> Profile:
    """Mean energy by weekday and hour of the hours that lie in start..end (aware); ValueError for another register.

    Hours that were spread over a silence say nothing of habits and are left out.
    """
    if register not in REGISTERS:
        raise ValueError(f"profile: {register!r} is no index; expected one of {', '.join(REGISTERS)}")
    zone = zone_of(meter.timezone)
    hours = Period(ceil(start.timestamp()), max(ceil(start.timestamp()), int(end.timestamp()))).whole_hours()
    found: list[list[list[int]]] = [[[] for _ in range(24)] for _ in range(7)]
    for hour in merged(meter, Rollup.Step.HOUR, hours, (register,)):
        if hour.energies[0] is not None and (hour.readings or not hour.estimated):
            local = datetime.fromtimestamp(hour.start, zone)
            found[local.weekday()][local.hour].append(hour.energies[0])
    return Profile(tuple(tuple(_cell(own) for own in day) for day in found))


def _cell(own: list[int]) -> Cell | None:
    return Cell(len(own), sum(own) / len(own), max(own)) if own else None


@dataclass(frozen=True, slots=True)
class Standby:
    """What a household never stops taking, in VA: the median of its nights, and the half of them around it."""

    power: float
    low: float
    high: float
    nights: int  # that count


def standby(meter: Meter, last: date, nights: int = 30) -> Standby | None:
    """The base load of the `nights` that ended on the local day `last` or before; None: fewer than three were heard.

    A night runs from 00:00 to 06:00. Its load is the mean power that one minute in twenty stays below. Not the lowest
    minute: a reading that was wrong, or a cut, is one minute. Not the median either: water is heated and cars are
    charged by night, for hours, but not without a pause of twenty minutes, in which thermostats, a fridge and a freezer
    are off. Of the nights the median: a feast or an empty house changes some of them. Nights of which fewer than two
    hours were heard do not count.
    """
    zone = zone_of(meter.timezone)
    begins = (periods.day(last - timedelta(days=n), zone).start for n in range(nights))
    loads = [load for start in begins if (load := _load(meter, Period(start, start + _NIGHT))) is not None]
    if len(loads) < _NIGHTS:
        return None
    low, middle, high = quantiles(loads, n=4, method="inclusive")
    return Standby(middle, low, high, len(loads))


def _load(meter: Meter, night: Period) -> float | None:
    rows = Rollup.objects.filter(
        meter=meter, step=Rollup.Step.MINUTE, origin=Rollup.Origin.METER, readings__gt=0,
        start__gte=instant(night.start), start__lt=instant(night.end),
    ).values_list("sinsts_sum", "readings")  # fmt: skip
    minutes = sorted(total / readings for total, readings in rows if total is not None)
    return minutes[len(minutes) // _LOWEST] if len(minutes) >= _ENOUGH else None
