"""Where the meter's bytes come from: a serial port, a network port, a recorded file, standard input, a simulation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import BinaryIO, Protocol

from bridge.detect import SPEEDS, Cause, Search, Verdict, Watch
from bridge.port import PATIENCE, PIECE, SerialSource, SourceError, find_ports
from bridge.tic.catalogue import BAUD, Mode

__all__ = ["Source", "SourceEnded", "SourceError", "UnheardError", "open_source"]

Tell = Callable[[Verdict, str], None]  # takes what was found out about a line, and the line's name
Clock = Callable[[], float]  # seconds, never stepping


class UnheardError(SourceError):
    """The source is there, and nothing that can be understood comes from it. It may at any time."""

    def __init__(self, sentence: str, why: str = "cannot be read", cause: Cause | None = None) -> None:
        super().__init__(sentence, why)
        self.cause = cause  # None: one for each of several ports


class SourceEnded(Exception):  # noqa: N818  an end, not an error
    """There is nothing more to read: a file's end."""


class Source(Protocol):
    """An open source of bytes."""

    def read(self) -> bytes:
        """What arrived within a short time, possibly nothing. `SourceError` when it broke, `SourceEnded` at its end.

        Eight bits each: an adapter that reads eight hands the parity over as bit 7.
        """

    def close(self) -> None:
        """Give it back."""


def open_source(
    spec: str,
    mode: Mode | None,
    tell: Tell = lambda *_: None,
    known: dict[str, int] | None = None,
    clock: Clock = time.monotonic,
) -> Source:
    """Open `auto`, `/dev/...`, `socket://host:port`, `rfc2217://host:port`, `sim:tempo`, `-` or a file.

    With `mode` None the speed of a port is found by listening. `known` is the speed that worked last, by port: it is
    tried first, and kept up to date.
    """
    ears = _Ears(mode, tell, {} if known is None else known, clock)
    if spec == "auto":
        return _open_auto(find_ports(), ears)
    if spec.startswith("sim:"):
        return SimulatedSource(spec.removeprefix("sim:"))
    if spec.startswith(("/dev/", "rfc2217://")):
        return ears.found(spec) if mode is None else ears.fixed(spec, mode)
    if spec.startswith("socket://"):
        return Watched(SerialSource(spec), spec, Watch(clock(), wanted=mode), tell, clock)
    return Watched(FileSource(spec), spec, Watch(clock(), wanted=mode, patience=inf), tell, clock)


# --- listening to a port -------------------------------------------------------------------------


class Watched:
    """A source that is read as it is, and watched: what its bytes show is told, silence ends it.

    A port that was silent is opened again: that revives a frozen adapter and a half-open connection.
    """

    def __init__(self, source: Source, name: str, watch: Watch, tell: Tell, clock: Clock) -> None:
        self._source = source
        self._name = name
        self._watch = watch
        self._tell = tell
        self._clock = clock

    def read(self) -> bytes:
        piece = self._source.read()
        verdict = self._watch.hear(piece, self._clock())
        if verdict is not None:
            if verdict.cause is Cause.SILENT:
                raise _unheard(verdict, self._name)
            self._tell(verdict, self._name)
        return piece

    def close(self) -> None:
        self._source.close()


class Found:
    """A port that is listened to until one of `speeds` proves itself, and again whenever it does not any more.

    Meanwhile nothing is handed on. What is handed on first begins with an STX, so that what was damaged before and
    what is good now never meet in one frame.
    """

    def __init__(self, name: str, speeds: Sequence[int], ears: _Ears) -> None:
        self._name = name
        self._speeds = list(speeds)
        self._ears = ears
        self._search: Search | None = Search(speeds, ears.clock(), ears.mode)
        self._port = SerialSource(name, speeds[0])

    @property
    def is_proven(self) -> bool:
        """Whether it speaks TIC, as far as we know now."""
        return self._search is None

    def read(self) -> bytes:
        piece, now = self._port.read(), self._ears.clock()
        if self._search is not None:
            return self._listen(self._search, piece, now)
        verdict = self._watch.hear(piece, now)
        if verdict is not None:
            self._heed(verdict, now)
        return piece

    def close(self) -> None:
        self._port.close()

    def _listen(self, search: Search, piece: bytes, now: float) -> bytes:
        speed = search.speed
        verdict = search.hear(piece, now)
        if verdict is None:
            if search.speed != speed:
                self._port.tune(search.speed)
            return b""
        if verdict.cause is not Cause.PROVEN:
            raise _unheard(verdict, self._name)
        self._search = None
        self._watch = Watch(now, speed, self._ears.mode, mode=verdict.mode)
        self._ears.known[self._name] = speed
        self._ears.tell(verdict, self._name)
        return search.kept

    def _heed(self, verdict: Verdict, now: float) -> None:
        if verdict.cause is Cause.SILENT:
            raise _unheard(verdict, self._name)
        lost = verdict.cause in (Cause.NOISE, Cause.SLOWER)
        if lost and len(self._speeds) > 1:
            # Its speed is the least likely one now; the line stays open, so it is still the same meter's.
            [speed] = verdict.speeds
            self._speeds.sort(key=lambda other: other == speed)
            self._search = Search(self._speeds, now)
            self._port.tune(self._search.speed)
            return
        self._ears.tell(verdict, self._name)
        if verdict.cause is Cause.NOT_RAW:
            self._port.tune(verdict.speeds[0])


