"""Contract, prices, off-peak hours and meanings of indexes of a meter, without the administration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storage.api.access import may
from storage.entities.acting import acting
from storage.models import Meter
from storage.rights import may_write
from storage.tariffs.age import age_of
from storage.tariffs.models import Contract, IndexPeriod, Offer, OffPeakSlot, TariffPrice
from storage.web.contracts import ContractForm, MeaningForm, OfferForm, PricesForm, SlotForm
from storage.web.frame import look, no_meter

_M = TypeVar("_M", bound=models.Model)
_PAST: Final = 20  # changes that are shown


def _must(request: HttpRequest, verb: str, *kinds: type[models.Model]) -> None:
    if not all(may(request.user, verb, kind) and (verb == "view" or may_write(request, verb, kind)) for kind in kinds):
        raise PermissionDenied


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def contract(request: HttpRequest) -> HttpResponse:
    """All of it for one meter; a POST names with `what` which form it is."""
    _must(request, "view", Contract)
    chosen = look(request).chosen
    meter = chosen.row if chosen else None
    if meter is None:
        if look(request).wanted is not None:
            return no_meter(request)
        return render(request, "storage/costs_empty.html", {"why": "energy"})
    wrong: dict[str, Any] = {}
    if request.method == "POST":
        act = _ACTS.get(request.POST.get("what", ""))
        if act is None:
            raise Http404
        with acting(request.user, None):
            answer = act(request, meter)
        if isinstance(answer, HttpResponse):
            return answer
        if not answer:
            return redirect(_here(meter))
        wrong = dict(answer)
    return render(request, "storage/contract.html", _context(request, meter, wrong), status=400 if wrong else 200)


def _here(meter: Meter) -> str:
    return f"{reverse('contract')}?meter={meter.meter_id}"


def _context(request: HttpRequest, meter: Meter, wrong: Mapping[str, Any]) -> dict[str, Any]:
    own = Contract.objects.filter(meter=meter).select_related("offer")
    now = own.filter(direction="drawn").select_valid().first()
    meanings = [MeaningForm(version=row) for row in IndexPeriod.objects.filter(meter=meter).select_related("meter")
                .select_valid().order_by("index")]  # fmt: skip
    return {
        "meter": meter,
        "contracts": own.order_by("direction", "-start_date"),
        "now": now,
        "offers": [(offer, age_of(offer)) for offer in Offer.objects.filter(contract__meter=meter).distinct()],
        "slots": OffPeakSlot.objects.filter(meter=meter).order_by("begins", "-start_date"),
        "meanings": meanings,
        "past": _past(meter),
        "may": {
            "contract": may(request.user, "add", Contract) and may(request.user, "change", Contract),
            "offer": may_write(request, "add", Offer),
            "slot": may(request.user, "add", OffPeakSlot) and may(request.user, "change", OffPeakSlot),
            "meaning": may(request.user, "change", IndexPeriod),
        },
        "contract_form": wrong.get("contract")
        or ContractForm(initial={"offer": now and now.offer_id, "power": now.power if now else meter.power}),
        "offer_form": wrong.get("offer") or OfferForm(),
        "slot_form": wrong.get("slot") or SlotForm(),
    }


def _past(meter: Meter) -> list[tuple[Any, str, str]]:
    """When, who, and what was written of this meter's contracts, slots and meanings; the newest first."""
    found = []
    for kind in (Contract, OffPeakSlot, IndexPeriod):
        history: Any = kind.history  # simple_history adds it
        for row in history.filter(meter_id=meter.pk).select_related("history_user").order_by("-history_date")[:_PAST]:
            done = {"+": _("entered"), "~": _("changed"), "-": _("deleted")}[row.history_type]
            who = str(row.history_user) if row.history_user else "ticbridge"
            name = f"{kind._meta.verbose_name}: {_said(row)}"
            found.append((row.history_date, who, f"{name} ({done})"))
    return sorted(found, key=lambda item: item[0], reverse=True)[:_PAST]


def _said(row: Any) -> str:  # a record of history
    offer = getattr(row, "offer_id", None)
    if offer is None:
        return (
            f"{row.begins:%H:%M}–{row.ends:%H:%M}"
            if hasattr(row, "begins")
            else f"{row.index} {row.label} {row.period}"
        )
    name = Offer.objects.filter(pk=offer).values_list("name", flat=True).first() or "?"
    return f"{name}{f', {row.power} kVA' if row.power else ''}"


_Wrong = Mapping[str, Any] | HttpResponse | None


