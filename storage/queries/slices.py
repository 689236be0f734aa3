"""Energy over time, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from django.db.models import Count, IntegerField, Max, Sum
from django.db.models.functions import Cast

from storage.buckets import HOUR, zone_of
from storage.models import Meter, Rollup
from storage.queries import periods
from storage.queries.buckets import Bucket, Plain, merged, prefer
from storage.queries.curve import MAX_POINTS
from storage.queries.periods import Period, instant
from storage.queries.within import part
from storage.window import REGISTERS

_Step = Rollup.Step
_MINUTES: Final = 30


@dataclass(frozen=True, slots=True)
class Slice:
    """Energy of a slice of time."""

    at: int  # its first second, since 1970
    seconds: int
    wh: int
    estimated: bool

    @property
    def watts(self) -> float:
        """Mean active power."""
        return self.wh * 3600 / self.seconds


@dataclass(frozen=True, slots=True)
class Slices:
    """Energy over time. A slice of which nothing is known is not there."""

    step: Rollup.Step
    slices: tuple[Slice, ...]


def energies(
    meter: Meter, start: datetime, end: datetime, register: str = "east", *, step: Rollup.Step | None = None
) -> Slices:
    """Wh of a register (`east`, `easf01`..`easf10`, `eait`) in the slices that begin in start..end (half-open, aware).

    Minutes of up to six hours, half hours of up to eight days, hours of up to eighty, else civil days, unless told.
    ValueError for another register, or for more than 2000 slices.
    """
    if register not in REGISTERS:
        raise ValueError(f"energies: {register!r} is no index; expected one of {', '.join(REGISTERS)}")
    period = Period(ceil(start.timestamp()), ceil(end.timestamp()))
    step = _Step(step or _fitting(period.seconds))
    if period.seconds > MAX_POINTS * step:
        raise ValueError(f"energies: more than {MAX_POINTS} slices of {step} s; ask for less time or a wider step")
    if step is _Step.HALF_HOUR:
        found = _half_hours(meter, period, register)
    elif step is _Step.DAY:
        found = _days(meter, period, register)
    else:
        found = merged(meter, step, period, (register,))
    slices = ((one, one.energies[0]) for one in found)
    return Slices(step, tuple(Slice(one.start, one.seconds, wh, one.estimated) for one, wh in slices if wh is not None))


def _fitting(seconds: int) -> Rollup.Step:
    for step, hours in ((_Step.MINUTE, 6), (_Step.HALF_HOUR, 8 * 24), (_Step.HOUR, 80 * 24)):
        if seconds <= hours * HOUR:
            return step
    return _Step.DAY


def _days(meter: Meter, period: Period, register: str) -> list[Bucket]:
    zone = zone_of(meter.timezone)
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (period.start, period.end))
    lengths = {one.start: one.seconds for one in periods.days(first, last, zone)}
    return [
        one._replace(seconds=lengths.get(one.start, one.seconds))
        for one in merged(meter, _Step.DAY, period, (register,))
    ]


def _half_hours(meter: Meter, period: Period, register: str) -> list[Bucket]:
    """The meter's are made of minutes where all thirty are there; else a file's, else a share of the hour."""
    start = -(-period.start // _Step.HALF_HOUR) * _Step.HALF_HOUR
    period = Period(start, max(start, period.end))
    files = {one.start: one for one in merged(meter, _Step.HALF_HOUR, period, (register,))}
    own = _of_minutes(meter, period, register)
    hours = {one.start: one for one in merged(meter, _Step.HOUR, _around(period), (register,))}
    found = []
    for at in range(period.start, period.end, _Step.HALF_HOUR):
        mine, file = own.get(at), files.get(at)
        if mine is None and file is None and at // HOUR * HOUR in hours:
            mine = _share(meter, at, register)
        if mine is not None:
            found.append(prefer(mine, file.energies) if file else mine)
        elif file is not None:
            found.append(file)
    return found


def _around(period: Period) -> Period:
    return Period(period.start // HOUR * HOUR, period.end)


def _of_minutes(meter: Meter, period: Period, register: str) -> dict[int, Bucket]:
    """Half hours of which each minute was heard, by their start."""
    rows = (
        Rollup.objects.filter(
            meter=meter, step=_Step.MINUTE, origin=Rollup.Origin.METER,
            start__gte=instant(period.start), start__lt=instant(-(-period.end // _Step.HALF_HOUR) * _Step.HALF_HOUR),
        )
        .annotate(slice=Plain("start") / int(_Step.HALF_HOUR))
        .values("slice")
        .annotate(
            n=Count(register), wh=Sum(register), heard=Sum("readings"), seconds=Sum("covered"),
            unsure=Max(Cast("estimated", IntegerField())),
        )
        .order_by("slice")
        .values_list("slice", "n", "wh", "heard", "seconds", "unsure")
    )  # fmt: skip
    width = int(_Step.HALF_HOUR)
    found = (
        Bucket(number * width, width, heard, seconds, bool(unsure), False, False, (wh,))
        for number, n, wh, heard, seconds, unsure in rows
        if n == _MINUTES
    )
    return {one.start: one for one in found}


def _share(meter: Meter, at: int, register: str) -> Bucket:
    found = part(meter, at * 1000, (at + _Step.HALF_HOUR) * 1000)
    return found._replace(energies=(found.energies[REGISTERS.index(register)],))
