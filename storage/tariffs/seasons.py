"""The rules of Tempo and EJP: how many days of which colour a season has, and when they may fall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from storage.tariffs.grids import PARIS
from storage.tariffs.holidays import is_public_holiday

RED: Final = 22
WHITE: Final = 43
RED_IN_A_ROW: Final = 5
EJP_DAYS: Final = 22
_SATURDAY, _SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Season:
    """A Tempo year, from the first of September."""

    year: int  # in which it begins

    @classmethod
    def of(cls, day: date) -> Season:
        """That of a day."""
        return cls(day.year if day.month >= 9 else day.year - 1)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 9, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year + 1, 8, 31)

    @property
    def days(self) -> Mapping[str, int]:
        """How many of each colour it has; blue are the rest, one more in a leap season."""
        return {"rouge": RED, "blanc": WHITE, "bleu": (self.last - self.first).days + 1 - RED - WHITE}


def is_winter(day: date) -> bool:
    """November to March: when red days and EJP days may fall."""
    return day.month >= 11 or day.month <= 3


def may_be(day: date, colour: str) -> bool:
    """Whether a day may have a colour at all. Sundays are blue; red are working days of winter."""
    if colour == "rouge":
        return is_winter(day) and day.weekday() < _SATURDAY and not is_public_holiday(day)
    return colour == "bleu" or (colour == "blanc" and day.weekday() != _SUNDAY)


def left(known: Mapping[date, str], season: Season) -> Mapping[str, int]:
    """How many days of each colour a season still has, of the days that are known."""
    used = Counter(colour for day, colour in known.items() if Season.of(day) == season)
    return {colour: number - used[colour] for colour, number in season.days.items()}


def faults(known: Mapping[date, str]) -> list[str]:
    """What cannot be so, a sentence each: a day of a colour that it may not have, a day too many, six red in a row."""
    found = [f"{day} cannot be {colour}" for day, colour in sorted(known.items()) if not may_be(day, colour)]
    for season in sorted({Season.of(day) for day in known}, key=lambda season: season.year):
        over = {colour: -number for colour, number in left(known, season).items() if number < 0}
        found += [f"the season from {season.first} has {n} days too many of {colour}" for colour, n in over.items()]
    row = 1
    for before, day in pairwise(sorted(day for day, colour in known.items() if colour == "rouge")):
        row = row + 1 if day - before == timedelta(1) else 1
        if row == RED_IN_A_ROW + 1:
            found.append(f"{day} is red after {RED_IN_A_ROW} red days in a row")
    return found


def completed(events: Mapping[date, bool], number: int | None) -> dict[date, bool]:
    """With the other days of each season in which as many event days are known as it has: they are none."""
    found = dict(events)
    for season in {Season.of(day) for day in events} if number else ():
        days = [season.first + timedelta(n) for n in range((season.last - season.first).days + 1)]
        if sum(events.get(day, False) for day in days) >= (number or 0):
            found |= {day: False for day in days if day not in found}
    return found


def ejp_peak(day: date) -> tuple[datetime, datetime]:
    """From when to when the mobile peak of an EJP day lasts: seven in the morning to one at night."""
    if not is_winter(day):
        raise ValueError(f"{day} cannot be an EJP day: they fall from November to March")
    return (
        datetime.combine(day, time(7), PARIS),
        datetime.combine(day + timedelta(1), time(1), PARIS),
    )
