"""Which meters there are, and what each said last."""

from __future__ import annotations

from django.db.models import QuerySet

from storage.models import Data, Import, Meter


def meters() -> QuerySet[Meter]:
    """Every meter, in the owner's order, else by name."""
    return Meter.objects.order_by("position", "name", "meter_id")


def latest(meter: Meter) -> Data | None:
    """The newest reading."""
    return Data.objects.filter(meter=meter).order_by("-dateTime").first()


def imports(meter: Meter) -> QuerySet[Import]:
    """The files that were taken in, the newest first."""
    return Import.objects.filter(meter=meter).order_by("-made", "-pk")
