"""Hour by day, or hour by weekday: when a household takes its energy. A table that is coloured, so it can be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format

from storage import queries
from storage.models import Meter
from storage.web.history.pieces import DAYS, kwh
from storage.web.history.spans import Span

LEVELS: Final = 7  # colours, from nothing to the most


class Cell(NamedTuple):
    """One hour."""

    hour: int
    level: int | None  # None: not known
    text: str


class Line(NamedTuple):
    """One day."""

    name: str
    cells: list[Cell]


class Heat(NamedTuple):
    """The table, and what its deepest colour stands for."""

    lines: list[Line]
    most: str  # kWh
    by_weekday: bool  # means of each weekday, of a time too long to show day by day


def heat(meter: Meter, span: Span, now: datetime) -> Heat | None:
    """None: nothing is known of the span, or it is a single day."""
    zone = queries.zone_of(meter.timezone)
    last = min(span.last, now.astimezone(zone).date())
    if span.kind == "day" or last < span.first:
        return None
    if span.days > DAYS:
        starts, ends = (
            datetime.combine(day, datetime.min.time(), zone) for day in (span.first, last + timedelta(days=1))
        )
        rows = [
            (str(WEEKDAYS_ABBR[weekday]), [None if cell is None else round(cell.mean) for cell in cells])
            for weekday, cells in enumerate(queries.profile(meter, starts, ends).cells)
        ]
        return _coloured(rows, by_weekday=True)
    found: dict[str, list[int | None]] = {}
    for one in queries.hours(meter, span.first, last):
        local = one.start.astimezone(zone)
        row = found.setdefault(date_format(local, "D j"), [None] * 24)
        if one.drawn is not None:
            row[local.hour] = (row[local.hour] or 0) + one.drawn  # the hour that comes twice: both of them
    return _coloured(list(found.items()), by_weekday=False)


def _coloured(rows: list[tuple[str, list[int | None]]], *, by_weekday: bool) -> Heat | None:
    most = max((value for _, values in rows for value in values if value is not None), default=0)
    if most <= 0:
        return None
    lines = [Line(name, [_cell(hour, value, most) for hour, value in enumerate(values)]) for name, values in rows]
    return Heat(lines, kwh(most), by_weekday)


def _cell(hour: int, value: int | None, most: int) -> Cell:
    level = None if value is None else round(max(0, value) * (LEVELS - 1) / most)
    return Cell(hour, level, kwh(value))
