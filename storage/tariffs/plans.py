"""The hours of offers, as the database knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, time
from typing import Any

from storage.models import Rollup
from storage.tariffs import loading
from storage.tariffs.calendars import EVENT, NORMAL, RULES, Piece, Plan, Rule, Slot
from storage.tariffs.models import CalendarRule, EventDay, Offer, OffPeakSlot, TariffPrice, TempoDay
from storage.tariffs.seasons import EJP_DAYS, completed


def plans(offers: Iterable[Offer]) -> dict[int, Plan]:
    """By the number of the offer."""
    offers = list(offers)
    periods: dict[int, set[str]] = defaultdict(set)
    rows: Any = TariffPrice.objects.filter(offer__in=offers, kind=TariffPrice.Kind.ENERGY, taxed=True)
    for offer, period in rows.values_list("offer_id", "period").distinct():
        periods[offer].add(period)
    own: dict[int, list[Rule]] = defaultdict(list)
    for rule in CalendarRule.objects.filter(offer__in=offers).order_by("offer", "rank"):
        own[rule.offer_id].append(_rule(rule))
    return {
        offer.pk: Plan(
            offer.pk,
            offer.option,
            tuple(sorted(periods[offer.pk])),
            RULES.get(offer.option) or tuple(own[offer.pk]),
            declared(offer),
        )
        for offer in offers
    }


def own_plans(meter: int) -> dict[int, Plan]:
    """Of those offers of a meter's contracts that have rules of their own."""
    offers = Offer.objects.filter(contract__meter=meter, option=Offer.Option.OTHER, rules__isnull=False).distinct()
    return plans(offers)


def declared(offer: Offer) -> dict[date, str]:
    """Colours, or which days are event days; the peaks of EJP are the same under every offer."""
    if offer.option == Offer.Option.TEMPO:
        return dict(TempoDay.objects.values_list("day", "colour"))
    is_ejp = offer.option == Offer.Option.EJP
    days = EventDay.objects.filter(offer__option=Offer.Option.EJP) if is_ejp else EventDay.objects.filter(offer=offer)
    rows = sorted(days.values_list("day", "is_event", "source"), key=lambda row: row[2] == "user")  # the owner's last
    known = completed({day: is_event for day, is_event, _ in rows}, EJP_DAYS if is_ejp else offer.events)
    return {day: EVENT if is_event else NORMAL for day, is_event in known.items()}


def slots(meter: int) -> list[Slot]:
    """The off-peak slots of a meter, past ones too."""
    found = []
    for row in OffPeakSlot.objects.filter(meter=meter):
        until = None if row.end_date is None else int(row.end_date.timestamp())
        found.append(Slot(int(row.start_date.timestamp()), until, _minute(row.begins), _minute(row.ends), row.season))
    return found


def pieces(meter: int, hour: int) -> list[Piece]:
    """The minutes of an hour, else its half hours of a file."""
    for step, origin in ((Rollup.Step.MINUTE, Rollup.Origin.METER), (Rollup.Step.HALF_HOUR, Rollup.Origin.ENEDIS)):
        rows = Rollup.objects.filter(meter=meter, step=step, origin=origin, east__isnull=False)
        rows = rows.filter(start__gte=loading.moment(hour), start__lt=loading.moment(hour + 3600)).order_by("start")
        if found := [Piece(int(row.start.timestamp()), int(step), row.east or 0) for row in rows]:
            return found
    return []


def _rule(row: CalendarRule) -> Rule:
    begins, ends = (None if at is None else _minute(at) for at in (row.begins, row.ends))
    return Rule(row.period, row.days, begins, ends, row.hours == CalendarRule.Hours.OFF_PEAK, row.season)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
