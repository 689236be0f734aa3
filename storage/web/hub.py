"""What each meter said last, and who listens: readings to any number of browsers, none of which holds up another.

Lives on the event loop and knows nothing of where readings come from: `storage.live` feeds it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from bridge.envelope import Envelope

MAX_LISTENERS: Final = 100
MAX_METERS: Final = 1000  # whoever may publish could otherwise invent meters until memory ends
HUB: Final = "ticbridge.hub"  # where an ASGI scope carries it
ROOM: Final = 16  # news that wait for a slow listener; older ones are dropped


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a meter right now. Frozen: threads of views look at it while the loop goes on."""

    meter: str
    envelope: Envelope | None = None  # its newest reading
    at: float = 0.0  # when that came, in monotonic seconds
    online: bool | None = None  # its status topic


@dataclass(frozen=True, slots=True)
class Changed:
    """An entity that was changed on a page or by the API."""

    type: str  # its model, as in `tariffs.contract`
    uuid: str
    status: str  # created, updated, deleted
    meter: str | None = None  # the number of the one that it belongs to; None: it belongs to none


News = Heard | Changed


class Listener:
    """One browser's queue."""

    def __init__(self, meter: str | None, seen: frozenset[str] | None = None) -> None:
        self._meter = meter  # None: every meter
        self._seen = seen  # None: every meter
        self._news: deque[News] = deque(maxlen=ROOM)
        self._awake = asyncio.Event()

    def wants(self, meter: str | None) -> bool:
        """Whether news of this meter are for him."""
        return self._meter in (None, meter) and (self._seen is None or meter in self._seen)

    def wants_change(self, changed: Changed) -> bool:
        """What belongs to no meter is everybody's."""
        return self._seen is None or changed.meter is None or changed.meter in self._seen

    def put(self, news: News) -> None:
        """Never waits; drops the oldest when there is no room."""
        self._news.append(news)
        self._awake.set()

    def wake(self) -> None:
        """End the wait in `next` with nothing."""
        self._awake.set()

    async def next(self, patience: float) -> News | None:
        """The next news; None when there were none for `patience` seconds."""
        if not self._news:
            self._awake.clear()
            try:
                await asyncio.wait_for(self._awake.wait(), patience)
            except TimeoutError:
                return None
        return self._news.popleft() if self._news else None


class Hub:
    """Spreads what is heard. All methods but `last` and `meters` belong to the event loop's thread."""

    def __init__(self, limit: int = MAX_LISTENERS) -> None:
        self._limit = limit
        self._heard: dict[str, Heard] = {}
        self._listeners: set[Listener] = set()
        self.closed = False

    def last(self, meter: str) -> Heard | None:
        """What is known of a meter."""
        return self._heard.get(meter)

    def meters(self) -> list[str]:
        """The meters that sent a reading."""
        return sorted(heard.meter for heard in tuple(self._heard.values()) if heard.envelope is not None)

    def hear_reading(self, envelope: Envelope, at: float) -> None:
        """A meter spoke at `at`, in monotonic seconds."""
        known = self._known(envelope.meter)
        if known is not None:
            self._spread(replace(known, envelope=envelope, at=at, online=True))

    def hear_status(self, meter: str, online: bool) -> None:
        """A bridge says whether it hears a meter."""
        known = self._known(meter)
        if known is not None and known.online != online:
            self._spread(replace(known, online=online))

    def hear_change(self, changed: Changed) -> None:
        """An entity is another now: whoever shows it may ask for it again."""
        for listener in self._listeners:
            if listener.wants_change(changed):
                listener.put(changed)

    @contextmanager
    def listen(self, meter: str | None = None, seen: frozenset[str] | None = None) -> Iterator[Listener]:
        """Receive news of one meter, or of all, as far as they are among those that are `seen`; beginning with what
        is known.
        """
        listener = Listener(meter, seen)
        for heard in tuple(self._heard.values()):
            if listener.wants(heard.meter):
                listener.put(heard)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def full(self) -> bool:
        """Whether as many listen as may."""
        return len(self._listeners) >= self._limit

    def close(self) -> None:
        """End every stream: the server stops."""
        self.closed = True
        for listener in self._listeners:
            listener.wake()

    def _known(self, meter: str) -> Heard | None:
        if meter not in self._heard and len(self._heard) >= MAX_METERS:
            return None
        return self._heard.get(meter, Heard(meter))

    def _spread(self, heard: Heard) -> None:
        self._heard[heard.meter] = heard
        for listener in self._listeners:
            if listener.wants(heard.meter):
                listener.put(heard)
