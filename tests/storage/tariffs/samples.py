"""Offers, contracts and energies for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storage.models import Meter, Rollup
from storage.tariffs.models import CalendarRule, Contract, Offer, Period, TariffPrice

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def without_shipped() -> None:
    """Prices that ticbridge ships are in every new database; a test of one's own prices begins without them."""
    for model in (CalendarRule, TariffPrice, Period, Offer):
        rows: Any = model._default_manager
        rows.all()._raw_delete(rows.db)  # hundreds of rows of which no history is wanted


def new_meter(zone: str = "Europe/Paris") -> Meter:
    return Meter.objects.create(meter_id="021761234567", mode="standard", timezone=zone)


def new_offer(option: str, energy: dict[str, str], subscription: dict[int, str], code: str = "", **when: Any) -> Offer:
    """Prices in EUR, subscriptions in EUR a year by kVA."""
    offer, _ = Offer.objects.get_or_create(code=code or option, defaults={"name": code or option, "option": option})
    when.setdefault("start_date", LONG_AGO)
    TariffPrice.objects.bulk_create(
        [
            *(
                TariffPrice(offer=offer, period=period, amount=Decimal(price), **when)
                for period, price in energy.items()
            ),
            *(
                TariffPrice(offer=offer, kind="subscription", power=power, amount=Decimal(price), **when)
                for power, price in subscription.items()
            ),
        ]
    )
    return offer


def sign(meter: Meter, offer: Offer, start: datetime = LONG_AGO, power: int | None = 6, **more: Any) -> Contract:
    """A contract."""
    contract: Contract = Contract.objects.create(meter=meter, offer=offer, power=power, start_date=start, **more)
    return contract


def hour(meter: Meter, start: datetime, **columns: Any) -> Rollup:
    """A row of the meter's, unless `origin` says otherwise."""
    columns.setdefault("readings", 3600)
    return Rollup(meter=meter, step=Rollup.Step.HOUR, start=start, **columns)