class AnyPort:
    """`auto` where there are several ports: each is tried in turn, and the first that speaks TIC is read."""

    def __init__(self, names: Sequence[str], open_port: Callable[[str], Found]) -> None:
        self._names = list(names)
        self._open = open_port
        self._port: Found | None = None
        self._is_chosen = False
        self._findings: list[str] = []
        self._unheard = False

    def read(self) -> bytes:
        if self._port is not None and self._is_chosen:
            return self._port.read()
        try:
            if self._port is None:
                self._port = self._open(self._names[0])
            piece = self._port.read()
        except SourceError as error:
            self._findings.append(f"{self._names.pop(0)} {error.why}")
            self._unheard |= isinstance(error, UnheardError)
        else:
            self._is_chosen = self._port.is_proven
            return piece
        self.close()
        if self._names:
            return b""
        error_type = UnheardError if self._unheard else SourceError
        raise error_type(
            f"No port speaks TIC ({', '.join(self._findings)}): connect I1 and I2 to one of them, or name the port"
        )

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


class _Ears:
    """How ports are listened to: which mode is wanted, who is told, what is known from earlier, what time it is."""

    def __init__(self, mode: Mode | None, tell: Tell, known: dict[str, int], clock: Clock) -> None:
        self.mode = mode
        self.tell = tell
        self.known = known
        self.clock = clock

    def found(self, name: str) -> Found:
        """A port that has to prove itself: at any speed, or at that of the wanted mode."""
        if self.mode is not None:
            return Found(name, [BAUD[self.mode]], self)
        last = self.known.get(name, SPEEDS[0])
        return Found(name, [last, *(speed for speed in SPEEDS if speed != last)], self)

    def fixed(self, name: str, mode: Mode) -> Watched:
        """A port whose mode, and so whose speed, the owner chose."""
        speed = BAUD[mode]
        return Watched(SerialSource(name, speed), name, Watch(self.clock(), speed, mode), self.tell, self.clock)


def _open_auto(names: list[str], ears: _Ears) -> Source:
    if not names:
        raise SourceError("source: auto found no serial adapter: plug it in, or name the port")
    if len(names) == 1:
        return ears.found(names[0]) if ears.mode is None else ears.fixed(names[0], ears.mode)
    return AnyPort(sorted(names, key=lambda name: name not in ears.known), ears.found)


def _unheard(verdict: Verdict, name: str) -> UnheardError:
    return UnheardError(verdict.sentence(name), verdict.why, verdict.cause)


# --- what is no port -----------------------------------------------------------------------------


class FileSource:
    """A recorded file, or standard input as `-`."""

    def __init__(self, spec: str) -> None:
        try:
            self._file: BinaryIO = sys.stdin.buffer if spec == "-" else Path(spec).open("rb")  # noqa: SIM115  closed by close()
        except IsADirectoryError:
            raise SourceError(f"{spec} is a folder: name a file in it") from None
        except OSError as error:
            raise SourceError(f"{spec} cannot be read ({error.strerror}): is the name right?") from None

    def read(self) -> bytes:
        # read1: on a pipe, what is there, not a full buffer
        piece = self._file.read1(PIECE)  # type: ignore[attr-defined]  # both are buffered readers
        if not piece:
            raise SourceEnded
        return bytes(piece)

    def close(self) -> None:
        if self._file is not sys.stdin.buffer:
            self._file.close()


class SimulatedSource:
    """A meter that does not exist, at its own pace."""

    def __init__(self, text: str, sleep: Callable[[float], None] = time.sleep) -> None:
        from bridge.simulated.meter import SimulatedMeter, read_plan  # noqa: PLC0415  a real meter needs none of it

        try:
            plan, self._speed = read_plan(text)
        except ValueError as error:
            raise SourceError(f"sim:{text}: {error} (for instance sim:tempo?mode=historique&phases=3)") from None
        self._sleep = sleep
        self._now = datetime.now(UTC)
        self._meter = SimulatedMeter(plan, self._now)
        self._wait = 0.0

    def read(self) -> bytes:
        step = min(self._wait, PATIENCE)
        if step > 0:
            self._sleep(step)
            self._wait -= step
            return b""
        frame = self._meter.frame(self._now)
        seconds = self._meter.seconds(frame)
        self._now += timedelta(seconds=seconds)
        self._wait = seconds / self._speed
        return frame

    def close(self) -> None:
        """Nothing to give back."""