def _saved(form: Any, save: Callable[[], Any]) -> Any:  # None: the form says why not
    """What `save` gives; what the models refuse stands in the form."""
    if not form.is_valid():
        return None
    try:
        return save()
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return None


def _contract(request: HttpRequest, meter: Meter) -> _Wrong:
    form = ContractForm(request.POST)

    def text(made: Contract) -> str:
        pattern = _("%(offer)s holds from %(day)s on; its costs follow within a minute.")
        return pattern % {"offer": made.offer, "day": f"{form.cleaned_data['since']:%d/%m/%Y}"}

    return _version(request, Contract, {"contract": form}, lambda: form.save(meter), text)


def _version(
    request: HttpRequest, kind: type[_M], wrong: Mapping[str, Any], save: Callable[[], _M], text: Callable[[_M], str]
) -> _Wrong:
    """Write the next version of something, and say so; `wrong` is its form."""
    _must(request, "add", kind)
    _must(request, "change", kind)
    [form] = wrong.values()
    made: _M | None = _saved(form, save)
    if made is None:
        return wrong
    messages.success(request, text(made))
    return None


def _offer(request: HttpRequest, _meter: Meter) -> _Wrong:
    _must(request, "add", Offer)
    form = OfferForm(request.POST)
    made = _saved(form, form.save)
    if made is None:
        return {"offer": form}
    messages.success(request, _("%s is there; now its prices.") % made)
    return redirect("prices", pk=made.pk)


def _slot(request: HttpRequest, meter: Meter) -> _Wrong:
    form = SlotForm(request.POST)

    def text(made: OffPeakSlot) -> str:
        pattern = _("Off-peak from %(begins)s to %(ends)s is written down.")
        return pattern % {"begins": f"{made.begins:%H:%M}", "ends": f"{made.ends:%H:%M}"}

    return _version(request, OffPeakSlot, {"slot": form}, lambda: form.save(meter), text)


def _end(request: HttpRequest, meter: Meter) -> _Wrong:
    """A slot or contract ends now; what has not begun yet goes."""
    kind = {"slot": OffPeakSlot, "contract": Contract}.get(request.POST.get("kind", ""))
    if kind is None:
        raise Http404
    _must(request, "delete", kind)
    key = request.POST.get("pk", "")
    row = get_object_or_404(kind, pk=key if key.isdigit() else 0, meter=meter)
    name = str(row)
    row.delete(force="wrong" in request.POST)
    messages.success(request, (_("%s never was.") if "wrong" in request.POST else _("%s ends today.")) % name)
    return None


def _meaning(request: HttpRequest, meter: Meter) -> _Wrong:
    _must(request, "change", IndexPeriod)
    key = request.POST.get("pk", "")
    version = get_object_or_404(IndexPeriod, pk=key if key.isdigit() else 0, meter=meter)
    form = MeaningForm(request.POST, version=version)
    if form.is_valid():
        form.save()
        messages.success(request, _("Index %s is confirmed, for the past too.") % version.index)
    else:
        messages.error(request, _("Choose a price period of the list."))
    return None


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Meter], _Wrong]]] = {
    "contract": _contract, "offer": _offer, "slot": _slot, "end": _end, "meaning": _meaning,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def prices(request: HttpRequest, pk: int) -> HttpResponse:
    """The prices of an offer, from a day on."""
    _must(request, "view", TariffPrice)
    offer = get_object_or_404(Offer, pk=pk)
    chosen = look(request).chosen
    meter = chosen.row if chosen else None
    held = Contract.objects.filter(offer=offer, meter=meter).select_valid().first() if meter else None
    power = held.power if held else meter.power if meter else None
    form = PricesForm(request.POST or None, offer=offer, power=power)
    if request.method == "POST":
        _must(request, "add", TariffPrice)
        _must(request, "change", TariffPrice)
        with acting(request.user, None):
            written = _saved(form, form.save)
        if written is not None:
            if written:
                messages.success(request, _("New prices: %s. The costs follow within a minute.") % ", ".join(written))
            else:
                messages.info(request, _("No price is another one, so nothing was written."))
            return redirect("prices", pk=pk)
    rows = TariffPrice.objects.filter(offer=offer, taxed=True).order_by("-start_date", "kind", "period", "power")
    context = {
        "offer": offer, "form": form, "age": age_of(offer), "power": power,
        "may_write": may_write(request, "add", TariffPrice) and may_write(request, "change", TariffPrice),
        "rows": rows.filter(power__in=(0, power or 0))[:60],
    }  # fmt: skip
    return render(request, "storage/prices.html", context, status=400 if form.errors else 200)
