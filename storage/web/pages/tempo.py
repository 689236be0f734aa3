"""Which colour is a day, which hours are cheap, what does a kWh cost: under the contract of this meter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storage.models import Meter
from storage.rights import may_write
from storage.tariffs import tempo_days
from storage.tariffs.age import age_of
from storage.tariffs.in_force import InForce, in_force, names_of, rules_of, slots_of
from storage.tariffs.models import Offer, TempoDay
from storage.tariffs.seasons import EJP_DAYS, Season, may_be
from storage.tariffs.tempo_days import Told, current_day
from storage.web.frame import look, no_meter
from storage.web.tempo import calendar
from storage.web.tempo.applies import applies, rule_lines, slot_lines, source_name
from storage.web.tempo.hours import strip
from storage.web.tempo.prices import price_lines

_EARLIEST = date(1996, 9, 1)  # before the first season of Tempo there is nothing to correct


class ColourForm(forms.Form):
    """What a day is, in its owner's word; an empty colour takes an entry back."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    colour = forms.ChoiceField(
        label=_("Colour"), choices=[*TempoDay.Colour.choices, ("", _("as the meter tells"))], required=False
    )

    def clean(self) -> dict[str, Any] | None:
        """Refuse a colour that no such day has."""
        cleaned = super().clean()
        day, colour = self.cleaned_data.get("day"), self.cleaned_data.get("colour")
        if day is not None and not _EARLIEST <= day <= current_day(timezone.now()) + timedelta(days=1):
            self.add_error("day", gettext("Colours are told a day ahead: nobody knows that of a later day."))
        elif day and colour and not may_be(day, colour):
            self.add_error("colour", gettext("Red days are working days from November to March; Sundays are blue."))
        return cleaned


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tempo(request: HttpRequest) -> HttpResponse:
    """The season, the hours, the prices; the form corrects the colour of a day."""
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    if chosen is None or chosen.row is None:
        return render(request, "storage/empty.html", {"meter": chosen})
    form = None
    if request.method == "POST":
        form = ColourForm(request.POST)
        if not _may_tell(request, form.data.get("colour", "")):
            raise PermissionDenied
        if form.is_valid():
            _tell(request, form.cleaned_data["day"], form.cleaned_data["colour"])
            return _back(request)
    elif _may_tell(request, "bleu"):
        form = ColourForm(initial={"day": current_day(timezone.now())})
    status = 200 if form is None or not form.errors else 400
    return render(request, "storage/tempo.html", _context(request, chosen.row, form), status=status)


def _may_tell(request: HttpRequest, colour: str) -> bool:
    verbs = ("add", "change") if colour else ("delete",)
    return all(may_write(request, verb, TempoDay) for verb in verbs)


def _tell(request: HttpRequest, day: date, colour: str) -> None:
    said, before = date_format(day, "DATE_FORMAT"), tempo_days.tell(day, colour)
    if not colour:
        text = gettext("{day}: your entry is gone; what the meter tells counts again.").format(day=said)
    else:
        places = {"day": said, "colour": calendar.day_name(colour), "before": calendar.day_name(before or "")}
        text = gettext("{day} is {colour} now; it was: {before}.").format(**places)
    messages.success(request, text)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    wanted = look(request).wanted
    query = f"?{urlencode({'meter': wanted})}" if wanted else ""
    return redirect(f"{reverse('tempo')}{query}")


def _context(request: HttpRequest, meter: Meter, form: ColourForm | None) -> dict[str, Any]:
    now = timezone.now()
    held = in_force(meter, now)
    names = names_of(held.contract, get_language() or "en")
    today = now.astimezone(held.facts.zone).date()
    age = age_of(held.contract.offer, today) if held.contract is not None else None
    return {
        "meter": meter,
        "held": held,
        "applies": applies(held),
        "strips": [
            strip(held, today, gettext("Today"), names),
            strip(held, today + timedelta(days=1), gettext("Tomorrow"), names),
        ],
        "slots": slot_lines(slots_of(meter, now)) if held.option in ("hphc", "other") else [],
        "rules": rule_lines(rules_of(held.contract), names) if held.contract and held.option == "other" else [],
        "prices": price_lines(held, names),
        "age": age,
        "can_enter": request.user.is_staff,
        "form": form,
        **_season(held, now),
    }


def _season(held: InForce, now: datetime) -> dict[str, Any]:
    """The calendar, of a contract whose days are declared."""
    if held.plan is None or not any(rule.is_declared for rule in held.plan.rules):
        return {}
    is_tempo = held.option == Offer.Option.TEMPO
    today = current_day(now) if is_tempo else now.astimezone(held.facts.zone).date()
    season = Season.of(today)
    known = {day: word for day, word in held.plan.declared.items() if Season.of(day) == season}
    found = {
        "season": season,
        "months": calendar.months(season, known, today),
        "weekdays": calendar.weekdays(),
    }
    if not is_tempo:
        return {**found, "events": _events(held, known), "is_tempo": False}
    told = tempo_days.told(season.first, season.last)
    return {
        **found,
        "is_tempo": True,
        "left": calendar.days_left(season, known),
        "unknown": calendar.unknown_before(season, known, today),
        "told": [
            (date_format(row.day, "DATE_FORMAT"), calendar.day_name(row.colour), source_name(row.source))
            for row in reversed(told)
        ],
        "sources": _sources(told),
    }


def _sources(told: list[Told]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for row in told:
        found[source_name(row.source)] = found.get(source_name(row.source), 0) + 1
    return found


def _events(held: InForce, known: Mapping[date, str]) -> dict[str, Any]:
    number = EJP_DAYS if held.option == Offer.Option.EJP else held.contract.offer.events if held.contract else None
    used = sum(word == "event" for word in known.values())
    return {"used": used, "of": number, "left": None if number is None else max(0, number - used)}
