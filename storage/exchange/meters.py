"""Whose data a file is: the meter that the owner names, or the only one there is."""

from __future__ import annotations

from bridge.tic.catalogue import Mode
from bridge.topics import is_level
from storage.exchange.errors import ExchangeError
from storage.models import Meter


def find_meter(meter_id: str | None, zone: str = "Europe/Paris") -> Meter:
    """The meter; one that is not known yet is not saved yet."""
    if meter_id is None:
        known = list(Meter.objects.order_by("pk")[:10])
        if len(known) == 1:
            return known[0]
        names = f" (one of {', '.join(meter.meter_id for meter in known)})" if known else ", its 12 digits"
        raise ExchangeError(f"which meter is it? Say --meter{names}")
    if not is_level(meter_id):
        raise ExchangeError(f"{meter_id!r} is no meter: expected its 12 digits, or the id of the configuration")
    return Meter.objects.filter(meter_id=meter_id).first() or Meter(
        meter_id=meter_id, mode=Mode.STANDARD.value, timezone=zone
    )
