"""`/live/`: server-sent events, one stream for each open page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language, gettext, override

from bridge.topics import is_level
from storage.rights import rights_of
from storage.tokens.authentication import token_or_login
from storage.tokens.models import Scope
from storage.web.face import Face, face
from storage.web.hub import HUB, Changed, Heard, Hub
from storage.web.said import said_live

HEARTBEAT: Final = 15.0  # seconds between two signs of life, so that no proxy takes the stream for dead
_LIMITS: Final = ("storage.meter", "storage.metergroup", "storage.sight")  # what decides who sees what
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def hub_of(request: HttpRequest) -> Hub | None:
    """The hub that `storage.asgi` put into the request; None without a live source, as in a plain test client."""
    hub = getattr(request, "scope", {}).get(HUB)
    return hub if isinstance(hub, Hub) else None


@token_or_login(Scope.LIVE)
async def live(request: HttpRequest) -> HttpResponseBase:
    """Readings and states of `?meter=`, or of all meters, and changes of entities, as they come."""
    meter = request.GET.get("meter")
    if meter is not None and not is_level(meter):
        return _sentence(400, gettext("meter: expected the meter's number, or nothing for all meters."))
    hub = hub_of(request)
    if hub is None:
        return _sentence(503, gettext("This server has no live readings."))
    if hub.full:
        return _sentence(503, gettext("Too many pages are open at once; close one, this page then tries again."))
    seen = await sync_to_async(lambda: rights_of(request).names())()
    # The session and the user were read on this request's own thread, which lives as long as the stream does.
    await sync_to_async(connections.close_all)()
    return StreamingHttpResponse(
        events(hub, meter, get_language() or "en", seen=seen), content_type="text/event-stream", headers=_HEADERS
    )


async def events(
    hub: Hub,
    meter: str | None,
    language: str,
    heartbeat: float = HEARTBEAT,
    clock: Callable[[], float] = monotonic,
    seen: frozenset[str] | None = None,
) -> AsyncIterator[str]:
    """The stream's text, until the browser leaves or the server stops; or, for whoever does not see every meter, until
    groups or limits change: the browser comes again then, and is told what it may see now.
    """
    if hub.full:
        return  # somebody was faster; the browser asks again and is told
    told: dict[str, Told] = {}
    with hub.listen(meter, seen) as listener:
        yield "retry: 2000\n\n"
        while not hub.closed:
            news = await listener.next(heartbeat)
            if seen is not None and isinstance(news, Changed) and news.type in _LIMITS:
                return
            if isinstance(news, Changed):
                yield _event("change", {"type": news.type, "uuid": news.uuid, "status": news.status})
            elif news is not None:
                yield told.setdefault(news.meter, Told()).event(news, language, clock())
            elif not hub.closed:
                yield ": nothing new\n\n"


class Told:
    """What one page was told of one meter: only what changed is sent again."""

    def __init__(self) -> None:
        self._face = Face()
        self._heard: Heard | None = None

    def event(self, heard: Heard, language: str, now: float) -> str:
        """The event that brings the page up to date."""
        envelope = heard.envelope
        new = self._heard is None or envelope is not self._heard.envelope
        self._heard = heard
        state = {"meter": heard.meter, "online": heard.online}
        if envelope is None or not new:
            return _event("status", state)
        said = said_live(envelope)
        with override(language):
            fresh = face(said)
        news = {
            **state,
            **self._changes(fresh),
            "age": round(max(0.0, now - heard.at), 3),
            "point": [round(envelope.moment.timestamp(), 3), said.number("sinsts")],
        }
        return _event("reading", news, f"{envelope.epoch}:{envelope.seq}")

    def _changes(self, fresh: Face) -> dict[str, Any]:
        """The new face without the texts that the page has already. Rows that come or go: all of them."""
        known = self._face
        self._face = fresh
        same_rows = [row.key for row in known.rows] == [row.key for row in fresh.rows]
        rows = [row for row in fresh.rows if row not in known.rows] if same_rows else fresh.rows
        changed = replace(fresh, cells=_news(known.cells, fresh.cells), rows=tuple(rows))
        return {**changed.as_json(), "whole_table": not same_rows}


def _news(known: dict[str, str], fresh: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in fresh.items() if known.get(key) != text}


def _event(kind: str, content: dict[str, Any], number: str = "") -> str:
    """JSON has no line breaks of its own, so an event is one line of data."""
    name = f"id: {number}\n" if number else ""
    return f"event: {kind}\n{name}data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _sentence(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=_HEADERS)
