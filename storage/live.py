"""What comes from the broker to the pages and to those who watch: one connection for the whole process.

Nothing here is acknowledged or stored; a reading that is missed is only missed on the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final, NamedTuple

from bridge.config import Settings
from bridge.envelope import Envelope, EnvelopeError, read_envelope
from bridge.mqtt import Link, Received
from bridge.topics import OFFLINE, ONLINE, Topics
from storage.latest import SELDOM, Fresh, read_field, subscriptions, with_field
from storage.operations.fleet import Fleet
from storage.web.hub import Hub

log = logging.getLogger("ticbridge.web")

_ROOM: Final = 1000  # messages that wait for the event loop; older ones are dropped
_PATIENCE: Final = 1.0  # seconds that a stop waits for the broker


class _Status(NamedTuple):
    meter: str
    online: bool


class Live:
    """Feeds a hub and a fleet."""

    def __init__(
        self, settings: Settings, hub: Hub, fleet: Fleet, client: str, clock: Callable[[], float] = monotonic
    ) -> None:
        self._topics = Topics(settings.mqtt.base_topic)
        self._hub = hub
        self._fleet = fleet
        self._clock = clock
        self._follows_fields = settings.reading.interval > SELDOM
        self._inbox: deque[tuple[Envelope | _Status | Fresh, float]] = deque(maxlen=_ROOM)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._link = Link(
            settings.mqtt,
            f"ticbridge-web-{settings.bridge.id}-{client}",
            subscriptions=[
                *((self._topics.meter("+", leaf), 0) for leaf in ("status", "reading")),
                *(subscriptions(self._topics) if self._follows_fields else ()),
                *fleet.subscriptions,
            ],
            on_message=self.take,
            on_ready=lambda: self._is_connected(True),
            on_lost=lambda: self._is_connected(False),
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect, and feed the hub on `loop`."""
        self._loop = loop
        self._link.start()

    def stop(self) -> None:
        """Disconnect. A broker that does not answer must not hold up the stop, so the wait for it is short."""
        goodbye = threading.Thread(target=self._link.stop, name="mqtt stop", daemon=True)
        goodbye.start()
        goodbye.join(_PATIENCE)

    def take(self, received: Received) -> None:
        """A message, on the broker's thread: read it there and hand it over to the loop."""
        if self._fleet.hear(received.topic, received.payload):
            return
        news = self._read(received)
        if news is None or self._loop is None:
            return
        self._inbox.append((news, self._clock()))
        if len(self._inbox) == 1:  # else a drain is under way and will come to this one
            with contextlib.suppress(RuntimeError):  # the loop ended just now
                self._loop.call_soon_threadsafe(self._drain)

    def _is_connected(self, is_it: bool) -> None:
        self._fleet.connected = is_it

    def _read(self, received: Received) -> Envelope | _Status | Fresh | None:
        """What a message says; None for those that the page has no use for."""
        if received.topic.endswith("/status"):
            meter, word = self._topics.meter_of(received.topic), received.payload
            return _Status(meter, word == ONLINE.encode()) if meter and word in _WORDS else None
        if self._follows_fields and not received.topic.endswith("/reading"):
            return read_field(self._topics, received)
        if received.retain:
            return None  # readings are never retained; one that is would look new at each connection
        try:
            envelope = read_envelope(self._topics, received.topic, received.payload)
        except EnvelopeError as error:
            log.debug("A message on %s is not a reading: %s", received.topic, error)
            return None
        return None if envelope.replay else envelope

    def _drain(self) -> None:
        while self._inbox:
            news, at = self._inbox.popleft()
            if isinstance(news, _Status):
                self._hub.hear_status(news.meter, news.online)
            elif isinstance(news, Fresh):
                self._hear_field(news, at)
            else:
                self._hub.hear_reading(news, at)

    def _hear_field(self, fresh: Fresh, at: float) -> None:
        known = self._hub.last(fresh.meter)
        if known is not None and known.envelope is not None:  # else the page shows what is stored
            self._hub.hear_reading(with_field(known.envelope, fresh, datetime.now(UTC)), at)


_WORDS: Final = (ONLINE.encode(), OFFLINE.encode())
