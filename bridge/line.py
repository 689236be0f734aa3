"""One source's bytes to checked frames: framer, decoder and guard in a row. The bridge and `decode` share it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from bridge.guard import Checked, Guard, Memory, Moment
from bridge.tic.catalogue import BAUD, Mode
from bridge.tic.decode import Decoder
from bridge.tic.framing import Framer
from bridge.tic.parity import Parity
from bridge.tic.values import PARIS


class Line:
    """Made anew each time that a source is opened: what stands behind the port may be another meter."""

    def __init__(
        self,
        mode: Mode | None = None,
        configured: str | None = None,
        zone: ZoneInfo = PARIS,
        *,
        guarded: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self.framer = Framer()
        self.parity = Parity()
        self._decoder = Decoder(mode, zone)
        self._guard = Guard(configured, memory) if guarded else None
        self._last = Moment.never()

    def feed(self, piece: bytes, at: Moment) -> Iterator[Checked]:
        """Yield the frames that `piece`, received at `at`, completes."""
        self._last = at
        for frame in self.framer.feed(self.parity.feed(piece)):
            yield from self._check(frame, at)

    def flush(self) -> Iterator[Checked]:
        """Yield what is left at the end of the source."""
        for frame in self.framer.flush():
            yield from self._check(frame, self._last)
        if self._guard is not None:
            yield from self._guard.flush()

    def remember(self) -> None:
        """Write what the guard believes into its memory, for the next time that this source is opened."""
        if self._guard is not None:
            self._guard.remember()

    def _check(self, frame: bytes, at: Moment) -> Iterator[Checked]:
        decoded = self._decoder.decode(frame)
        if self._guard is None:
            yield Checked(decoded, None, at)
            return
        baud = BAUD[decoded.reading.mode] if decoded.reading else BAUD[Mode.STANDARD]
        yield from self._guard.check(decoded, at, len(frame) * 10 / baud)
