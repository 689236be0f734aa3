"""What a month will have cost once it is over: pure, and without chance. Why so: `docs/design/tariffs.md`.

A day to come is taken to cost what the same weekday cost in the last seven days. How far that may be off is what it was
off before: the same forecast is made for past days, and compared with what came. What was not measured of a day that is
over is taken to be as on the same weekday of the weeks around it, and makes the range wider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

WEEK: Final = 7
LOOK_BACK: Final = 366  # days: each season once
FEWEST: Final = 8  # forecasts of the past that must be there to judge one
_AROUND: Final = 4  # weeks before and after, in which a day like one that was not measured is looked for
_MOSTLY: Final = Fraction(4, 5)  # of the days of a past forecast that must be measured for it to judge another
_SHARE: Final = 90  # of a hundred past forecasts were not further off


class Silence(StrEnum):
    """Why nothing honest can be said."""

    WEEK = "week"  # fewer than four of the last seven days are measured
    MONTH = "month"  # less than half of the month's days that are over, and more than three are not
    PAST = "past"  # too little of the past to judge by


class Part(NamedTuple):
    """What is known of a day that was not measured from midnight to midnight."""

    cost: Decimal = Decimal()  # of its hours that were measured
    fixed: Decimal = Decimal()  # what is paid whatever is drawn
    missing: Fraction = Fraction(1)  # of what such a day draws


@dataclass(frozen=True, slots=True)
class Forecast:
    """EUR of some days, first and last included. Nine times out of ten the truth was between `low` and `high`."""

    so_far: Decimal  # of the days that are over, with what is taken of those that were not measured
    days_over: int
    measured: int  # of them, from midnight to midnight
    days_left: int  # today among them
    low: Decimal
    middle: Decimal
    high: Decimal
    judged_by: int  # forecasts of the past


def forecast(
    known: Mapping[date, Decimal], first: date, last: date, today: date, parts: Mapping[date, Part] | None = None
) -> Forecast | Silence:
    """Of first..last as seen on `today`; `known` are whole days, and what each cost, `parts` is known of others."""
    ahead = max(0, (last - today).days + 1)
    over = [first + timedelta(days=n) for n in range((last - first).days + 1 - ahead)]
    measured = sum(day in known for day in over)
    week = _before(today)
    if len(over) - measured > max(measured, WEEK // 2):
        return Silence.MONTH
    if ahead and 2 * sum(day in known for day in week) < WEEK:
        return Silence.WEEK
    past = _Past(known, parts or {})
    so_far = past.cost(over)
    if so_far is None or (ahead and past.cost(week) is None):
        return Silence.PAST
    if not ahead:
        off, judged = past.doubt(over), 0
        return Forecast(so_far, len(over), measured, 0, so_far - off, so_far, so_far + off, judged)
    judgement = _judge(past, today, ahead)
    if judgement is None:
        return Silence.PAST
    share, judged = judgement
    models = [week[n % WEEK] for n in range(ahead)]
    middle = so_far + (past.cost(models) or Decimal())
    off = share * past.size(models) + past.doubt([*over, *models])
    return Forecast(so_far, len(over), measured, ahead, middle - off, middle, middle + off, judged)


def _before(day: date) -> list[date]:
    return [day - timedelta(days=WEEK - n) for n in range(WEEK)]


@dataclass(slots=True)
class _Past:
    """What each day cost, or is taken to have cost."""

    known: Mapping[date, Decimal]
    parts: Mapping[date, Part]
    _taken: dict[date, tuple[Decimal, Decimal] | None] = field(default_factory=dict)
    _off: Decimal | None = None

    def cost(self, days: Iterable[date]) -> Decimal | None:
        """Of some days; None if nothing can be taken for one of them."""
        total = Decimal()
        for day in days:
            cost = self.known.get(day)
            if cost is None:
                taken = self._take(day)
                if taken is None:
                    return None
                cost = taken[0]
            total += cost
        return total

    def size(self, days: Iterable[date]) -> Decimal:
        """How much money it is about: what was sold on some days is taken off others, but either may err."""
        return sum((abs(self.cost([day]) or Decimal()) for day in days), Decimal())

    def doubt(self, days: Iterable[date]) -> Decimal:
        """How far off what is taken of days that were not measured may be; one and the same day errs each time."""
        return sum((taken[1] for day in days if day not in self.known and (taken := self._take(day))), Decimal())

    def _take(self, day: date) -> tuple[Decimal, Decimal] | None:
        """(cost, how far that may be off) of a day that was not measured."""
        if day not in self._taken:
            part, like = self.parts.get(day, Part()), self._like(day)
            share = Decimal(part.missing.numerator) / part.missing.denominator
            self._taken[day] = None if like is None else (
                part.cost + part.fixed + share * (like - part.fixed), share * self._usual_error()
            )  # fmt: skip
        return self._taken[day]

    def _like(self, day: date) -> Decimal | None:
        """What the same weekday cost in the weeks around it, on average; if none was measured, what any day did."""
        weeks = [day + timedelta(days=WEEK * n) for n in range(-_AROUND, _AROUND + 1) if n]
        alike = self._mean(weeks)
        return self._mean(day + timedelta(days=n) for n in range(-WEEK, WEEK + 1) if n) if alike is None else alike

    def _mean(self, days: Iterable[date]) -> Decimal | None:
        costs = [self.known[day] for day in days if day in self.known]
        return sum(costs, Decimal()) / len(costs) if costs else None

    def _usual_error(self) -> Decimal:
        """By how much the days that were measured differ from those like them."""
        if self._off is None:
            errors = [abs(cost - like) for day, cost in self.known.items() if (like := self._like(day)) is not None]
            self._off = _late(sorted(errors)) if errors else Decimal()
        return self._off


def _judge(past: _Past, today: date, ahead: int) -> tuple[Decimal, int] | None:
    """(by which share it may be off, by how many past forecasts); None if there are too few.

    A past that is too short for forecasts as long as this one is asked for shorter ones, of a week at least: the error
    grows with each day as it did until then.
    """
    for days in range(ahead, min(ahead, WEEK) - 1, -1):
        errors = _errors(past, today, days)
        if len(errors) >= FEWEST:
            return _late(errors) * ahead / days, len(errors)
    return None


def _errors(past: _Past, today: date, ahead: int) -> list[Decimal]:
    """How far off each past forecast of as many days was, as a share of its size; the best first."""
    found: list[Decimal] = []
    if not past.known:
        return found
    longest = min(LOOK_BACK - 1, (today - min(past.known)).days - WEEK)  # what was before the first day is no past
    for back in range(ahead, longest + 1):
        at = today - timedelta(days=back)
        week, came = _before(at), [at + timedelta(days=n) for n in range(ahead)]
        if sum(day in past.known for day in (*week, *came)) < _MOSTLY * (WEEK + ahead):
            continue
        models = [week[n % WEEK] for n in range(ahead)]
        truth, told = past.cost(came), past.cost(models)
        if truth is not None and told is not None and (size := past.size(models)):
            found.append(abs(truth - told) / size)
    return sorted(found)


def _late(errors: list[Decimal]) -> Decimal:
    return errors[min(len(errors) - 1, len(errors) * _SHARE // 100)]
