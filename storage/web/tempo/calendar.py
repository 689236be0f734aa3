"""The season as twelve months of weeks: what each day is, and how many of each colour are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage.tariffs.calendars import COLOURS
from storage.tariffs.seasons import Season, left
from storage.web.words import word

_WEEK: Final = 7
_LETTERS: Final = {"bleu": "B", "blanc": "W", "rouge": "R", "event": "E"}  # as the meter says HPJB, HPJW, HPJR


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    day: date
    word: str  # bleu, blanc, rouge, event, normal; empty: not known
    letter: str
    name: str
    is_today: bool

    @property
    def text(self) -> str:
        """For those who do not see it."""
        said = f"{date_format(self.day, 'j F')}: {self.name}"
        return gettext("{day} (today)").format(day=said) if self.is_today else said


@dataclass(frozen=True, slots=True)
class Month:
    """Its weeks, Monday first; None is a day of another month."""

    name: str
    weeks: tuple[tuple[Day | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Left:
    """How many days of a colour the season still has."""

    word: str
    letter: str
    name: str
    left: int
    of: int

    @property
    def used(self) -> int:
        return self.of - self.left


def letter(said: str) -> str:
    """What stands in the day: a colour is never told by colour alone."""
    return _LETTERS.get(said, "·")


def day_name(said: str) -> str:
    """The same as a word."""
    if said in COLOURS:
        return word("tempo_today", said)
    return {"event": gettext("event day"), "normal": gettext("normal day")}.get(said, gettext("not known"))


def months(season: Season, known: Mapping[date, str], today: date) -> list[Month]:
    """September to August."""
    days = [season.first + timedelta(days=n) for n in range((season.last - season.first).days + 1)]
    return [
        Month(date_format(first, "F Y"), _weeks([_day(day, known, today) for day in same]))
        for first, same in ((next_[0], next_) for next_ in (list(g) for _, g in groupby(days, lambda day: day.month)))
    ]


def weekdays() -> list[tuple[str, str]]:
    """Short and long names, Monday first."""
    monday = date(2024, 1, 1)
    return [(date_format(day, "D")[:2], date_format(day, "l")) for day in (monday + timedelta(n) for n in range(_WEEK))]


def days_left(season: Season, known: Mapping[date, str]) -> list[Left]:
    """The rarest first."""
    rest = left(known, season)
    return [Left(colour, letter(colour), day_name(colour), rest[colour], of) for colour, of in season.days.items()]


def unknown_before(season: Season, known: Mapping[date, str], today: date) -> int:
    """Days that passed and that nobody told: as many of what is left may be used up already."""
    return sum(season.first + timedelta(n) not in known for n in range((min(today, season.last) - season.first).days))


def _day(day: date, known: Mapping[date, str], today: date) -> Day:
    said = known.get(day, "")
    return Day(day, said, letter(said), day_name(said), day == today)


def _weeks(days: Sequence[Day]) -> tuple[tuple[Day | None, ...], ...]:
    cells: list[Day | None] = [None] * days[0].day.weekday()
    cells += days
    cells += [None] * (-len(cells) % _WEEK)
    return tuple(tuple(cells[n : n + _WEEK]) for n in range(0, len(cells), _WEEK))
