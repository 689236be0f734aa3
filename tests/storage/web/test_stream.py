"""Server-sent events: what a page is told, and when it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import Client

from storage.web.hub import Heard, Hub
from storage.web.stream import Told, events
from tests.storage.web.conftest import Site
from tests.storage.web.samples import EPOCH, METER, STANDARD, envelope, historique


def read(event: str) -> tuple[list[str], Any]:
    """The lines of an event before its data, and its data."""
    *head, data, empty, end = event.split("\n")
    assert (empty, end, data[:6]) == ("", "", "data: ")
    return head, json.loads(data.removeprefix("data: "))


def heard(seq: int = 1, **values: Any) -> Heard:
    return Heard(METER, envelope({**STANDARD, **values}, seq=seq), 100.0, online=True)


def test_the_first_event_holds_the_whole_page() -> None:
    head, news = read(Told().event(heard(), "en", 100.25))
    assert head == ["event: reading", f"id: {EPOCH}:1"]
    assert {key: news[key] for key in ("meter", "online", "age", "point", "whole_table")} == {
        "meter": METER, "online": True, "age": 0.25, "point": [1795262400.0, 1200], "whole_table": True,
    }  # fmt: skip
    assert news["cells"]["power"] == "1,200"
    assert ["sinsts", "SINSTS", "Apparent power", "1,200\N{NO-BREAK SPACE}VA"] in news["rows"]


def test_later_events_hold_what_changed() -> None:
    told = Told()
    told.event(heard(), "en", 100.0)
    _, news = read(told.event(heard(seq=2, sinsts=1300), "en", 100.0))
    nbsp = "\N{NO-BREAK SPACE}"
    assert (news["cells"], news["rows"], news["whole_table"]) == (
        {
            "power": "1,300",
            "share": f"14{nbsp}% of 9{nbsp}kVA subscribed",
            "left": f"7,700{nbsp}VA left",
            "say": "1,300 VA, Peak hours, blue day",
        },
        [["sinsts", "SINSTS", "Apparent power", f"1,300{nbsp}VA"]],
        False,
    )


def test_a_label_that_comes_brings_the_whole_table() -> None:
    told = Told()
    told.event(heard(), "en", 100.0)
    _, news = read(told.event(heard(seq=2, msg2="BONJOUR"), "en", 100.0))
    assert (news["whole_table"], len(news["rows"])) == (True, len(STANDARD) + 1)


def test_a_status_alone_is_an_event_of_its_own() -> None:
    told = Told()
    told.event(heard(), "en", 100.0)
    same = heard()
    told.event(same, "en", 100.0)
    gone = Heard(METER, same.envelope, 100.0, online=False)
    assert read(told.event(gone, "en", 101.0)) == (["event: status"], {"meter": METER, "online": False})


def test_a_status_before_any_reading_is_told_too() -> None:
    assert read(Told().event(Heard(METER, online=False), "en", 1.0)) == (
        ["event: status"],
        {"meter": METER, "online": False},
    )


def test_each_page_is_told_in_its_own_language() -> None:
    values = [
        read(Told().event(Heard(METER, historique(), 1.0), language, 1.0))[1]["cells"]["tariff"]
        for language in ("fr", "en")
    ]
    assert values == ["Heures creuses", "Off-peak hours"]


def test_a_text_with_line_breaks_stays_one_line_of_the_event() -> None:
    wicked = Heard(METER, envelope({"sinsts": 1, "msg1": "a\n\ndata: x\nevent: y"}), 1.0)
    assert len(Told().event(wicked, "en", 1.0).splitlines()) == 4


def test_a_quiet_stream_gives_a_sign_of_life() -> None:
    async def scenario() -> list[str]:
        hub = Hub()
        stream = events(hub, None, "en", heartbeat=0.001)
        found = [await anext(stream) for _ in range(3)]
        hub.close()
        return found + [left async for left in stream]

    assert asyncio.run(scenario()) == ["retry: 2000\n\n", ": nothing new\n\n", ": nothing new\n\n"]


def test_a_stream_that_begins_when_all_places_are_taken_ends_at_once() -> None:
    async def scenario() -> list[str]:
        return [event async for event in events(Hub(limit=0), None, "en")]

    assert asyncio.run(scenario()) == []


# --- through the whole application -----------------------------------------------------------------


def test_a_reading_is_sent_as_soon_as_it_is_heard(site: Site) -> None:
    async def scenario() -> tuple[dict[str, str], list[str]]:
        async with site.get("/live/") as answer:
            first = await answer.piece()
            site.hub.hear_reading(envelope(), 1.0)
            return answer.headers, [first or "", (await answer.piece() or "")[:14]]

    headers, said = asyncio.run(scenario())
    assert said == ["retry: 2000\n\n", "event: reading"]
    assert {name: headers[name] for name in ("content-type", "cache-control", "x-accel-buffering")} == {
        "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no",
    }  # fmt: skip


def test_a_stream_holds_no_database_connection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    own = connections["default"]
    # Django never closes a database in memory, which the one of the tests is and the real one is not.
    monkeypatch.setattr(type(own), "is_in_memory_db", lambda wrapper: wrapper is own, raising=False)  # SQLite's alone
    opened: list[BaseDatabaseWrapper] = []

    def notice(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
        opened.append(connection)

    async def scenario() -> tuple[int, list[object]]:
        async with site.get("/live/") as answer:
            await answer.piece()
            others = [wrapper for wrapper in opened if wrapper is not own]
            return len(others), [wrapper.connection for wrapper in others if wrapper.connection is not None]

    connection_created.connect(notice)
    try:
        number, still_open = asyncio.run(scenario())
    finally:
        connection_created.disconnect(notice)
    assert (number > 0, still_open) == (True, [])


def test_a_browser_that_leaves_gives_its_place_back(site: Site) -> None:
    async def scenario() -> list[int]:
        places = []
        async with site.get("/live/") as answer:
            await answer.piece()
            places.append(len(site.hub._listeners))
        places.append(len(site.hub._listeners))
        return places

    assert asyncio.run(scenario()) == [1, 0]


def test_closing_the_hub_ends_the_answer(site: Site) -> None:
    async def scenario() -> list[str | None]:
        async with site.get("/live/") as answer:
            await answer.piece()
            site.hub.close()
            return [await answer.piece()]

    assert asyncio.run(scenario()) == [None]


def test_one_browser_too_many_is_told_so(site: Site) -> None:
    async def scenario() -> tuple[int, str]:
        site.hub._limit = 0
        async with site.get("/live/") as answer:
            return answer.status, await answer.text()

    assert asyncio.run(scenario()) == (503, "Too many pages are open at once; close one, this page then tries again.")


def test_a_meter_that_cannot_be_is_refused(site: Site) -> None:
    async def scenario() -> tuple[int, str]:
        async with site.get("/live/?meter=a/b") as answer:
            return answer.status, await answer.text()

    assert asyncio.run(scenario()) == (400, "meter: expected the meter's number, or nothing for all meters.")


def test_a_server_without_a_hub_says_so(browser: Client) -> None:
    answer = browser.get("/live/")
    assert (answer.status_code, answer.content.decode()) == (503, "This server has no live readings.")


@pytest.mark.django_db
def test_a_stranger_hears_nothing() -> None:
    answer = Client().get("/live/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/login/?next=/live/")
