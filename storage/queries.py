"""Questions to the database, each with a name. Views ask these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Avg, BigIntegerField, Func, Max, Min, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from storage.models import Data, Meter

MAX_POINTS: Final = 2000


@dataclass(frozen=True, slots=True)
class Point:
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


def meters() -> QuerySet[Meter]:
    """Every meter, by name."""
    return Meter.objects.order_by("name", "meter_id")


def latest(meter: Meter) -> Data | None:
    """The newest reading."""
    return Data.objects.filter(meter=meter).order_by("-dateTime").first()


def curve(meter: Meter, start: datetime, end: datetime, points: int = MAX_POINTS, measure: str = "sinsts") -> Curve:
    """Lowest, mean and highest of `measure` in at most `points` slices of start..end (half-open)."""
    first, last = int(start.timestamp()), ceil(end.timestamp())
    # Slices begin at multiples of the step, so that a later question cuts time at the same places;
    # the first and the last one may stick out, which costs one slice.
    step = max(1, ceil((last - first) / max(1, min(points, MAX_POINTS) - 1)))
    slices = (
        Data.objects.filter(meter=meter, dateTime__gte=start, dateTime__lt=end, **{f"{measure}__isnull": False})
        .annotate(slice=_Seconds("dateTime") / step)  # whole numbers: the database divides without a rest
        .values("slice")
        .annotate(low=Min(measure), mean=Avg(measure), high=Max(measure))
        .order_by("slice")
        .values_list("slice", "low", "mean", "high")
    )
    return Curve(step, tuple(Point(number * step, low, mean, high) for number, low, mean, high in slices))


class _Seconds(Func):
    """Whole seconds since 1970, by the database itself: Django's own functions call Python for each row on SQLite."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:  # Django's
        # Twice doubled: the percent sign passes through the template and through the parameters' placeholders.
        return self.as_sql(compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:  # as above
        template = "CAST(FLOOR(EXTRACT(EPOCH FROM %(expressions)s)) AS BIGINT)"
        return self.as_sql(compiler, connection, template=template)
