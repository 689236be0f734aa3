"""What a simulated household pays by, so that its pages show EUR: offers that are shipped, and one resale."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Final

from bridge.simulated.meter import Contract as Simulated
from bridge.simulated.meter import Plan
from bridge.tic.catalogue import Mode
from storage.models import Meter
from storage.tariffs.models import Contract, Offer, OffPeakSlot, TariffPrice

_OFFERS: Final = {
    Simulated.BASE: "tarif-bleu-base",
    Simulated.PRODUCER: "tarif-bleu-base",
    Simulated.HCHP: "tarif-bleu-hphc",
    Simulated.TEMPO: "tarif-bleu-tempo",
    Simulated.EJP: "tarif-bleu-ejp",
}
_RESALE: Final = "demo-resale"
_RESALE_PRICE: Final = Decimal("0.04")  # EUR per kWh of surplus; each real contract has its own


def sign(plan: Plan, begins: datetime) -> None:
    """Contracts from `begins` on, and the off-peak slot of every simulated household; a meter that has any is left."""
    meter = Meter.objects.get(meter_id=plan.meter_id)
    offer = Offer.objects.filter(code=_OFFERS[plan.contract]).first()
    if offer is None or Contract.objects.filter(meter=meter).exists():
        return
    Contract.objects.create(meter=meter, offer=offer, power=plan.kva, start_date=begins)
    OffPeakSlot.objects.create(meter=meter, begins=time(22), ends=time(6), start_date=begins)
    if plan.injects and plan.mode is Mode.STANDARD:  # else the meter does not say what is injected
        Contract.objects.create(
            meter=meter, offer=_resale(begins), direction=Contract.Direction.INJECTED, start_date=begins
        )


def _resale(begins: datetime) -> Offer:
    offer, is_new = Offer.objects.get_or_create(
        code=_RESALE, defaults={"name": "Revente du surplus (démo)", "option": Offer.Option.RESALE}
    )
    if is_new:
        TariffPrice.objects.create(
            offer=offer, period=offer.only, amount=_RESALE_PRICE, start_date=begins, source="made up for the demo"
        )
    return offer
