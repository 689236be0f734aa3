"""What the parts of a check look at, and what one finds that another needs."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.config import Settings
from bridge.port import SerialSource, SourceError
from bridge.tic.catalogue import Mode
from ticbridge.commands.check.machine import Machine
from ticbridge.commands.check.visit import Visit


@dataclass(slots=True)
class Place:
    """A meter's port, as the port's part left it for the line's."""

    name: str  # of the port
    mode: Mode | None  # that is configured
    source: SerialSource | None = None  # opened
    is_ours: bool = False  # a bridge of ours reads it


@dataclass
class Scene:
    """A machine, a configuration, and what was found out so far."""

    settings: Settings
    machine: Machine = field(default_factory=Machine)
    problems: tuple[str, ...] = ()  # of the configuration
    origin: str | None = None  # the file that it was read from
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    places: dict[int, list[Place]] = field(default_factory=dict)  # by the number of the meter
    apart: timedelta | None = None  # the host's clock less a meter's
    _visit: Visit | None = None
    _visiting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def visit(self) -> Visit:
        """The broker, visited once: whichever part asks first, the others wait for it."""
        with self._visiting:
            self._visit = self._visit or Visit(self.settings)
            return self._visit

    def close(self) -> None:
        """Give everything back."""
        if self._visit is not None:
            self._visit.close()
        for places in self.places.values():
            for place in places:
                if place.source is not None:
                    with suppress(SourceError, OSError):
                        place.source.close()
