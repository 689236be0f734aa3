"""Which meter this is, everything it says, and how well the line to it works."""

from __future__ import annotations

import shlex
import unicodedata
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bridge.tic.identity import identify
from storage import queries
from storage.api.access import may
from storage.models import Data, Meter
from storage.operations.views import fleet_of
from storage.web.breaker import breaker
from storage.web.face import Row, face
from storage.web.frame import Choice, look, no_meter
from storage.web.hub import Heard
from storage.web.identity import facts
from storage.web.line import Line, line_of, unnamed, verdict
from storage.web.pages.now import STALE, Freshness
from storage.web.register import register
from storage.web.said import Said, said_live, said_stored
from storage.web.sentences import marked
from storage.web.shown import UNKNOWN, amount, moment
from storage.web.stream import hub_of
from storage.web.words import age_patterns, field_name

READINGS: Final = 20
_DAY: Final = timedelta(days=1)
_SECONDS: Final = 60  # of a capture


class Reading(NamedTuple):
    """A row of the database, and which labels it lacks that others beside it have."""

    time: str
    power: str
    total: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All labels, and what of them a search leaves."""

    rows: tuple[Row, ...]
    wanted: str

    @property
    def shown(self) -> list[tuple[Row, bool]]:
        wanted = _folded(self.wanted)
        return [(row, wanted in _folded(f"{row.name} {row.label} {row.text}")) for row in self.rows]

    @property
    def found(self) -> str:
        """How many of how many."""
        return found_pattern().format(n=sum(there for _, there in self.shown), all=len(self.rows))


def found_pattern() -> str:
    """For the script, too."""
    return gettext("{n} of {all} shown")


@require_safe
@never_cache
def meter(request: HttpRequest) -> HttpResponse:
    """The chosen meter's sheet."""
    if not may(request.user, "view", Meter):
        raise PermissionDenied
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    if chosen is None:
        return render(request, "storage/no_reading.html")
    hub = hub_of(request)
    heard = hub.last(chosen.meter_id) if hub else None
    rows = queries.newest(chosen.row, READINGS) if chosen.row else []
    found = _newest(chosen, heard, rows)
    if found is None:
        return render(request, "storage/no_reading.html")
    return render(request, "storage/meter.html", _context(request, chosen, heard, rows, *found))


def _context(
    request: HttpRequest, chosen: Choice, heard: Heard | None, rows: list[Data], said: Said, seconds: float
) -> dict[str, Any]:
    fleet = fleet_of(request)
    live = heard is not None and heard.envelope is not None
    line = line_of(chosen.meter_id, heard, said if live else None, fleet)
    mode = chosen.row.mode if chosen.row else str(heard.envelope.mode) if heard and heard.envelope else ""
    identity = identify(chosen.meter_id)
    shown, found = face(said), verdict(line)
    return {
        "meter": chosen,
        "is_live": live,
        "freshness": Freshness(seconds, heard.online if heard else None),
        "facts": facts(chosen.meter_id, identity, said, mode, line),
        "is_linky": identity is not None and identity.model == "Linky",
        "line": line,
        "since": moment(line.since, said.zone) if line.since else "",
        "verdict": found,
        "detail": marked(found.detail) if found.detail else "",
        "unnamed": [(bridge, source.source, marked(source.trouble)) for bridge, source in unnamed(fleet)],
        "mode": mode,
        "register": register(said),
        "breaker": breaker(said, identity),
        "texts": {row.key: row.text for row in shown.rows},
        "table": Table(shown.rows, request.GET.get("label", "")),
        "readings": _readings(rows, mode, said.zone),
        "silences": _silences(chosen.row, said.zone),
        "set_aside": _set_aside(chosen.row, said.zone),
        "capture": _capture(line),
        "script": _for_script(chosen, seconds, heard),
    }


def _newest(chosen: Choice, heard: Heard | None, rows: list[Data]) -> tuple[Said, float] | None:
    """What the meter said last, and how many seconds ago: live if this process heard it, else as stored."""
    if heard is not None and heard.envelope is not None:
        return said_live(heard.envelope), monotonic() - heard.at
    if chosen.row is None or not rows:
        return None
    said = said_stored(rows[0], chosen.row.mode, chosen.row.timezone)
    return said, max(0.0, (timezone.now() - said.at).total_seconds())


def _readings(rows: list[Data], mode: str, zone: tzinfo) -> list[Reading]:
    """Newest first. What was refused is no part of a reading; that a value is not in it can be seen."""
    all_said = [said_stored(row, mode, str(zone)) for row in rows]
    fields = {slug: field for said in all_said for slug, field in said.fields.items() if slug != "date"}
    names = {slug: field.label if field.mode == mode and field.label else field_name(field)
             for slug, field in fields.items()}  # fmt: skip
    return [
        Reading(
            date_format(timezone.localtime(said.at, zone), "j N H:i:s"),
            _amount(said, "sinsts", 1, "VA"),
            _amount(said, "east", 1000, "kWh"),
            tuple(names[slug] for slug in names if slug not in said.values),
        )
        for said in all_said
    ]


def _amount(said: Said, slug: str, by: int, unit: str) -> str:
    value = said.number(slug)
    return UNKNOWN if value is None else amount(value / by, unit, None if by > 1 else 0)


def _silences(row: Meter | None, zone: tzinfo) -> list[tuple[str, str, str]]:
    """(from, until, why) of the last day."""
    if row is None:
        return []
    now = timezone.now()
    return [
        (
            moment(gap.begins, zone),
            moment(gap.ends, zone) if gap.ends else gettext("now"),
            str(gap.reason.label) if gap.reason else gettext("not known"),
        )
        for gap in queries.gaps(row, now - _DAY, now)
    ]


def _set_aside(row: Meter | None, zone: tzinfo) -> tuple[int, list[tuple[str, str]]]:
    """How many messages, and (when, why) of the newest."""
    if row is None:
        return 0, []
    found = queries.set_aside(row)
    return found.count, [(moment(at, zone), reason) for at, reason in found.newest]


def _capture(line: Line) -> str:
    """The command that records this meter's line without its numbers."""
    source = line.counts.source if line.counts else ""
    named = ["--source", source] if source and source != "auto" else []
    return shlex.join(["ticbridge", "capture", "linky.tic", *named, "--seconds", str(_SECONDS), "--anonymise"])


def _for_script(chosen: Choice, seconds: float, heard: Heard | None) -> dict[str, Any]:
    return {
        "live": f"{reverse('live')}?{urlencode({'meter': chosen.meter_id})}",
        "age": round(seconds, 1),
        "stale": STALE,
        "online": heard.online if heard else None,
        "ages": age_patterns(),
        "words": {"live": gettext("Live"), "silent": gettext("Meter silent"), "found": found_pattern()},
    }


def _folded(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c)).strip()
