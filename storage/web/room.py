"""What the database takes, what is kept how long, and what waits at the bridges; in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.utils.translation import gettext, ngettext

from bridge.config import KeepSettings, StorageSettings
from storage import budget
from storage.growth import Growth, growth
from storage.models import Data, Rollup
from storage.operations.fleet import Fleet
from storage.rows import ROWS
from storage.web.shown import UNKNOWN, number, size

_YEAR: Final = 365


class Fact(NamedTuple):
    """A name and a value."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RoomShown:
    """Figures, and the one sentence that matters."""

    facts: tuple[Fact, ...]
    sentence: str
    warning: str  # in English, as `budget` says it; empty: all is well


def room(storage: StorageSettings, now: datetime) -> RoomShown:
    """Size, rows, growth, disk."""
    taken = budget.measure(storage.budget)
    found = growth(storage.keep, taken.used, now)
    facts = [
        Fact(
            gettext("Database"),
            gettext("{used} of {budget} that it may take").format(used=size(taken.used), budget=size(taken.budget)),
        ),
        Fact(gettext("Readings"), gettext("about {n} rows").format(n=number(ROWS.of(Data)))),
        Fact(gettext("Roll-ups"), gettext("about {n} rows").format(n=number(ROWS.of(Rollup)))),
        Fact(gettext("Growth"), _growth(found)),
        Fact(
            gettext("Free on its disk"),
            gettext("on another machine") if taken.left is None else size(taken.left),
        ),
    ]
    left = max(0, taken.budget - taken.used)
    if taken.left is not None:
        left = min(left, taken.left)
    is_disk = taken.left is not None and taken.left <= taken.budget - taken.used
    return RoomShown(tuple(facts), _outlook(found, left, is_disk), taken.warning or "")


def _growth(found: Growth | None) -> str:
    if found is None:
        return gettext("it can be told after a day of readings")
    text = gettext("{day} a day now, {year} within a year")
    return text.format(day=size(found.bytes_after(1)), year=size(found.bytes_after(_YEAR)))


def _outlook(found: Growth | None, left: int, is_disk: bool) -> str:
    if found is None:
        return gettext("How long the room lasts can be told after a day of readings.")
    days = found.days_until(left)
    if days is None:
        return gettext("At this rate the room lasts for more than a hundred years.")
    if is_disk:
        return gettext("At this rate the disk is full in {time}.").format(time=_about(days))
    return gettext("At this rate the database reaches its budget in {time}.").format(time=_about(days))


def _about(days: int) -> str:
    years = round(days / _YEAR)
    if years >= 2:
        return gettext("about {n} years").format(n=number(years))
    return ngettext("about {n} day", "about {n} days", days).format(n=number(days))


def kept(keep: KeepSettings) -> list[Fact]:
    """What stays how long."""
    return [
        Fact(gettext("Single readings"), _age(keep.raw_age)),
        Fact(gettext("Minutes"), _age(keep.minute_age)),
        Fact(gettext("Hours, days, and the readings that energy is made of"), gettext("for ever")),
    ]


def _age(age: timedelta | None) -> str:
    if age is None:
        return gettext("for ever")
    years = round(age.days / _YEAR)
    if age.days >= _YEAR and age.days in (years * _YEAR, years * 365 + years // 4, years * 366):
        return ngettext("{n} year", "{n} years", years).format(n=years)
    return ngettext("{n} day", "{n} days", age.days).format(n=number(age.days))


class Spool(NamedTuple):
    """What a bridge holds for the store."""

    bridge: str
    online: str
    waiting: str
    lost: str
    trouble: str  # in English, as the bridge says it


def spools(fleet: Fleet | None) -> list[Spool]:
    """Of each bridge that was heard."""
    words = {True: gettext("online"), False: gettext("offline"), None: UNKNOWN}
    return [
        Spool(
            name,
            words[one.online],
            number(one.info.spool.depth) if one.info else UNKNOWN,
            number(one.info.spool.dropped) if one.info else UNKNOWN,
            one.info.spool.trouble if one.info else "",
        )
        for name, one in sorted((fleet.bridges() if fleet else {}).items())
    ]


def dump_line() -> str:
    """How PostgreSQL is backed up; empty where the database is no PostgreSQL."""
    if connection.vendor != "postgresql":
        return ""
    from storage.exchange.backup import dump_command  # noqa: PLC0415  it loads all migrations' modules

    return dump_command()
