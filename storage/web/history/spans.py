"""Which days the page shows: a day, a week, a month, a year or a free range, and those before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

KINDS: Final[dict[str, Promise]] = {
    "day": _("Day"), "week": _("Week"), "month": _("Month"), "year": _("Year"), "range": _("Range"),
}  # fmt: skip
MOST_DAYS: Final = 366 * 20
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole local days, both included."""

    kind: str
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def title(self) -> str:
        """In words."""
        if self.kind == "day":
            return date_format(self.first, "l j F Y")
        if self.kind == "month":
            return date_format(self.first, "F Y")
        if self.kind == "year":
            return str(self.first.year)
        return gettext("{first} to {last}").format(
            first=date_format(self.first, "j F Y"), last=date_format(self.last, "j F Y")
        )

    def moved(self, by: int) -> Span:
        """The one `by` steps later (earlier, if negative)."""
        if self.kind == "month":
            return month(_months_later(self.first, by))
        if self.kind == "year":
            return year(date(self.first.year + by, 1, 1))
        step = by * self.days * _DAY
        return Span(self.kind, self.first + step, self.last + step)

    def a_year_before(self) -> Span:
        """The same part of the year before: the same weekday for days and weeks."""
        if self.kind == "month":
            return month(_months_later(self.first, -12))
        if self.kind == "year":
            return self.moved(-1)
        step = 364 * _DAY
        return Span(self.kind, self.first - step, self.last - step)


def span_of(kind: str, first: date, last: date | None = None) -> Span:
    """The one that holds `first`; of a range, from it to `last`. ValueError: no such kind, or a range too long."""
    if kind == "day":
        return Span("day", first, first)
    if kind == "week":
        monday = first - first.weekday() * _DAY
        return Span("week", monday, monday + 6 * _DAY)
    if kind == "month":
        return month(first)
    if kind == "year":
        return year(first)
    if kind != "range" or last is None or not 0 <= (last - first).days < MOST_DAYS:
        raise ValueError(f"history: {kind!r} from {first} to {last} is nothing that can be shown")
    return Span("range", first, last)


def month(of: date) -> Span:
    """The month of a day."""
    first = of.replace(day=1)
    return Span("month", first, _months_later(first, 1) - _DAY)


def year(of: date) -> Span:
    """The year of a day."""
    return Span("year", date(of.year, 1, 1), date(of.year, 12, 31))


def _months_later(first: date, by: int) -> date:
    number = first.year * 12 + first.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)
