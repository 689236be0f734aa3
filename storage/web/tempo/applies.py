"""What a contract means for the hours of a meter, in sentences and lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from storage.tariffs.grids import PARIS
from storage.tariffs.in_force import InForce
from storage.tariffs.models import CalendarRule, OffPeakSlot
from storage.tariffs.observing import USER
from storage.web.tempo.hours import period_name


def applies(held: InForce) -> list[str]:
    """A few sentences."""
    return [_contract(held), *filter(None, [_option(held)])]


def _contract(held: InForce) -> str:
    if held.contract is None:
        if not held.option:
            return gettext("No contract is entered for this meter, so no price is known.")
        return gettext("No contract is entered: what is shown is what the indexes of this meter count.")
    offer, power = held.contract.offer, held.contract.power
    name = f"{offer.name} ({offer.supplier})" if offer.supplier else offer.name
    since = _day(held.contract.start_date)
    if power is None:
        return gettext("{offer}, since {day}.").format(offer=name, day=since)
    return gettext("{offer}, {power} kVA, since {day}.").format(offer=name, power=power, day=since)


def _option(held: InForce) -> str:
    texts = {
        "base": gettext("Base: every hour of every day costs the same, so there is no calendar to watch."),
        "hphc": gettext("Peak and off-peak hours: a kWh is cheaper in the off-peak slots of this meter."),
        "tempo": gettext("Tempo: each day has a colour, from 06:00 to 06:00; from 22:00 to 06:00 a kWh is cheaper."),
        "ejp": gettext("EJP: on 22 days from November to March a kWh is dear, from 07:00 to 01:00."),
        "other": gettext("This offer has hours of its own; the first rule that fits decides."),
    }
    return texts.get(held.option, "")


class SlotLine(NamedTuple):
    """An off-peak slot."""

    hours: str
    season: str
    since: str
    until: str


def slot_lines(slots: Iterable[OffPeakSlot]) -> list[SlotLine]:
    """Those that hold and those that come."""
    return [
        SlotLine(
            f"{slot.begins:%H:%M}–{slot.ends:%H:%M}",
            slot.get_season_display(),
            _day(slot.start_date),
            _day(slot.end_date) if slot.end_date is not None else gettext("no end known"),
        )
        for slot in slots
    ]


def rule_lines(rules: Sequence[CalendarRule], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Period and when it counts."""
    return [(period_name(rule.period, names), _when(rule)) for rule in rules]


def _when(rule: CalendarRule) -> str:
    hours = rule.get_hours_display()
    if rule.begins is not None and rule.ends is not None:
        hours = f"{rule.begins:%H:%M}–{rule.ends:%H:%M}"
    parts = [rule.get_days_display(), hours]
    if rule.season != CalendarRule.Season.ALL:
        parts.append(rule.get_season_display())
    return ", ".join(parts)


def source_name(source: str) -> str:
    """Who told a colour."""
    if source == USER:
        return gettext("entered by the owner")
    meter = source.removeprefix("meter ")
    return source if meter == source else gettext("meter {number}: the index that ran").format(number=meter)


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at, PARIS), "DATE_FORMAT")
