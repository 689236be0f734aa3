"""The first visit: three short steps that find by themselves what they can, and can be left at each."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storage.api.access import may
from storage.entities.acting import acting
from storage.entities.models import UserMetadata
from storage.models import Meter
from storage.operations.fleet import FLEET, Bridge, Fleet
from storage.queries import zone_of
from storage.rights import may_write
from storage.tariffs import loading
from storage.tariffs.age import age_of
from storage.tariffs.changing import begin
from storage.tariffs.guessing import fitting, guess_option, observed_slots
from storage.tariffs.models import Contract, OffPeakSlot
from storage.tariffs.shipped import midnight
from storage.web.contracts import ContractForm, held_prices
from storage.web.frame import look, no_meter
from storage.web.shown import moment
from storage.web.stream import hub_of

if TYPE_CHECKING:  # generic to the type checker only
    _ModelForm = forms.ModelForm[Meter]
else:
    _ModelForm = forms.ModelForm

_SEEN: Final = "welcome_seen"  # in the user's metadata: it never comes back unasked
_LAST: Final = 3


def after_login(user: AbstractBaseUser | AnonymousUser) -> str:
    """Where a login leads: to the guided start, once, while there are readings and no contract; else to Now."""
    if may(user, "add", Contract) and Meter.objects.exists() and not Contract.objects.exists():
        seen = UserMetadata.of(user)
        if not seen.get(_SEEN):
            seen.set(**{_SEEN: True})
            return "welcome"
    return "now"


class NameForm(_ModelForm):
    """What the household calls its meter."""

    class Meta:
        model = Meter
        fields = ("name",)
        labels: ClassVar = {"name": gettext_lazy("Name of the meter")}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """`?step=` 1 the meter, 2 contract and prices, 3 Home Assistant."""
    chosen = look(request).chosen
    meter = chosen.row if chosen else None
    if meter is None:
        if look(request).wanted is not None:
            return no_meter(request)
        return render(request, "storage/costs_empty.html", {"why": "energy"})
    if not may(request.user, "add", Contract):
        raise PermissionDenied
    given = request.GET.get("step", "1")
    step = int(given) if given in ("1", "2", "3") else 1
    answer = _STEPS[step](request, meter)
    if isinstance(answer, HttpResponse):
        return answer
    context = {"meter": meter, "step": step, "steps": _LAST, "next": _address(meter, step + 1), **answer}
    return render(request, f"storage/welcome_{step}.html", context, status=400 if answer.get("is_wrong") else 200)


def _address(meter: Meter, step: int) -> str:
    return f"{reverse('welcome')}?step={step}&meter={meter.meter_id}" if step <= _LAST else reverse("now")


_Answer = HttpResponse | dict[str, Any]


def _name(request: HttpRequest, meter: Meter) -> _Answer:
    form = NameForm(request.POST or None, instance=meter)
    if request.method == "POST":
        if not may_write(request, "change", Meter):
            raise PermissionDenied
        if form.is_valid():
            with acting(request.user, None):
                meter.save(update_fields=["name"])
            return redirect(_address(meter, 2))
    return {"form": form, "identity": meter.identity, "is_wrong": bool(form.errors)}


def _said(request: HttpRequest, meter: Meter) -> list[str]:
    """The words by which the meter calls its calendar, as far as this process heard it."""
    hub = hub_of(request)
    heard = hub.last(meter.meter_id) if hub else None
    values = heard.envelope.values if heard and heard.envelope else {}
    return [word for slug in ("ngtf", "optarif") if isinstance(word := values.get(slug), str)]


def _contract(request: HttpRequest, meter: Meter) -> _Answer:
    said = _said(request, meter)
    option = guess_option(meter, said)
    offers = fitting(option)
    slots = observed_slots(meter) if option == "hphc" else []
    form = ContractForm(request.POST or None, initial=_first_guess(meter, offers))
    if request.method == "POST" and form.is_valid():
        with acting(request.user, None):
            made = form.save(meter)
            if "slots" in request.POST:
                for starts, ends in slots:
                    series = {"meter": meter, "season": OffPeakSlot.Season.ALL, "begins": starts}
                    begin(OffPeakSlot, midnight(form.cleaned_data["since"]), series, {"ends": ends})
        messages.success(request, _("%s is your contract; what the past cost follows within a minute.") % made.offer)
        return redirect(_address(meter, 3))
    power = meter.power
    return {
        "form": form, "is_wrong": bool(form.errors), "said": said, "option": option, "slots": slots, "power": power,
        "offers": [
            (offer, age_of(offer), [price for price in held_prices(offer, power) if price.amount is not None])
            for offer in offers
        ],
    }  # fmt: skip


def _first_guess(meter: Meter, offers: list[Any]) -> dict[str, Any]:
    """The only offer that fits, the power that the meter says, and since its first reading: it priced nothing yet."""
    span, zone = loading.span(meter.pk), zone_of(meter.timezone)
    first = None if span is None else datetime.fromtimestamp(span[0], UTC).astimezone(zone).date()
    return {"power": meter.power, **({"offer": offers[0].pk} if len(offers) == 1 else {}),
            **({"since": first} if first else {})}  # fmt: skip


def _home_assistant(request: HttpRequest, meter: Meter) -> _Answer:
    """What bridges say of themselves and of Home Assistant, as far as this process hears them."""
    fleet = getattr(request, "scope", {}).get(FLEET)
    bridges = fleet.bridges() if isinstance(fleet, Fleet) else {}
    if request.method == "POST":
        return redirect("now")
    heard = {name: bridge for name, bridge in bridges.items() if bridge.online}
    return {
        "broker": fleet.connected if isinstance(fleet, Fleet) else None,
        "bridges": sorted(heard),
        "discovery": settings.TICBRIDGE.homeassistant.enabled,
        "prefix": settings.TICBRIDGE.homeassistant.discovery_prefix,
        "status_topic": settings.TICBRIDGE.homeassistant.status_topic,
        "is_told": any(bridge.info for bridge in heard.values()),
        "birth": _birth(heard.values(), zone_of(meter.timezone)),
    }


def _birth(bridges: Iterable[Bridge], zone: tzinfo) -> str:
    """When one of them last heard that Home Assistant is there; empty: none ever did."""
    found = []
    for bridge in bridges:
        with suppress(ValueError, TypeError):  # it comes from outside
            at = datetime.fromisoformat(bridge.info.birth if bridge.info and bridge.info.birth else "")
            found.append(at if at.tzinfo else at.replace(tzinfo=UTC))
    return moment(max(found), zone) if found else ""


_STEPS: Final = {1: _name, 2: _contract, 3: _home_assistant}
