"""Which meters there are, and what each said last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Max, Min, Q, QuerySet

from storage.buckets import zone_of
from storage.models import Data, DeadLetter, Import, Meter, Rollup

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class SetAside:
    """Messages of a meter that could not become readings: how many are kept, and the newest of them with the reason."""

    count: int
    newest: tuple[tuple[datetime, str], ...]


def meters() -> QuerySet[Meter]:
    """Every meter, in the owner's order, else by name."""
    return Meter.objects.order_by("position", "name", "meter_id")


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
    return next(iter(newest(meter, 1)), None)


def newest(meter: Meter, count: int) -> list[Data]:
    """The newest readings, newest first."""
    return list(Data.objects.filter(meter=meter).order_by("-dateTime")[:count])


def set_aside(meter: Meter) -> SetAside:
    """Those whose numbers are known, and those that came on the meter's topic and could not be read at all."""
    rows = DeadLetter.objects.filter(Q(epoch__meter=meter) | Q(topic__endswith=f"/{meter.meter_id}/reading"))
    return SetAside(rows.count(), tuple(rows.order_by("-pk").values_list("received", "reason")[:_SHOWN]))


def imports(meter: Meter) -> QuerySet[Import]:
    """The files that were taken in, the newest first."""
    return Import.objects.filter(meter=meter).order_by("-made", "-pk")
