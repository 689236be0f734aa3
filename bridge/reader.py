"""A source that is read for ever: whatever breaks, it is opened again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final, Generic, Protocol, TypeVar

from bridge.config import MeterSettings
from bridge.detect import Cause, Verdict
from bridge.guard import Checked, Memory, Moment
from bridge.line import Line
from bridge.source import Clock, Source, SourceEnded, SourceError, UnheardError, open_source

log = logging.getLogger("ticbridge.bridge")

_REMEMBER_EVERY: Final = 600.0
_BACKOFF: Final = (1.0, 30.0)  # "back by itself within 30 s"


class Taker(Protocol):
    """What is done with the frames of a source: `bridge.meter.Meter`, as a rule."""

    def take(self, frame: Checked, /) -> None:
        """A frame came."""

    def tick(self, now: float, /) -> None:
        """Time went by."""

    def gone(self) -> None:
        """The source broke."""


_T = TypeVar("_T", bound=Taker)


class Reader(threading.Thread, Generic[_T]):
    """Reads one source for ever: opens it, feeds what arrives, opens it again when it breaks.

    One `Line` serves an opening, whatever is found out about its speed meanwhile: while a port stays open the same
    meter stands behind it, and a meter that changes its mode keeps its address and its indexes.
    """

    def __init__(
        self,
        settings: MeterSettings,
        meter: _T,
        stopping: threading.Event,
        opener: Callable[..., Source] = open_source,
        clock: Clock = monotonic,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(name=f"reader {settings.source}", daemon=True)
        self._settings = settings
        self._stopping = stopping
        self._open = opener
        self._clock = clock
        self.trouble = ""  # why it is not read or not understood: the sentence that was said last, until it is over
        self.cause: Cause | None = None  # what was found out about the line then
        self._unheard = False  # the last opening ended in silence or noise
        self._speeds: dict[str, int] = {}  # that worked last, by port
        self._memory: Memory = {} if memory is None else memory
        self.meter = meter
        self.source_ok = False
        self.ended = False

    @property
    def source(self) -> str:
        """As the configuration names it."""
        return self._settings.source

    def run(self) -> None:
        delay = _BACKOFF[0]
        while not self._stopping.is_set() and not self.ended:
            started, unheard = self._clock(), False
            try:
                self._read_until_it_breaks()
            except UnheardError as error:
                unheard = True
                self._say(str(error), error.cause)
            except SourceError as error:
                self._say(str(error), None)
            except Exception:
                log.exception("Reading %s failed; opening it again", self._settings.source)
            self._unheard = unheard
            if unheard:  # the source is there; it took its time to find out, so nothing is gained by more of it
                delay = _BACKOFF[0]
            else:
                delay = _BACKOFF[0] if self._clock() - started > _BACKOFF[1] else min(delay * 2, _BACKOFF[1])
                self.source_ok = False
                self.meter.gone()
            self._idle(delay)

    def _read_until_it_breaks(self) -> None:
        source = self._open(self._settings.source, self._settings.tic_mode, self._hear, self._speeds, self._clock)
        if not self._unheard:
            self._is_well()
            log.info("Reading %s", self._settings.source)
        line = Line(self._settings.tic_mode, self._settings.id, self._settings.zone, memory=self._memory)
        try:
            self.source_ok = True
            self._feed(source, line)
        finally:
            line.remember()
            source.close()

    def _feed(self, source: Source, line: Line) -> None:
        remembered = self._clock()
        while not self._stopping.is_set():
            try:
                piece = source.read()
            except SourceEnded:
                for frame in line.flush():
                    self.meter.take(frame)
                log.info("%s is read to its end", self._settings.source)
                self.ended = True
                return
            now = Moment(datetime.now(UTC), self._clock())
            for frame in line.feed(piece, now) if piece else ():
                self.meter.take(frame)
            self.meter.tick(now.monotonic)
            if now.monotonic - remembered >= _REMEMBER_EVERY:
                remembered = now.monotonic
                line.remember()

    def _idle(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._stopping.wait(0.2) and self._clock() < until:
            self.meter.tick(self._clock())

    def _hear(self, verdict: Verdict, port: str) -> None:
        """What was found out about the line, while it is read."""
        sentence = verdict.sentence(port)
        if verdict.cause is Cause.PROVEN:
            self._unheard = False
            self._is_well()
            log.info("%s", sentence)
        elif sentence != self.trouble:
            self.trouble, self.cause = sentence, verdict.cause
            log.warning("%s", sentence)

    def _say(self, sentence: str, cause: Cause | None) -> None:
        """Why it cannot be read."""
        if sentence != self.trouble:
            log.warning("%s Trying again until it works", sentence if sentence.endswith("?") else f"{sentence}.")
            self.trouble, self.cause = sentence, cause

    def _is_well(self) -> None:
        self.trouble, self.cause = "", None
