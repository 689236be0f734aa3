"""Which meters there are, and what each said last."""

from __future__ import annotations

from datetime import date

from django.db.models import Max, Min, QuerySet

from storage.buckets import zone_of
from storage.models import Data, Meter, Rollup


def meters() -> QuerySet[Meter]:
    """Every meter, by name."""
    return Meter.objects.order_by("name", "meter_id")


def span(meter: Meter) -> tuple[date, date] | None:
    """The first and the last local day of which anything is known; None: none is."""
    zone = zone_of(meter.timezone)
    rows = Rollup.objects.filter(meter=meter, step=Rollup.Step.DAY)
    found = rows.aggregate(first=Min("start"), last=Max("start"))
    newest = latest(meter)
    if found["first"] is None:
        return None if newest is None else (newest.dateTime.astimezone(zone).date(),) * 2
    last = found["last"] if newest is None else max(found["last"], newest.dateTime)
    return found["first"].astimezone(zone).date(), last.astimezone(zone).date()


def latest(meter: Meter) -> Data | None:
    """The newest reading."""
    return Data.objects.filter(meter=meter).order_by("-dateTime").first()
