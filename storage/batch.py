"""Readings to the database, a batch at a time: when a batch is full, and what to do when it cannot be written."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol, TypeVar

import django.db
from django.db import close_old_connections, connection

from bridge.config import BatchSettings
from bridge.topics import Topics
from bridge.watchdog import Pulse
from storage.ingest import Incoming, Outcome, ingest
from storage.selection import EVERYTHING, Selection

log = logging.getLogger("ticbridge.store")

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_FIRST_WAIT: Final = 0.5  # seconds between two tries to write
_MAX_WAIT: Final = 30.0
_LOCKED_TRIES: Final = 20
_LOCKED_WAIT: Final = 0.1  # seconds; the database has waited for the lock before it says so
_SAID_EVERY: Final = 60.0  # seconds between two lines about readings that are left out
_MOST_NAMES: Final = 8
_GLANCE: Final = 0.2  # seconds after which we look up from an empty queue


class Inbox(Protocol[_T_co]):
    """What of a `queue.SimpleQueue` is used."""

    def get(self, block: bool = True, timeout: float | None = None) -> _T_co: ...

    def get_nowait(self) -> _T_co: ...


class WriteError(Exception):
    """The database refused too often in a row; the text is a sentence for the owner."""


class Stopping(Protocol):
    """What of a `threading.Event` is used."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


def collect(inbox: Inbox[_T], limits: BatchSettings, is_over: Callable[[], bool]) -> list[_T]:
    """One batch: full, as old as a batch may become, or what was there when it was over. Empty only then."""
    batch: list[_T] = []
    until = monotonic() + limits.seconds
    while len(batch) < limits.rows and not is_over():
        try:
            batch.append(inbox.get(timeout=min(_GLANCE, max(0.0, until - monotonic()))))
            while len(batch) < limits.rows:  # what waits is taken without looking up
                batch.append(inbox.get_nowait())
        except queue.Empty:
            if not batch:
                until = monotonic() + limits.seconds  # a batch is as old as its first reading
            elif monotonic() >= until:
                break
    return batch


@dataclass
class Writer:
    """Writes batches, and tries again as long as the database is away; `total` is what they came to.

    With `max_errors` it gives up after so many failing tries in a row. A database that another program holds locked is
    waited for first: that is no error yet.
    """

    topics: Topics
    stopping: Stopping
    selection: Selection = EVERYTHING
    clock: Callable[[], float] = monotonic
    max_errors: int | None = None
    pulse: Pulse = field(default_factory=lambda: Pulse("storing"))

    def __post_init__(self) -> None:
        self.total = Outcome()
        self.in_trouble = False  # the database cannot be written just now
        self._left_out = Outcome()  # since that was said last
        self._said_at = -_SAID_EVERY

    def write(self, batch: Sequence[Incoming]) -> Outcome | None:
        """Write and commit; None when that could not be done before we were told to stop."""
        delay, locked, errors = _FIRST_WAIT, 0, 0
        said = ""
        while True:
            try:
                outcome = ingest(self.topics, batch, self.selection)
                break
            except django.db.Error as error:
                # Unacknowledged messages come back only after a reconnect, so what we have must be kept and tried.
                if str(error) != said:
                    said = str(error)
                    log.error("The database cannot be written (%s); trying again until it can", said.strip())
                if self.max_errors is not None and _is_locked(error) and locked < _LOCKED_TRIES:
                    locked += 1
                    if self._wait(_LOCKED_WAIT):
                        return None
                    continue
                connection.close()
                errors += 1
                if errors == self.max_errors:
                    raise WriteError(
                        f"The database could not be written {errors} times in a row ({said.strip()}): "
                        "does it run, is there room on the disk?"
                    ) from None
                self.in_trouble = True
                if self._wait(delay):
                    return None
                delay = min(2 * delay, _MAX_WAIT)
        self.in_trouble = False
        if said:
            log.info("The database can be written again")
        self._count(outcome)
        close_old_connections()
        return outcome

    def _wait(self, seconds: float) -> bool:
        with self.pulse.resting():
            return self.stopping.wait(seconds)

    def _count(self, outcome: Outcome) -> None:
        self.total.stored += outcome.stored
        self.total.duplicates += outcome.duplicates
        self.total.mismatched += outcome.mismatched
        self.total.dead += outcome.dead
        self.total.lacking += outcome.lacking
        self._left_out.lacking += outcome.lacking
        self._left_out.missed += outcome.missed
        if self._left_out.lacking and self.clock() - self._said_at >= _SAID_EVERY:
            missed = ", ".join(slug for slug, _ in self._left_out.missed.most_common(_MOST_NAMES))
            log.warning("%d readings were left out, since storage.required was not all there (%s)",
                        self._left_out.lacking, missed)  # fmt: skip
            self._left_out, self._said_at = Outcome(), self.clock()


def _is_locked(error: django.db.Error) -> bool:
    """Whether another program writes just now (SQLite); PostgreSQL waits by itself."""
    return isinstance(error, django.db.OperationalError) and "locked" in str(error)
