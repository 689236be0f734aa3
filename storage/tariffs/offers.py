"""A household's past, as the database knows it, under every offer that the database knows."""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.db.models import Max, Q

from storage.buckets import midnights, zone_of
from storage.models import Data, Meter, Rollup
from storage.tariffs import loading, plans
from storage.tariffs.calendars import Facts
from storage.tariffs.comparison import Candidate, Comparison, Need, compare, needed
from storage.tariffs.costs import DRAWN, Day, Known
from storage.tariffs.models import Offer


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
    hours = plans.plans(offers)
    contract = own.agreement(DRAWN, end - 1)
    return compare(
        [Candidate(offer.name, hours[offer.pk]) for offer in offers],
        loading.hours(meter.pk, start, end, curve=True),
        days,
        Facts(where, own, plans.slots(meter.pk), lambda hour: plans.pieces(meter.pk, hour)),
        power=None if contract is None else contract.power,
        need=_need(meter.pk, start, end),
        prices=prices,
    )


def _need(meter: int, start: int, end: int) -> Need:
    rows = Rollup.objects.filter(meter=meter, step=Rollup.Step.HOUR, origin=Rollup.Origin.METER)
    rows = rows.filter(start__gte=loading.moment(start), start__lt=loading.moment(end))
    peak = rows.aggregate(peak=Max("sinsts_max"))["peak"]
    newest = Data.objects.filter(meter=meter).order_by("-dateTime")[:100].values_list("pk", flat=True)
    phased = Q(sinsts2__isnull=False) | Q(irms2__isnull=False) | Q(urms2__isnull=False)
    return needed(peak, 3 if Data.objects.filter(phased, pk__in=list(newest)).exists() else 1)
