"""What it costs: the month so far and where it will end, any day, month or year, and other contracts."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storage.api.access import may
from storage.models import Meter
from storage.queries import zone_of
from storage.tariffs.age import age_of
from storage.tariffs.daily import costs as all_costs
from storage.tariffs.daily import costs_by
from storage.tariffs.forecast import Forecast, Silence
from storage.tariffs.models import Contract, DayCost
from storage.tariffs.naming import period_names
from storage.tariffs.offers import compare_offers
from storage.web.bill import KINDS, Span, address, bill, known_days
from storage.web.frame import look, no_meter
from storage.web.ranking import ranking
from storage.web.shown import amount, energy, euros

_FORMATS: Final = {"day": "{}", "month": "{}-01", "year": "{}-01-01"}
_YEAR: Final = 364  # days before the last one


def _known(request: HttpRequest) -> tuple[Meter, tuple[date, date]] | HttpResponse:
    """The meter that is looked at and the days of which something is known, or the page that says why not."""
    if not may(request.user, "view", DayCost):
        raise PermissionDenied
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    meter = chosen.row if chosen else None
    known = known_days(meter) if meter else None
    if meter is None or known is None:
        return render(request, "storage/costs_empty.html", {"why": "energy"})
    return meter, known


def _contract(meter: Meter) -> Contract | None:
    """The one by which it draws now."""
    return Contract.objects.filter(meter=meter, direction="drawn").select_valid().select_related("offer").first()


@require_safe
@never_cache
def costs(request: HttpRequest) -> HttpResponse:
    """`?day=`, `?month=` or `?year=`; else the month that runs."""
    found = _known(request)
    if isinstance(found, HttpResponse):
        return found
    meter, known = found
    if not Contract.objects.filter(meter=meter).exists():
        return render(request, "storage/costs_empty.html", {"why": "contract", "meter": meter})
    today = timezone.now().astimezone(zone_of(meter.timezone)).date()
    span = _span(request, today, known)
    if span is None:
        return render(request, "storage/costs_empty.html", {"why": "day", "meter": meter}, status=400)
    told = bill(meter, span, today, known)
    contract = _contract(meter)
    context = {
        "meter": meter,
        "bill": told,
        "here": address(span),
        "tabs": [(kind, address(Span.of(kind, min(max(span.first, known[0]), known[1])))) for kind in KINDS],
        "before": address(Span.of(span.kind, span.previous)) if span.first > known[0] else "",
        "after": address(Span.of(span.kind, span.next)) if span.next <= known[1] else "",
        "contract": contract,
        "age": age_of(contract.offer) if contract else None,
        "foretold": _said(told.foretold),
        "script": {
            **told.chart,
            "fine": [f"?{row.address}&meter={meter.meter_id}" for row in told.rows],
            "words": {"nothing": _("not known"), "estimated": _("estimated")},
        },
    }
    return render(request, "storage/costs.html", context)


_SILENCES: Final = {
    Silence.WEEK: gettext_lazy("No forecast yet: fewer than four of the last seven days are wholly measured."),
    Silence.MONTH: gettext_lazy("No forecast: less than half of this month's days are wholly measured."),
    Silence.PAST: gettext_lazy("No forecast yet: it takes three weeks of measured days to tell how far off it may be."),
}


def _said(told: Forecast | Silence | None) -> dict[str, str]:
    """The forecast in words of money, or why there is none."""
    if told is None:
        return {}
    if isinstance(told, Silence):
        return {"silence": str(_SILENCES[told])}
    return {
        "low": euros(told.low), "middle": euros(told.middle), "high": euros(told.high), "so_far": euros(told.so_far),
        "over": str(told.days_over), "measured": str(told.measured), "left": str(told.days_left),
        "taken": str(told.days_over - told.measured or ""), "judged_by": str(told.judged_by),
    }  # fmt: skip


def _span(request: HttpRequest, today: date, known: tuple[date, date]) -> Span | None:
    """What the address asks; None if that is no day. Days of which nothing can be known are the nearest that can."""
    for kind in KINDS:
        if (text := request.GET.get(kind)) is not None:
            try:
                day = date.fromisoformat(_FORMATS[kind].format(text))
            except ValueError:
                return None
            return Span.of(kind, min(max(day, known[0]), known[1]))
    return Span.of("month", min(today, known[1]))


@require_safe
@never_cache
def costs_csv(request: HttpRequest) -> HttpResponse:
    """A line for each day and price period of a span."""
    found = _known(request)
    if isinstance(found, HttpResponse):
        return no_meter(request)
    meter, known = found
    span = _span(request, known[1], known)
    if span is None:
        return render(request, "storage/costs_empty.html", {"why": "day", "meter": meter}, status=400)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="ticbridge-costs-{address(span).partition("=")[2]}.csv"'
    rows = csv.writer(answer)
    rows.writerow(("day", "direction", "period", "Wh", "EUR", "estimated"))
    for day in costs_by(meter, max(span.first, known[0]), min(span.last, known[1]), "day"):
        for line in day.lines:
            cost = "" if line.amount is None else f"{line.amount:f}"
            wh = "" if line.wh is None else line.wh
            rows.writerow((day.first, line.direction, line.period or "subscription", wh, cost, int(line.estimated)))
    return answer


@require_safe
@never_cache
def other_contracts(request: HttpRequest) -> HttpResponse:
    """What the last year, or as much as is known of it, would have cost under each offer."""
    seen = _known(request)
    if isinstance(seen, HttpResponse):
        return seen
    meter, known = seen
    whole = _whole_days(known)
    if whole is None:
        return render(request, "storage/costs_empty.html", {"why": "energy"})
    first, last = whole
    found = compare_offers(meter, first, last)
    days = (last - first).days + 1
    own = _contract(meter)
    paid = all_costs(meter, first, last).total
    context = {
        "meter": meter,
        "first": first,
        "last": last,
        "days": days,
        "is_short": days < 330,  # a season is missing
        "energy": energy(found.wh),
        "found": found,
        "peak": amount(found.need.peak, "VA") if found.need.peak else "",
        "paid": None if paid is None else euros(paid),
        "ranks": ranking(found, own.offer.name if own else "", own.power if own else None, days, period_names()),
    }
    return render(request, "storage/other_contracts.html", context)


def _whole_days(known: tuple[date, date]) -> tuple[date, date] | None:
    last = known[1] - timedelta(days=1)
    first = max(known[0] + timedelta(days=1), last - timedelta(days=_YEAR))
    return (first, last) if first <= last else None
