"""The forecast of a meter's month, of what the database knows of its days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from storage import queries
from storage.buckets import HOUR, zone_of
from storage.models import Meter
from storage.tariffs import loading
from storage.tariffs.costs import SUBSCRIPTION, UNKNOWN
from storage.tariffs.daily import Costs, costs_by
from storage.tariffs.forecast import LOOK_BACK, WEEK, Forecast, Part, Silence, forecast

_HABITS = timedelta(weeks=8)  # by which the hours of a day are weighed


def foretell(meter: Meter, first: date, last: date, today: date) -> Forecast | Silence:
    """What first..last will have cost, as seen on `today`."""
    days = costs_by(meter, today - timedelta(days=LOOK_BACK + WEEK + 31), today - timedelta(days=1), "day")
    known = {day.first: day.known for day in days if day.complete and day.lines}
    near = min(first, today - timedelta(days=WEEK))
    partly = [day for day in days if day.first >= near and day.lines and not day.complete and _is_heard_in_part(day)]
    return forecast(known, first, last, today, dict(_parts(meter, partly)))


def _is_heard_in_part(day: Costs) -> bool:
    """Whether hours are all that it lacks: what has no price is worth nothing yet."""
    return all(line.amount is not None or (line.period == UNKNOWN and not line.wh) for line in day.lines)


def _parts(meter: Meter, days: list[Costs]) -> Iterator[tuple[date, Part]]:
    if not days:
        return
    zone = zone_of(meter.timezone)
    end = datetime.combine(days[-1].first, time(), zone) + timedelta(days=1)
    habits = queries.profile(meter, end - _HABITS, end)
    for day in days:
        weights = [cell.mean if cell else 0.0 for cell in habits.cells[day.first.weekday()]]
        if not all(weights):
            weights = [1.0] * 24
        begins = _hours(day.first, zone)
        heard = loading.starts(loading.hours(meter.pk, begins[0], begins[-1] + HOUR))
        every = [Fraction(weights[datetime.fromtimestamp(at, UTC).astimezone(zone).hour]) for at in begins]
        missing = sum((weight for at, weight in zip(begins, every, strict=True) if at not in heard), Fraction())
        fixed = sum((line.amount or Decimal() for line in day.lines if line.period == SUBSCRIPTION), Decimal())
        yield day.first, Part(day.known - fixed, fixed, missing / sum(every, Fraction()))


def _hours(day: date, zone: ZoneInfo) -> list[int]:
    """The beginnings of its hours: 23 to 25."""
    start, end = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))
    return list(range(int(start.timestamp()), int(end.timestamp()), HOUR))
