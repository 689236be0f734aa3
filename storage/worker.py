"""What the store does beside storing, in a thread of its own: roll-ups, costs, retention, a look at the disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import django.db
from django.db import connection

from bridge.config import StorageSettings
from bridge.watchdog import Pulse
from storage.budget import measure
from storage.retention import purge
from storage.rollups import roll_up
from storage.tariffs.daily import reckon

log = logging.getLogger("ticbridge.store")

EVERY: Final = 60.0  # seconds between two turns
_PURGE_EVERY: Final = 600.0
_LOOK_EVERY: Final = 3600.0
_SAY_EVERY: Final = 86_400.0


class Worker(threading.Thread):
    """Turns until stopped. What fails is tried again at the next turn: the marks stay where they are."""

    def __init__(
        self,
        settings: StorageSettings,
        *,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(name="roll-ups", daemon=True)
        self._settings = settings
        self._clock = clock
        self._now = now
        self._is_behind = is_behind  # whether readings wait to be stored
        self._stopping = threading.Event()
        self._due: dict[str, float] = {}
        self._said = ""
        self.pulse = Pulse("roll-ups")

    def stop_soon(self) -> None:
        """End after the transaction that is under way."""
        self._stopping.set()

    def stop(self) -> None:
        """Wait for it, as long as a stop may take."""
        self.stop_soon()
        self.join(2.0)

    def run(self) -> None:
        while not self._stopping.is_set():
            self.pulse.beat()
            self.turn()
            with self.pulse.resting():
                self._stopping.wait(EVERY)
        self.pulse.rest()
        connection.close()

    def turn(self) -> None:
        """Everything that is due."""
        try:
            self._work(roll_up())
            self._work(reckon())
            if self._is_due("purge", _PURGE_EVERY):
                self._work(purge(self._settings.keep, self._now()))
            if self._is_due("look", _LOOK_EVERY):
                self._look()
            self._said = ""
        except django.db.Error as error:
            self._fail(str(error).strip())
            connection.close()
        except Exception:
            log.exception("Rolling up failed; trying again in a minute")
            connection.close()

    def _work(self, transactions: Iterator[int]) -> None:
        """Take the database for half of the time at most, for a tenth while readings wait: they come first."""
        began = self._clock()
        for _ in transactions:
            self.pulse.beat()
            took = self._clock() - began
            if self._stopping.wait(min(1.0, 9 * took if self._is_behind() else took)):
                return
            began = self._clock()

    def _is_due(self, what: str, every: float) -> bool:
        now = self._clock()
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + every
        return True

    def _look(self) -> None:
        warning = measure(self._settings.budget).warning
        if warning and self._is_due("say", _SAY_EVERY):
            log.warning("%s", warning)

    def _fail(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            log.error("The database cannot be rolled up (%s); trying again until it can", sentence)
