"""The web process as one application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.topics import Topics
from storage.asgi import Application, build
from storage.operations.fleet import Fleet
from storage.web.hub import Hub
from tests.storage.web.conftest import NoSource


def live_through(application: Application, during: Any) -> list[str]:
    """Start, run `during`, stop, as a server does; what the application answered."""
    sent: list[str] = []

    async def scenario() -> None:
        events = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, str]:
            kind = next(events)
            if kind == "lifespan.shutdown":
                await during()
            return {"type": kind}

        async def send(event: dict[str, str]) -> None:
            sent.append(event["type"])

        await application({"type": "lifespan"}, receive, send)

    asyncio.run(scenario())
    return sent


def test_the_source_lives_as_long_as_the_server() -> None:
    source, hub = NoSource(), Hub()

    async def during() -> None:
        assert (source.calls, hub.closed) == (["start"], False)

    sent = live_through(Application(None, hub, Fleet(Topics()), source), during)
    assert (sent, source.calls, hub.closed) == (
        ["lifespan.startup.complete", "lifespan.shutdown.complete"],
        ["start", "stop"],
        True,
    )


def test_streams_can_be_ended_from_outside_the_loop() -> None:
    hub = Hub()
    application = Application(None, hub, Fleet(Topics()), NoSource())

    async def during() -> None:
        await asyncio.to_thread(application.close)
        await asyncio.sleep(0)
        assert hub.closed

    live_through(application, during)


def test_closing_before_the_start_does_nothing() -> None:
    hub = Hub()
    Application(None, hub, Fleet(Topics()), NoSource()).close()
    assert not hub.closed


@pytest.mark.django_db
def test_the_settings_make_an_application() -> None:
    assert isinstance(build(), Application)
