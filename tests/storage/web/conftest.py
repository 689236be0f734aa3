"""An owner, his browser, and a browser that speaks ASGI itself, for answers that never end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import Client
from django.utils import translation

from bridge.topics import Topics
from storage.asgi import Application
from storage.operations.fleet import Fleet
from storage.web.hub import Hub

ATTENTION = 5.0  # seconds after which a test gives up; nothing is measured by it


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A test that wants French says so."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    """The real hash takes half a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password="correct horse battery")


@pytest.fixture
def browser(owner: User) -> Client:
    """Logged in, and English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner)
    return client


class NoSource:
    """Feeds nothing: the test does."""

    pulses = ()

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")


@dataclass
class Answer:
    """What the application sends, as it comes."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)  # None: the end
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    async def piece(self) -> str | None:
        return await asyncio.wait_for(self.pieces.get(), ATTENTION)

    async def text(self) -> str:
        whole = ""
        while (piece := await self.piece()) is not None:
            whole += piece
        return whole


class Site:
    """The whole application around a hub."""

    def __init__(self, cookie: str) -> None:
        self.hub = Hub()
        self.fleet = Fleet(Topics())
        self.source = NoSource()
        self.application = Application(get_asgi_application(), self.hub, self.fleet, self.source)
        self._cookie = cookie

    @asynccontextmanager
    async def get(self, path: str) -> AsyncIterator[Answer]:
        """Ask, and stay until the block ends."""
        answer = Answer()
        task = asyncio.create_task(self.application(self._scope(path), self._receive(answer), self._send(answer)))
        while not answer.status:
            await asyncio.wait({task, asyncio.create_task(asyncio.sleep(0.001))}, return_when="FIRST_COMPLETED")
        try:
            yield answer
        finally:
            answer.leave.set()
            await asyncio.wait_for(task, ATTENTION)

    def _scope(self, path: str) -> dict[str, Any]:
        path, _, query = path.partition("?")
        headers = [(b"host", b"localhost"), (b"cookie", self._cookie.encode()), (b"accept-language", b"en")]
        return {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http", "asgi": {"version": "3.0"},
        }  # fmt: skip

    def _receive(self, answer: Answer) -> Any:
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for event in asked:
                return event
            await answer.leave.wait()
            return {"type": "http.disconnect"}

        return receive

    def _send(self, answer: Answer) -> Any:
        async def send(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                answer.headers = {name.decode().lower(): value.decode() for name, value in event["headers"]}
                answer.status = event["status"]
                return
            if event.get("body"):
                answer.pieces.put_nowait(event["body"].decode())
            if not event.get("more_body"):
                answer.pieces.put_nowait(None)

        return send


@pytest.fixture
def site(transactional_db: None, owner: User, monkeypatch: pytest.MonkeyPatch) -> Site:
    """For tests that run an event loop: requests then have threads of their own, so rows must be committed.

    And no thread keeps a connection, as none does in the web process: see storage/web/settings.py.
    """
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    client = Client()
    client.force_login(owner)
    name = django_settings.SESSION_COOKIE_NAME
    return Site(f"{name}={client.cookies[name].value}")
