"""The web process as one ASGI application: Django, and what its pages hear live."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from django.core.asgi import get_asgi_application

from bridge.topics import Topics
from storage.live import Live
from storage.operations.fleet import FLEET, Fleet
from storage.web.hub import HUB, Hub

if TYPE_CHECKING:
    from storage.web.ingress import Ingress


class Source(Protocol):
    """Whatever feeds the hub."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None: ...

    def stop(self) -> None: ...


class Application:
    """Puts hub and fleet into each request; starts and stops its sources with the server (ASGI's lifespan)."""

    def __init__(self, django: Any, hub: Hub, fleet: Fleet, *sources: Source) -> None:  # Any: ASGI has no type
        self._django = django
        self._hub = hub
        self._fleet = fleet
        self._sources = sources
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # ASGI's own shapes
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._django({**scope, HUB: self._hub, FLEET: self._fleet}, receive, send)

    def close(self) -> None:
        """End the streams. Callable from any thread and from a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hub.close)

    async def _lifespan(self, receive: Any, send: Any) -> None:  # as above
        await receive()
        self._loop = asyncio.get_running_loop()
        for source in self._sources:
            source.start(self._loop)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._hub.close()
        for source in self._sources:
            source.stop()
        await send({"type": "lifespan.shutdown.complete"})


def build() -> Application | Ingress:
    """The application on the settings of this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storage.settings")
    django = get_asgi_application()  # first: it sets Django up
    from django.conf import settings  # noqa: PLC0415  not readable before

    hub, fleet = Hub(), Fleet(Topics(settings.TICBRIDGE.mqtt.base_topic))
    from storage.web.changes import Changes  # noqa: PLC0415  models, as above
    from storage.web.ingress import Ingress  # noqa: PLC0415  as above

    live = Live(settings.TICBRIDGE, hub, fleet, secrets.token_hex(4))
    application = Application(django, hub, fleet, live, Changes(hub))
    web = settings.TICBRIDGE.web
    return Ingress(application, [str(proxy) for proxy in web.proxies]) if web.ingress else application
