"""When most power was drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db.models import QuerySet

from storage.models import Data, Meter, Rollup

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Peak:
    """A minute (an hour, where minutes are no longer kept) and its highest reading."""

    start: datetime
    seconds: int
    high: int  # VA
    mean: float
    at: datetime | None  # of that reading, where it is still kept


def peaks(meter: Meter, start: datetime, end: datetime, n: int = 10) -> tuple[Peak, ...]:
    """The `n` minutes of start..end (half-open, aware) with the highest readings, highest first, then by time."""
    own = Rollup.objects.filter(meter=meter, origin=Rollup.Origin.METER, sinsts_max__isnull=False)
    hours = own.filter(step=Rollup.Step.HOUR, start__gt=start - _HOUR, start__lt=end)
    # The highest minutes lie in the highest hours; what the two hours at the ends have may lie outside, so that they
    # take no other's place.
    candidates = {*_highest(hours, n + 2), *hours.order_by("start")[:1], *hours.order_by("-start")[:1]}
    found: list[Rollup] = []
    for hour in candidates:
        minutes = own.filter(step=Rollup.Step.MINUTE, start__gte=hour.start, start__lt=hour.start + _HOUR)
        within = minutes.filter(start__gte=_whole(start), start__lte=end - _MINUTE)
        highest = list(_highest(within, n))
        found += highest
        if not highest and start <= hour.start and hour.start + _HOUR <= end and not minutes.exists():
            found.append(hour)
    found.sort(key=lambda row: (-(row.sinsts_max or 0), row.start))
    return tuple(_peak(meter, row) for row in found[:n])


def _whole(at: datetime) -> datetime:
    """A roll-up's start is in whole seconds; parts of one would be cut off."""
    return datetime.fromtimestamp(ceil(at.timestamp()), at.tzinfo)


def _highest(rows: QuerySet[Rollup], n: int) -> Iterable[Rollup]:
    return rows.order_by("-sinsts_max", "start")[:n]


def _peak(meter: Meter, row: Rollup) -> Peak:
    assert row.sinsts_max is not None, "the filter"
    assert row.sinsts_sum is not None, "with a highest value there is a sum"
    own = Data.objects.filter(
        meter=meter, dateTime__gte=row.start, dateTime__lt=row.start + timedelta(seconds=row.step)
    )
    at = own.filter(sinsts=row.sinsts_max).order_by("dateTime").values_list("dateTime", flat=True).first()
    return Peak(row.start, row.step, row.sinsts_max, row.sinsts_sum / row.readings, at)
