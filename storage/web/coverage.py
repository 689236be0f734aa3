"""A year of hearing a meter: as a strip, as a sentence, and month by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage import queries
from storage.models import Gap, Meter
from storage.queries import Covered, Silence, zone_of
from storage.web.shown import UNKNOWN, amount, length, moment, number

YEAR = timedelta(days=365)
_ENERGIES = 100  # silences of which the energy is asked: the newest


class Run(NamedTuple):
    """Days alike, side by side; `height` is how much of them was heard, in percent."""

    x: int
    width: int
    height: int
    known: bool

    @property
    def top(self) -> int:
        """Where it begins, from above."""
        return 100 - self.height


class Month(NamedTuple):
    """A row of the table."""

    name: str
    heard: str
    silent: str
    days: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The drawing, and what it says."""

    width: int
    runs: tuple[Run, ...]
    ticks: tuple[int, ...]  # where months begin
    begins: str
    ends: str
    sentence: str
    months: tuple[Month, ...]


def strip(meter: Meter, now: datetime) -> Strip | None:
    """The last year, from the first day that anything is known of; None: of no day yet."""
    today = now.astimezone(zone_of(meter.timezone)).date()
    days = list(queries.coverage(meter, today - YEAR, today, now))
    first = next((n for n, one in enumerate(days) if one.heard or one.known), None)
    if first is None:
        return None
    days = days[first:]
    return Strip(
        len(days), tuple(_runs(days)), tuple(n for n, one in enumerate(days) if one.day.day == 1),
        date_format(days[0].day, "j N Y"), date_format(days[-1].day, "j N Y"), _sentence(days), tuple(_months(days)),
    )  # fmt: skip


def _runs(days: Sequence[Covered]) -> Iterator[Run]:
    def look(one: Covered) -> tuple[int, bool]:
        share = 100 if one.is_whole else min(99, round(100 * one.share))  # a day that lacks something looks it
        return share, one.known

    at = 0
    for (height, known), group in groupby(days, key=look):
        width = len(list(group))
        yield Run(at, width, height, known)
        at += width


def _sentence(days: Sequence[Covered]) -> str:
    whole = sum(one.is_whole for one in days)
    silent = sum(not one.heard for one in days)
    text = gettext("Of {days} days, {whole} were heard from end to end, {partly} in part, {silent} not at all.").format(
        days=number(len(days)), whole=number(whole), partly=number(len(days) - whole - silent), silent=number(silent)
    )
    unknown = sum(not one.known for one in days)
    if unknown:
        return f"{text} " + gettext("Days of which no energy is known: {days}.").format(days=number(unknown))
    return f"{text} " + gettext("The energy of every day is known.")


def _months(days: Sequence[Covered]) -> Iterator[Month]:
    """The newest first."""
    for _, group in groupby(reversed(days), key=lambda one: (one.day.year, one.day.month)):
        own = list(group)
        seconds, heard = sum(one.seconds for one in own), sum(one.heard for one in own)
        share = 100 * heard / seconds
        silent = sum(one.seconds - one.heard for one in own if not one.is_whole)
        yield Month(
            date_format(own[0].day, "F Y"),
            amount(min(share, 99.9) if silent else 100, "%", 1 if silent else 0),
            length(silent) if silent else UNKNOWN,
            number(sum(not one.is_whole for one in own)),
        )


# --- silences ------------------------------------------------------------------------------------


class Quiet(NamedTuple):
    """A silence in words."""

    begins: str
    ends: str
    length: str
    reason: str
    energy: str
    how: str  # how that energy is known


def silences(meter: Meter, now: datetime) -> list[Quiet]:
    """Those of the last year, the newest first."""
    zone = zone_of(meter.timezone)
    found = queries.gaps(meter, now - YEAR, now)
    quiet = []
    for rank, one in enumerate(reversed(found)):
        until = one.ends or now
        energy, how = _energy(meter, one, now) if rank < _ENERGIES else (UNKNOWN, "")
        quiet.append(
            Quiet(
                moment(one.begins, zone),
                moment(one.ends, zone) if one.ends else gettext("it goes on"),
                length((until - one.begins).total_seconds()),
                _reason(one),
                energy,
                how,
            )
        )
    return quiet


def _reason(one: Silence) -> str:
    if one.reason is not None:
        return str(Gap.Reason(one.reason).label)
    if one.ends is None:
        return gettext("nothing arrives: look at the page Now")
    return gettext("the meter was not heard")


def _energy(meter: Meter, one: Silence, now: datetime) -> tuple[str, str]:
    """What was drawn meanwhile: the indexes before and after tell it, a file may."""
    if one.ends is None:
        return UNKNOWN, gettext("known once the meter is heard again")
    found = queries.totals(meter, one.begins, one.ends)
    if found.drawn is None:
        return UNKNOWN, gettext("not known")
    text = amount(found.drawn / 1000, "kWh", 2)
    seconds = (one.ends - one.begins).total_seconds()
    if found.known < seconds * 0.99:
        return text, gettext("known in part")
    return text, gettext("its sum is exact, by the indexes; its hours are estimated")
