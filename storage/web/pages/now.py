"""What is drawn right now, at which tariff, and is all well?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storage import queries
from storage.models import Meter
from storage.rights import rights_of
from storage.web.chart import Chart, chart
from storage.web.face import Bar, Face, face
from storage.web.frame import Choice, look, no_meter
from storage.web.glance import glance, nothing
from storage.web.hub import Heard
from storage.web.said import Said, said_live, said_stored
from storage.web.stream import hub_of
from storage.web.words import age, age_patterns

SPANS: Final = {"15": _("15 minutes"), "1440": _("24 hours")}  # by the minutes of the chart
MAX_MINUTES: Final = 24 * 60
STALE: Final = 9  # seconds from which on a number says how old it is: the script's next look is within ten


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the numbers are."""

    seconds: float
    online: bool | None

    @property
    def stale(self) -> bool:
        return self.seconds >= STALE

    @property
    def state(self) -> str:
        """The pill's look."""
        if self.online is False:
            return "silent"
        return "stale" if self.stale else "live"

    @property
    def age(self) -> str:
        return age(self.seconds)


@require_safe
@never_cache
def now(request: HttpRequest) -> HttpResponse:
    """What is drawn right now, at which tariff, and is all well?"""
    hub = hub_of(request)
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    heard = hub.last(chosen.meter_id) if hub and chosen else None
    found = _newest(chosen, heard)
    if chosen is None or found is None:
        return render(request, "storage/empty.html", {"meter": chosen})
    said, seconds = found
    span = request.GET.get("minutes", "")
    span = span if span in SPANS else next(iter(SPANS))
    drawn = face(said)
    context = {
        "meter": chosen,
        "face": drawn,
        "cells": {**_glance(chosen.row, said), **drawn.cells},
        "phases": _phases(drawn),
        "freshness": Freshness(seconds, heard.online if heard else None),
        "chart": _chart(chosen.row, int(span), said.zone),
        "span": span,
        "spans": SPANS,
        "script": _for_script(chosen, said, seconds, heard, int(span)),
    }
    return render(request, "storage/now.html", context)


@require_safe
@never_cache
def curve(request: HttpRequest) -> HttpResponse:
    """The chart's points, as JSON: `?meter=&minutes=`."""
    given = request.GET.get("minutes", next(iter(SPANS)))
    minutes = int(given) if given.isascii() and given.isdigit() and len(given) <= 4 else 0
    if not 1 <= minutes <= MAX_MINUTES:
        expected = gettext("minutes: expected a whole number from 1 to {most}.")
        return JsonResponse({"error": expected.format(most=MAX_MINUTES)}, status=400)
    meter = rights_of(request).meters().filter(meter_id=request.GET.get("meter", "")).first()
    if meter is None:
        return JsonResponse({"error": gettext("meter: expected the number of a known meter.")}, status=400)
    return JsonResponse(_chart(meter, minutes, queries.zone_of(meter.timezone)).as_json())


@require_safe
@never_cache
def today(request: HttpRequest) -> JsonResponse:
    """What changes by the minute, as JSON: `?meter=`."""
    chosen = look(request).chosen
    if chosen is None or chosen.meter_id != request.GET.get("meter"):
        return JsonResponse({"error": gettext("meter: expected the number of a known meter.")}, status=400)
    hub = hub_of(request)
    found = _newest(chosen, hub.last(chosen.meter_id) if hub else None)
    cells = nothing() if found is None else _glance(chosen.row, found[0])
    if found is not None and "until" in face(found[0]).cells:
        del cells["until"]  # the meter's own word, which came with its reading
    return JsonResponse({"cells": cells})


@login_not_required
@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon by themselves, as on the pages of the admin."""
    return redirect(static("storage/icon.svg"), permanent=True)


def _glance(meter: Meter | None, said: Said) -> dict[str, str]:
    tariff = said.text("ltarf", "ptec", "tariff_period") or ""
    return nothing() if meter is None else glance(meter, tariff, timezone.now())


class Phase(NamedTuple):
    """A line of the table of phases."""

    number: int
    bar: Bar
    share: str
    power: str
    current: str
    voltage: str


def _phases(drawn: Face) -> list[Phase]:
    bars = (*drawn.bars[1:], Bar(), Bar(), Bar())
    texts = [[drawn.cells[f"phase{n}_{what}"] for what in ("share", "power", "current", "voltage")] for n in (1, 2, 3)]
    return [Phase(n, bars[n - 1], *texts[n - 1]) for n in (1, 2, 3)]


def _for_script(chosen: Choice, said: Said, seconds: float, heard: Heard | None, minutes: int) -> dict[str, Any]:
    """What the script must know and cannot see: it speaks no language of its own."""
    query = urlencode({"meter": chosen.meter_id})
    return {
        "live": f"{reverse('live')}?{query}",
        "curve": f"{reverse('curve')}?{query}&minutes=",
        "today": f"{reverse('today')}?{query}",
        "minutes": minutes,
        "zone": str(said.zone),
        "limit": said.subscribed,
        "age": round(seconds, 1),
        "stale": STALE,
        "online": heard.online if heard else None,
        "ages": age_patterns(),
        "words": {
            "live": gettext("Live"),
            "silent": gettext("Meter silent"),
            "limit": gettext("subscribed"),
            "nothing": gettext("no reading"),
        },
    }


def _chart(meter: Meter | None, minutes: int, zone: tzinfo) -> Chart:
    return chart(meter, zone, timezone.now(), minutes, settings.TICBRIDGE.storage.batch.seconds)


def _newest(chosen: Choice | None, heard: Heard | None) -> tuple[Said, float] | None:
    """What the meter said last, and how many seconds ago: live if this process heard it, else as stored."""
    if heard is not None and heard.envelope is not None:
        return said_live(heard.envelope), monotonic() - heard.at
    row = queries.latest(chosen.row) if chosen and chosen.row else None
    if chosen is None or chosen.row is None or row is None:
        return None
    said = said_stored(row, chosen.row.mode, chosen.row.timezone)
    return said, max(0.0, (timezone.now() - said.at).total_seconds())
