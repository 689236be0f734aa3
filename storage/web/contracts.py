"""Forms for contract, prices, off-peak hours and meanings of indexes; the models decide what holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from storage.models import Meter
from storage.tariffs.changing import begin
from storage.tariffs.comparison import POWERS
from storage.tariffs.grids import PARIS
from storage.tariffs.models import Contract, IndexPeriod, Offer, OffPeakSlot, Origin, Period, TariffPrice
from storage.tariffs.naming import period_names
from storage.tariffs.shipped import midnight

_OWN_OPTIONS: Final = (Offer.Option.BASE, Offer.Option.HPHC, Offer.Option.TEMPO, Offer.Option.EJP, Offer.Option.RESALE)


def _today() -> date:
    return timezone.now().astimezone(PARIS).date()


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class _Clock(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


def _from(label: Any) -> forms.DateField:  # a lazy text
    return forms.DateField(label=label, widget=_Day(), initial=_today)


class ContractForm(forms.Form):
    """A contract from a day on."""

    offer = forms.ModelChoiceField(Offer.objects.order_by("name"), label=_("offer"))
    power = forms.TypedChoiceField(
        label=_("subscribed power (kVA)"), required=False, empty_value=None, coerce=int,
        choices=[("", "–"), *((kva, f"{kva} kVA") for kva in POWERS)],
    )  # fmt: skip
    since = _from(_("valid from"))

    def save(self, meter: Meter) -> Contract:
        """It holds from that day on; ValidationError where it may not."""
        told = self.cleaned_data
        resale = told["offer"].option == Offer.Option.RESALE
        series = {"meter": meter, "direction": "injected" if resale else "drawn"}
        content = {"offer": told["offer"], "power": told["power"]}
        contract: Contract = begin(Contract, midnight(told["since"]), series, content)
        return contract


class OfferForm(forms.Form):
    """An offer of one's own."""

    name = forms.CharField(label=_("name"), max_length=80)
    supplier = forms.CharField(label=_("supplier"), max_length=64, required=False)
    option = forms.ChoiceField(label=_("option"), choices=[(o.value, o.label) for o in _OWN_OPTIONS])

    @transaction.atomic
    def save(self) -> Offer:
        """With the periods of its option, named as in the offers that are shipped."""
        told = self.cleaned_data
        offer = Offer(code=_free_code(told["name"]), origin=Origin.USER, **told)
        offer.full_clean()
        offer.save()
        model = Offer.objects.filter(option=offer.option, origin=Origin.SHIPPED).first()
        for period in Period.objects.filter(offer=model) if model else ():
            Period.objects.create(
                offer=offer, code=period.code, name_fr=period.name_fr, name_en=period.name_en, rank=period.rank
            )
        return offer


def _free_code(name: str) -> str:
    code = slugify(name)[:40] or "offer"
    taken = set(Offer.objects.filter(code__startswith=code).values_list("code", flat=True))
    return next(found for n in range(1, 10_000) if (found := code if n == 1 else f"{code}-{n}") not in taken)


@dataclass(frozen=True, slots=True)
class Held:
    """A price that is asked for, and what it is today."""

    field: str
    kind: str
    period: str
    power: int
    name: str
    amount: Decimal | None


def held_prices(offer: Offer, power: int | None) -> Iterator[Held]:
    """The prices that a contract of this power pays, in order."""
    names = period_names()
    codes = [offer.only] if offer.only else list(offer.periods.order_by("rank").values_list("code", flat=True))
    rows: Any = TariffPrice.objects.filter(offer=offer, taxed=True)
    rows = list(rows.select_valid())
    wanted = [("energy", code, names.get(code, code)) for code in codes]
    if offer.option != Offer.Option.RESALE:
        wanted.append(("subscription", "", names[""]))
    for kind, code, name in wanted:
        found = {row.power: row for row in rows if (row.kind, row.period) == (kind, code)}
        row = found.get(power or 0) or found.get(0)
        used = row.power if row else (power or 0) if kind == "subscription" else 0
        yield Held(f"{kind}_{code}", kind, code, used, name, row.amount if row else None)


class PricesForm(forms.Form):
    """All prices of an offer at once, from a day on: those that are another one are written."""

    since = _from(_("these prices hold from"))

    def __init__(self, *args: Any, offer: Offer, power: int | None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.offer = offer
        self.held = list(held_prices(offer, power))
        for price in self.held:
            unit = _("EUR per year") if price.kind == "subscription" else _("EUR per kWh")
            self.fields[price.field] = forms.DecimalField(
                label=f"{price.name} ({unit})", required=False, max_digits=12, decimal_places=6, min_value=Decimal(0),
                initial=None if price.amount is None else price.amount.normalize().__format__("f"), localize=True,
            )  # fmt: skip

    @transaction.atomic
    def save(self) -> list[str]:
        """The names of those that were written. What is left empty stays as it was."""
        told, written = self.cleaned_data, []
        for price in self.held:
            amount = told[price.field]
            if amount is not None and amount != price.amount:
                series = {
                    "offer": self.offer, "kind": price.kind, "period": price.period, "power": price.power,
                    "taxed": True,
                }  # fmt: skip
                content = {"amount": amount, "origin": Origin.USER, "source": "", "confidence": "", "checked_on": None}
                begin(TariffPrice, midnight(told["since"]), series, content)
                written.append(price.name)
        return written


class SlotForm(forms.Form):
    """Hours that are off-peak."""

    begins = forms.TimeField(label=_("begins"), widget=_Clock())
    ends = forms.TimeField(label=_("ends"), widget=_Clock())
    season = forms.ChoiceField(label=_("season"), choices=OffPeakSlot.Season.choices)
    since = _from(_("valid from"))

    def save(self, meter: Meter) -> OffPeakSlot:
        """From that day on; another end at the same begin ends the one that was."""
        told = self.cleaned_data
        series = {"meter": meter, "season": told["season"], "begins": told["begins"]}
        slot: OffPeakSlot = begin(OffPeakSlot, midnight(told["since"]), series, {"ends": told["ends"]})
        return slot


class MeaningForm(forms.Form):
    """What an index counts, confirmed."""

    period = forms.ChoiceField(label=_("price period"))

    def __init__(self, data: Any = None, *, version: IndexPeriod) -> None:  # of a POST
        super().__init__(data, prefix=f"index-{version.pk}")
        self.version = version
        names = dict(period_names(version.meter))
        for own in ("", "?", "injected"):
            names.pop(own, None)
        self.fields["period"].choices = sorted(names.items(), key=lambda item: item[1])  # type: ignore[attr-defined]
        self.fields["period"].initial = version.period

    def save(self) -> None:
        """It was so all along: the past follows."""
        self.version.period = self.cleaned_data["period"]
        self.version.is_confirmed = self.version.is_corrected = True
        self.version.full_clean()
        self.version.save()
