"""Power over time, from whatever tells it in few enough rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil
from typing import Any, Final, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Avg, BigIntegerField, F, Func, Max, Min, Sum
from django.db.models.sql.compiler import SQLCompiler

from storage.buckets import zone_of
from storage.columns import MEASURES
from storage.models import Data, Meter, Rollup
from storage.queries.buckets import Plain
from storage.queries.periods import instant

MAX_POINTS: Final = 2000
_DAY: Final = 86_400
_RAW: Final = 4 * 3600  # seconds of which all readings are looked at
_MINUTES: Final = 10 * _DAY  # beyond, hours tell enough
_HOURS: Final = 800 * _DAY


class Point(NamedTuple):
    """What one slice of time saw: nothing between `low` and `high` is lost, however wide the slice."""

    at: int  # its first second, since 1970
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A measure over time. A slice without readings has no point: nothing is invented."""

    step: int  # seconds of a slice
    points: tuple[Point, ...]


class _Columns(NamedTuple):
    """Of a measure that is rolled up. Of injected power no lowest value is kept: there `low` is the mean."""

    readings: str
    sum: str
    low: str | None
    high: str


_ROLLED: Final = {
    "sinsts": _Columns("readings", "sinsts_sum", "sinsts_min", "sinsts_max"),
    "sinsti": _Columns("sinsti_readings", "sinsti_sum", None, "sinsti_max"),
}


def curve(
    meter: Meter, start: datetime, end: datetime, points: int = MAX_POINTS, measure: str = "sinsts", *,
    step: int | None = None,
) -> Curve:  # fmt: skip
    """Lowest, mean and highest of `measure` (a column of Data) in slices of start..end (half-open, aware).

    At most `points` slices, or one each `step` seconds. Slices begin at multiples of their width since 1970, those of
    days at local midnights, so that a later question cuts time at the same places; the first and last may stick out.
    A width is widened to that of the roll-ups that are read. ValueError for another measure.
    """
    if measure not in MEASURES:
        raise ValueError(f"curve: {measure!r} is no measure; expected one of {', '.join(MEASURES)}")
    first, last = int(start.timestamp()), ceil(end.timestamp())
    width = step or max(1, ceil((last - first) / max(1, min(points, MAX_POINTS) - 1)))
    source = _source(meter, measure, start, last - first, step)
    if source is None:
        return Curve(width, tuple(_of_readings(meter, start, end, measure, width)))
    width = ceil(width / source) * source
    found = _of_days if source == Rollup.Step.DAY else _of_rollups
    return Curve(width, tuple(found(meter, source, first, last, _ROLLED[measure], width)))


def _source(meter: Meter, measure: str, start: datetime, seconds: int, step: int | None) -> Rollup.Step | None:
    """Which roll-ups to read; None: the readings themselves."""
    is_whole = meter.raw_since is None or meter.raw_since <= start
    if measure not in _ROLLED or (is_whole and seconds <= _RAW) or (step is not None and step < Rollup.Step.MINUTE):
        return None
    if step is None:
        wanted = Rollup.Step.MINUTE if seconds <= _MINUTES else Rollup.Step.HOUR
        wanted = wanted if seconds <= _HOURS else Rollup.Step.DAY
    else:
        steps = (Rollup.Step.DAY, Rollup.Step.HOUR, Rollup.Step.MINUTE)
        wanted = next(one for one in steps if step % one == 0 or one is Rollup.Step.MINUTE)
    if wanted is Rollup.Step.MINUTE and _are_gone(meter, start):
        return Rollup.Step.HOUR
    return wanted


def _are_gone(meter: Meter, start: datetime) -> bool:
    """Whether minutes of `start` were there once: the hours reach further back."""
    own = Rollup.objects.filter(meter=meter, origin=Rollup.Origin.METER)
    oldest = own.filter(step=Rollup.Step.MINUTE).order_by("start").values_list("start", flat=True).first()
    before = own.filter(step=Rollup.Step.HOUR, start__gte=start, readings__gt=0).order_by("start")
    hour = before.values_list("start", flat=True).first()
    return hour is not None and (oldest is None or oldest.timestamp() // 3600 > hour.timestamp() // 3600)


def _of_readings(meter: Meter, start: datetime, end: datetime, measure: str, width: int) -> Iterator[Point]:
    slices = (
        Data.objects.filter(meter=meter, dateTime__gte=start, dateTime__lt=end, **{f"{measure}__isnull": False})
        .annotate(slice=Seconds("dateTime") / width)  # whole numbers: the database divides without a rest
        .values("slice")
        .annotate(low=Min(measure), mean=Avg(measure), high=Max(measure))
        .order_by("slice")
        .values_list("slice", "low", "mean", "high")
    )
    for number, low, mean, high in slices:
        yield Point(number * width, low, float(mean), high)


def _rows(meter: Meter, source: Rollup.Step, first: int, last: int, columns: _Columns) -> Any:  # a query set of ours
    start = instant(first - (first % source if source < _DAY else 0))
    own = Rollup.objects.filter(meter=meter, step=source, origin=Rollup.Origin.METER)
    return own.filter(start__gte=start, start__lt=instant(last), **{f"{columns.readings}__gt": 0})


def _of_rollups(
    meter: Meter, source: Rollup.Step, first: int, last: int, columns: _Columns, width: int
) -> Iterator[Point]:
    rows = _rows(meter, source, first, last, columns)
    if width == source:
        names = columns.low or columns.sum, columns.sum, columns.readings, columns.high
        for start, low, total, readings, high in rows.order_by("start").values_list(Plain("start"), *names):
            mean = total / readings
            yield Point(start, low if columns.low else mean, mean, high)
        return
    slices = (
        rows.annotate(slice=Plain("start") / width)
        .values("slice")
        .annotate(
            low=Min(columns.low or columns.sum), total=Sum(columns.sum), n=Sum(columns.readings), high=Max(columns.high)
        )
        .order_by("slice")
        .values_list("slice", "low", "total", "n", "high")
    )
    for number, low, total, readings, high in slices:
        mean = int(total) / int(readings)
        yield Point(number * width, low if columns.low else mean, mean, high)


def _of_days(
    meter: Meter, source: Rollup.Step, first: int, last: int, columns: _Columns, width: int
) -> Iterator[Point]:
    zone = zone_of(meter.timezone)
    midnight = datetime.fromtimestamp(first, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = _rows(meter, source, int(midnight.timestamp()), last, columns).order_by("start")
    found = rows.values_list(Plain(F("start")), columns.low or columns.sum, columns.sum, columns.readings, columns.high)
    number = width // _DAY
    for _, same in groupby(found, key=lambda row: datetime.fromtimestamp(row[0], zone).toordinal() // number):
        days = list(same)
        mean = sum(day[2] for day in days) / sum(day[3] for day in days)
        low = min(day[1] for day in days) if columns.low else mean
        yield Point(days[0][0], low, mean, max(day[4] for day in days))


class Seconds(Func):
    """Whole seconds since 1970, by the database itself: Django's own functions call Python for each row on SQLite."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:  # Django's
        # Twice doubled: the percent sign passes through the template and through the parameters' placeholders.
        return self.as_sql(compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:  # as above
        template = "CAST(FLOOR(EXTRACT(EPOCH FROM %(expressions)s)) AS BIGINT)"
        return self.as_sql(compiler, connection, template=template)
