"""A household's past, as the database knows it, under every offer that the database knows."""

from __future__ import annotations

from calendar import isleap
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Max, Q

from storage.buckets import midnights, zone_of
from storage.models import Data, Meter, Rollup
from storage.tariffs import loading
from storage.tariffs.calendars import Facts, Piece, Plan, Slot
from storage.tariffs.comparison import Candidate, Comparison, Need, compare, needed
from storage.tariffs.costs import DRAWN, Day, Known
from storage.tariffs.models import Offer, OffPeakSlot, TariffPrice, TempoDay


def compare_offers(meter: Meter, first_day: date, last_day: date) -> Comparison:
    """Every offer that draws, over some days, both included."""
    where = zone_of(meter.timezone)
    start, end = (
        int(datetime.combine(day, time(), where).timestamp()) for day in (first_day, last_day + timedelta(days=1))
    )
    days = [
        Day(a, b, 366 if isleap(datetime.fromtimestamp(a, where).year) else 365)
        for a, b in pairwise(midnights(start, end, where))
    ]
    own = loading.known(meter.pk)
    offers = list(Offer.objects.exclude(option=Offer.Option.RESALE).order_by("name"))
    prices = Known({}, {}, loading.prices([offer.pk for offer in offers]))
    contract = own.agreement(DRAWN, end - 1)
    return compare(
        _candidates(offers),
        loading.hours(meter.pk, start, end, curve=True),
        days,
        Facts(where, own, _slots(meter.pk), _colours(first_day, last_day), lambda hour: _pieces(meter.pk, hour)),
        power=None if contract is None else contract.power,
        need=_need(meter.pk, start, end),
        prices=prices,
    )


def _candidates(offers: Sequence[Offer]) -> list[Candidate]:
    periods: dict[int, set[str]] = defaultdict(set)
    rows: Any = TariffPrice.objects.filter(kind=TariffPrice.Kind.ENERGY, taxed=True)
    for offer, period in rows.values_list("offer_id", "period").distinct():
        periods[offer].add(period)
    return [Candidate(o.name, Plan(o.pk, o.option, tuple(sorted(periods[o.pk])))) for o in offers]


def _slots(meter: int) -> list[Slot]:
    found = []
    for row in OffPeakSlot.objects.filter(meter=meter):
        begins, ends = (at.hour * 60 + at.minute for at in (row.begins, row.ends))
        until = None if row.end_date is None else int(row.end_date.timestamp())
        found.append(Slot(int(row.start_date.timestamp()), until, begins, ends, row.season))
    return found


def _colours(first: date, last: date) -> dict[date, str]:
    days = TempoDay.objects.filter(day__gte=first - timedelta(days=1), day__lte=last)
    return dict(days.values_list("day", "colour"))


def _pieces(meter: int, hour: int) -> list[Piece]:
    """The minutes of an hour, else its half hours of a file."""
    for step, origin in ((Rollup.Step.MINUTE, Rollup.Origin.METER), (Rollup.Step.HALF_HOUR, Rollup.Origin.ENEDIS)):
        rows = Rollup.objects.filter(meter=meter, step=step, origin=origin, east__isnull=False)
        rows = rows.filter(start__gte=loading.moment(hour), start__lt=loading.moment(hour + 3600)).order_by("start")
        if found := [Piece(int(row.start.timestamp()), int(step), row.east or 0) for row in rows]:
            return found
    return []


def _need(meter: int, start: int, end: int) -> Need:
    rows = Rollup.objects.filter(meter=meter, step=Rollup.Step.HOUR, origin=Rollup.Origin.METER)
    rows = rows.filter(start__gte=loading.moment(start), start__lt=loading.moment(end))
    peak = rows.aggregate(peak=Max("sinsts_max"))["peak"]
    newest = Data.objects.filter(meter=meter).order_by("-dateTime")[:100].values_list("pk", flat=True)
    phased = Q(sinsts2__isnull=False) | Q(irms2__isnull=False) | Q(urms2__isnull=False)
    return needed(peak, 3 if Data.objects.filter(phased, pk__in=list(newest)).exists() else 1)
