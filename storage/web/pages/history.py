"""How much, when, against when: a day, a week, a month, a year, or from one day to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storage import queries
from storage.models import Meter
from storage.rights import rights_of
from storage.web.chart import chart
from storage.web.frame import look, no_meter
from storage.web.history.heat import heat
from storage.web.history.layers import Layer
from storage.web.history.pieces import Pieces, pieces
from storage.web.history.spans import KINDS, Span, span_of
from storage.web.shown import amount, energy, euros, moment, number

_PEAKS: Final = 5
_SILENCES: Final = 20  # that are named
_POINTS: Final = 900
_MOST_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Asked:
    """A meter that is stored, what of it is known, and the span that is shown."""

    meter: Meter
    zone: tzinfo
    now: datetime
    known: tuple[date, date]
    span: Span

    @property
    def today(self) -> date:
        """On the meter's clock."""
        return self.now.astimezone(self.zone).date()

    def link(self, span: Span | None, **more: str) -> str:
        """The address of another span of this meter; empty where nothing can be."""
        if span is None or span.last < self.known[0] or span.first > self.known[1]:
            return ""
        query = {"meter": self.meter.meter_id, "by": span.kind, "from": span.first.isoformat()}
        if span.kind == "range":
            query["to"] = span.last.isoformat()
        return f"?{urlencode(query | more)}"


@require_safe
@never_cache
def history(request: HttpRequest) -> HttpResponse:
    """One span, and perhaps another one beside it."""
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    known = queries.span(chosen.row) if chosen and chosen.row else None
    if chosen is None or chosen.row is None or known is None:
        return render(request, "storage/history_empty.html", {"meter": chosen})
    meter, now = chosen.row, timezone.now()
    zone = queries.zone_of(meter.timezone)
    try:
        span = _span(request, now.astimezone(zone).date())
        other = _other(request, span)
    except ValueError:
        return render(request, "storage/history_wrong.html", status=400)
    return render(request, "storage/history.html", _context(Asked(meter, zone, now, known, span), other))


@require_safe
@never_cache
def fine_curve(request: HttpRequest) -> HttpResponse:
    """Points between two instants for a curve that was zoomed, as JSON: `?meter=&from=&to=`, seconds since 1970."""
    meter = rights_of(request).meters().filter(meter_id=request.GET.get("meter", "")).first()
    begins, ends = (_seconds(request.GET.get(name, "")) for name in ("from", "to"))
    if meter is None or begins is None or ends is None or not 0 < ends - begins <= _MOST_SECONDS:
        return JsonResponse({"error": gettext("expected a known meter, and from before to, in seconds.")}, status=400)
    start, end = (datetime.fromtimestamp(at, UTC) for at in (begins, ends))
    found = chart(meter, queries.zone_of(meter.timezone), end, (end - start) / timedelta(minutes=1), 0)
    return JsonResponse(found.as_json())


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _span(request: HttpRequest, today: date) -> Span:
    begins = date.fromisoformat(request.GET.get("from", today.isoformat()))
    ends = request.GET.get("to")
    return span_of(request.GET.get("by", "day"), begins, None if ends is None else date.fromisoformat(ends))


def _other(request: HttpRequest, span: Span) -> Span | None:
    wanted = request.GET.get("with")
    if not wanted:
        return None
    if wanted == "before":
        return span.moved(-1)
    if wanted == "year":
        return span.a_year_before()
    first = date.fromisoformat(wanted)
    if span.kind == "range":
        return Span("range", first, first + timedelta(days=span.days - 1))
    return span_of(span.kind, first)


def _context(asked: Asked, other: Span | None) -> dict[str, Any]:
    span = asked.span
    own = pieces(asked.meter, span, asked.now)
    shown = [_Shown(asked, span, own, "own")]
    if other is not None:
        shown.append(_Shown(asked, other, pieces(asked.meter, other, asked.now), "other"))
    begins, ends = _instants(span, asked.zone)
    silences = queries.gaps(asked.meter, begins, min(ends, asked.now)) if begins < asked.now else ()
    return {
        "meter": asked.meter,
        "kinds": [
            (kind, title, asked.link(_as(kind, span, asked.known))) for kind, title in KINDS.items() if kind != "range"
        ],
        "span": span,
        "before": asked.link(span.moved(-1)),
        "after": asked.link(span.moved(1)) if span.last < asked.today else "",
        "comparisons": _comparisons(asked, other),
        "shown": shown,
        "difference": _difference(shown),
        "peaks": _peaks(asked, begins, ends),
        "standby": _standby(asked),
        "heat": heat(asked.meter, span, asked.now),
        "silences": [_silence(one, asked.zone) for one in silences[:_SILENCES]],
        "more_silences": max(0, len(silences) - _SILENCES),
        "csv": _csv(asked),
        "known": asked.known,
        "script": {
            "zone": str(asked.zone),
            "words": {
                "limit": gettext("subscribed"), "nothing": gettext("nothing known"), "estimated": gettext("estimated"),
            },
            "charts": [chart for one in shown for chart in one.charts()],
        },
    }  # fmt: skip


