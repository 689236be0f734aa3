"""The watchdog of a service: fed as long as each of its threads turns, whether or not anything comes from a meter."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Final, Self

from bridge.notify import Notifier

log = logging.getLogger("ticbridge")

_STATUS_EVERY: Final = 5.0  # seconds
_FEEDS: Final = 4  # in a period


class Pulse:
    """Of one thread: it beats at each turn. While it rests, in a wait that ends by itself, nothing is expected."""

    def __init__(self, name: str, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self._clock = clock
        self._at: float | None = None

    def beat(self) -> None:
        """One more turn."""
        self._at = self._clock()

    def rest(self) -> None:
        """Expect nothing until the next beat."""
        self._at = None

    @contextmanager
    def resting(self) -> Iterator[None]:
        """A wait that ends by itself."""
        self.rest()
        try:
            yield
        finally:
            self.beat()

    def silent_for(self) -> float:
        """Seconds since the last beat; 0 at rest."""
        at = self._at
        return 0.0 if at is None else self._clock() - at


class Watchdog:
    """Looks at the pulses in a thread of its own; feeds while all of them beat, and says what the service does.

    A thread that hangs for a period is named in the log, and nothing is fed until it turns again: systemd waits for
    one period more and starts the service again.
    """

    def __init__(
        self, pulses: Callable[[], Iterable[Pulse]], status: Callable[[], str], notifier: Notifier | None = None
    ) -> None:
        self._pulses = pulses
        self._status = status
        self._notifier = notifier or Notifier()
        self._stopping = threading.Event()
        self._hung: list[str] = []
        period = self._notifier.period
        self._every = _STATUS_EVERY if period is None else min(_STATUS_EVERY, period / _FEEDS)
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """The service is ready; nothing is done where nobody hears it."""
        if self._notifier.is_heard:
            self._notifier.ready(self._status())
            self._thread.start()

    def stop(self) -> None:
        """The service stops: from here on systemd counts the time of the stop alone."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._notifier.stopping()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None) -> None:
        self.stop()

    def turn(self) -> None:
        """Look once."""
        period = self._notifier.period
        hung = [pulse.name for pulse in self._pulses() if period is not None and pulse.silent_for() > period]
        if hung != self._hung:
            self._hung = hung
            if hung:
                log.error("Without a sign of life for %g s: %s; systemd will start us again", period, ", ".join(hung))
            else:
                log.warning("All parts turn again")
        self._notifier.tell(f"hangs: {', '.join(hung)}" if hung else self._status())
        if not hung:
            self._notifier.feed()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            self.turn()
