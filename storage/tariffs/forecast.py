"""What a month will have cost once it is over: pure, and without chance. Why so: `docs/design/tariffs.md`.

A day to come is taken to cost what the same weekday cost in the last seven days. How far that may be off is what it was
off before: the same forecast is made for each past day of which everything is known, and compared with what came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

WEEK: Final = 7
LOOK_BACK: Final = 366  # days: each season once
FEWEST: Final = 8  # forecasts of the past that must be there to judge one
_SHARE: Final = 90  # of a hundred past forecasts were not further off


@dataclass(frozen=True, slots=True)
class Forecast:
    """EUR of some days, first and last included. Nine times out of ten the truth was between `low` and `high`."""

    so_far: Decimal  # of the days that are over
    days_over: int
    days_left: int  # today among them
    low: Decimal
    middle: Decimal
    high: Decimal
    judged_by: int  # forecasts of the past


def forecast(known: Mapping[date, Decimal], first: date, last: date, today: date) -> Forecast | None:
    """Of first..last as seen on `today`; `known` are whole days, and what each cost.

    None where nothing honest can be said: a day that is over or one of the last seven is not known, or there are too
    few of the past to judge by.
    """
    ahead = max(0, (last - today).days + 1)
    over = _sum(known, first, (last - first).days + 1 - ahead)
    if over is None:
        return None
    if not ahead:
        return Forecast(over, (last - first).days + 1, 0, over, over, over, 0)
    week = _week(known, today)
    errors = _errors(known, today, ahead)
    if week is None or len(errors) < FEWEST:
        return None
    middle = over + _repeated(week, ahead)
    off = errors[min(len(errors) - 1, len(errors) * _SHARE // 100)] * _size(week, ahead)
    return Forecast(
        over, (last - first).days + 1 - ahead, ahead, middle - off, middle, middle + off, len(errors)
    )  # fmt: skip


def _sum(known: Mapping[date, Decimal], first: date, number: int) -> Decimal | None:
    found = _known(known, first, number)
    return None if found is None else sum(found, Decimal())


def _known(known: Mapping[date, Decimal], first: date, number: int) -> list[Decimal] | None:
    """What each of some days cost; None unless all are known."""
    try:
        return [known[first + timedelta(days=n)] for n in range(number)]
    except KeyError:
        return None


def _week(known: Mapping[date, Decimal], at: date) -> list[Decimal] | None:
    return _known(known, at - timedelta(days=WEEK), WEEK)


def _repeated(week: Sequence[Decimal], ahead: int) -> Decimal:
    """What `ahead` days cost, if each costs what its weekday did."""
    return sum((week[n % WEEK] for n in range(ahead)), Decimal())


def _size(week: Sequence[Decimal], ahead: int) -> Decimal:
    """How much money it is about: what was sold on some days is taken off others, but either may err."""
    return _repeated([abs(cost) for cost in week], ahead)


def _errors(known: Mapping[date, Decimal], today: date, ahead: int) -> list[Decimal]:
    """How far off each past forecast of as many days was, as a share of its size; the best first."""
    found = []
    for back in range(ahead, LOOK_BACK):
        at = today - timedelta(days=back)
        week, came = _week(known, at), _sum(known, at, ahead)
        if week is not None and came is not None and (size := _size(week, ahead)):
            found.append(abs(came - _repeated(week, ahead)) / size)
    return sorted(found)
