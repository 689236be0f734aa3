"""The hours of a day: as a strip of 24 hours, and in words and times beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage.tariffs.calendars import COLOURS, Stretch
from storage.tariffs.in_force import InForce
from storage.web.shown import clock

_LENGTH: Final = 1000  # of a strip
_LOW: Final = ("hc", "hn")  # what is cheap lies lower: colour alone tells nothing


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a strip."""

    x: float
    width: float
    kind: str  # base, peak, off-peak, other; unknown
    colour: str  # of a Tempo day
    is_low: bool
    since: str
    until: str
    name: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """A day. `now`: where it stands on the strip, if it is this day."""

    title: str
    parts: tuple[Part, ...]
    now: float | None


def strip(held: InForce, day: date, title: str, names: Mapping[str, str]) -> Strip:
    """Of a day on the meter's clock."""
    stretches = held.day(day)
    if not stretches:
        return Strip(title, (), None)
    begins, ends, moment = stretches[0].start, stretches[-1].end, int(held.at.timestamp())

    def place(at: int) -> float:
        return round(_LENGTH * (at - begins) / (ends - begins), 1)

    parts = tuple(_part(one, place, held, names, moment, ends) for one in stretches)
    title = f"{title}, {date_format(day, 'l j F')}"
    return Strip(title, parts, place(moment) if begins <= moment < ends else None)


def period_name(period: str, names: Mapping[str, str]) -> str:
    """What the offer calls it; where there is no contract, what everybody does."""
    return names.get(period) or str(_common().get(period, period))


def _part(
    stretch: Stretch, place: Callable[[int], float], held: InForce, names: Mapping[str, str], moment: int, ends: int
) -> Part:
    x = place(stretch.start)
    kinds = {_kind(period) for period in stretch.periods}
    colours = {period.partition("_")[0] for period in stretch.periods}
    known = len(stretch.periods) == 1
    colour = colours.pop() if known and colours <= set(COLOURS) else ""
    return Part(
        x=x,
        width=round(place(stretch.end) - x, 1),
        kind=kinds.pop() if len(kinds) == 1 else "unknown",
        colour=colour if known else "unknown" if colours <= set(COLOURS) and stretch.periods else "",
        is_low=all(period.rpartition("_")[2] in _LOW for period in stretch.periods) and bool(stretch.periods),
        since=_clock(stretch.start, held),
        until="24:00" if stretch.end == ends else _clock(stretch.end, held),
        name=_names(stretch.periods, names),
        is_now=stretch.start <= moment < stretch.end,
    )


def _names(periods: Sequence[str], names: Mapping[str, str]) -> str:
    if not periods:
        return gettext("no rule of this offer tells these hours")
    if len(periods) == 1:
        return period_name(periods[0], names)
    hours = {period.rpartition("_")[2] for period in periods}
    if len(hours) == 1 and len(periods) > 1 and "_" in periods[0]:
        return gettext("{hours}, colour not known yet").format(hours=period_name(hours.pop(), {}))
    return gettext("not known which: {names}").format(names=", ".join(period_name(one, names) for one in periods))


def _kind(period: str) -> str:
    hours = period.rpartition("_")[2]
    return {"base": "base", "hp": "peak", "pm": "peak", "hc": "off-peak", "hn": "off-peak"}.get(hours, "other")


def _clock(at: int, held: InForce) -> str:
    return clock(datetime.fromtimestamp(at, UTC), held.facts.zone)


def _common() -> Mapping[str, str]:
    return {
        "base": gettext("All hours"),
        "hc": gettext("Off-peak hours"),
        "hp": gettext("Peak hours"),
        "hn": gettext("Normal hours"),
        "pm": gettext("Mobile peak"),
        "bleu_hc": gettext("Off-peak hours, blue day"),
        "blanc_hc": gettext("Off-peak hours, white day"),
        "rouge_hc": gettext("Off-peak hours, red day"),
        "bleu_hp": gettext("Peak hours, blue day"),
        "blanc_hp": gettext("Peak hours, white day"),
        "rouge_hp": gettext("Peak hours, red day"),
    }