class _Shown:
    """One span on the page: its figures, tables and charts."""

    def __init__(self, asked: Asked, span: Span, found: Pieces, name: str) -> None:
        self.asked = asked
        self.span = span
        self.pieces = found
        self.name = name
        self.total = energy(found.drawn)
        self.injected = energy(found.injected) if found.injected else ""
        known = [cost for cost in found.costs if cost is not None]
        self.cost = euros(sum(known, start=known[0] * 0)) if known else ""
        self.has_every_cost = len(known) == len(found.costs)
        self.addresses = self._addresses()
        self.rows = found.rows(self.addresses)
        self.curve = self._curve() if span.kind == "day" else None

    @property
    def parts(self) -> list[tuple[str, str, str, str]]:
        """Of each layer: mark, name, kWh, share of what was drawn."""
        return [(one.mark, one.name, energy(one.total), self._share(one)) for one in self.pieces.layers]

    def _share(self, one: Layer) -> str:
        drawn = self.pieces.drawn
        return amount(100 * one.total / drawn, "%", 0) if drawn and not one.below else ""

    def charts(self) -> list[dict[str, Any]]:
        """For the script: `place` is the id of the chart's element."""
        bars = {"place": f"bars-{self.name}", "kind": "bars", **self.pieces.as_json(self.addresses)}
        if self.curve is None:
            return [bars]
        found = self.curve.as_json()
        begins, ends = _instants(self.span, self.asked.zone)
        band = {
            "place": f"curve-{self.name}", "kind": "band", "unit": "VA",
            "columns": [found["t"], found["high"], found["low"], found["mean"]], "gaps": found["gaps"],
            "span": [int(begins.timestamp()), int(ends.timestamp())], "limit": _limit(self.asked.meter),
            "finer": f"{reverse('fine-curve')}?{urlencode({'meter': self.asked.meter.meter_id})}",
        }  # fmt: skip
        return [band, bars]

    def _curve(self) -> Any:  # a chart of storage.web.chart
        begins, ends = _instants(self.span, self.asked.zone)
        until = min(ends, self.asked.now)
        minutes = max(1, (until - begins) / timedelta(minutes=1))
        return chart(self.asked.meter, self.asked.zone, max(until, begins + timedelta(minutes=1)), minutes, 60)

    def _addresses(self) -> list[str]:
        """Where each bar can be looked at closely."""
        if self.pieces.step == "hour":
            return []
        kind = {"day": "day", "month": "month"}[self.pieces.step]
        days = (one.start.astimezone(self.asked.zone).date() for one in self.pieces.energies)
        return [self.asked.link(span_of(kind, day)) for day in days]


def _instants(span: Span, zone: tzinfo) -> tuple[datetime, datetime]:
    """Aware, half-open."""
    begins, ends = (datetime.combine(day, time(), zone) for day in (span.first, span.last + timedelta(days=1)))
    return begins.astimezone(UTC), ends.astimezone(UTC)


def _as(kind: str, span: Span, known: tuple[date, date]) -> Span:
    """The span of another kind around the same time: its end, as far as something is known of it."""
    day = span.first if kind in ("month", "year") else max(span.first, min(span.last, known[1]))
    return span_of(kind, day)


def _comparisons(asked: Asked, other: Span | None) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is shown): the span before, the same a year ago, none."""
    span = asked.span
    choices = [
        ("before", gettext("The one before"), span.moved(-1)),
        ("year", gettext("A year before"), span.a_year_before()),
    ]
    possible = [(text, word, one) for word, text, one in choices if asked.link(one)]
    found = [(text, asked.link(span, **{"with": word}), other == one) for text, word, one in possible]
    return [*found, (gettext("Nothing"), asked.link(span), other is None)] if found else []


def _difference(shown: list[_Shown]) -> str:
    """The own span against the other one, in words."""
    if len(shown) < 2:
        return ""
    own, other = (one.pieces.drawn for one in shown)
    if own is None or not other:
        return gettext("There is nothing to compare with: of one of them nothing is known.")
    share = amount(abs(100 * (own - other) / other), "%", 0)
    less = gettext("{energy} less ({share}) than {title}.")
    more = gettext("{energy} more ({share}) than {title}.")
    return (less if own < other else more).format(
        energy=energy(abs(own - other)), share=share, title=shown[1].span.title
    )


def _peaks(asked: Asked, begins: datetime, ends: datetime) -> list[tuple[str, str]]:
    found = queries.peaks(asked.meter, begins, ends, _PEAKS) if begins < asked.now else ()
    return [(moment(one.at or one.start, asked.zone), amount(one.high, "VA")) for one in found]


def _standby(asked: Asked) -> str:
    found = queries.standby(asked.meter, min(asked.span.last, asked.known[1]))
    if found is None:
        return ""
    text = gettext("{power} are never switched off (half of {nights} nights: {low} to {high}): {energy} a year.")
    return text.format(
        power=amount(found.power, "VA", 0), nights=number(found.nights), low=number(found.low, 0),
        high=amount(found.high, "VA", 0), energy=amount(found.power * 24 * 365 / 1000, "kWh", 0),
    )  # fmt: skip


def _silence(one: queries.Silence, zone: tzinfo) -> tuple[str, str, str]:
    ends = moment(one.ends, zone) if one.ends else gettext("still")
    return moment(one.begins, zone), ends, str(one.reason.label) if one.reason else gettext("not known")


def _limit(meter: Meter) -> int | None:
    return None if meter.power is None else meter.power * 1000


def _csv(asked: Asked) -> str:
    step = {"day": "minute", "week": "hour", "month": "hour"}.get(asked.span.kind, "day")
    begins, ends = asked.span.first.isoformat(), asked.span.last.isoformat()
    query = {"meter": asked.meter.meter_id, "from": begins, "to": ends, "step": step}
    return f"{reverse('answer-export')}?{urlencode(query)}"
