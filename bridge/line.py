"""One source's bytes to checked frames: framer, decoder and guard in a row. The bridge and `decode` share it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from bridge.guard import Checked, Guard, Moment
from bridge.tic.catalogue import Mode
from bridge.tic.decode import Decoder
from bridge.tic.framing import Framer
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
    ) -> None:
        self.framer = Framer()
        self._decoder = Decoder(mode, zone)
        self._guard = Guard(configured) if guarded else None
        self._last = Moment.never()

    def feed(self, piece: bytes, at: Moment) -> Iterator[Checked]:
        """Yield the frames that `piece`, received at `at`, completes."""
        self._last = at
        for frame in self.framer.feed(piece):
            yield from self._check(frame, at)

    def flush(self) -> Iterator[Checked]:
        """Yield what is left at the end of the source."""
        for frame in self.framer.flush():
            yield from self._check(frame, self._last)
        if self._guard is not None:
            yield from self._guard.flush()

    def _check(self, frame: bytes, at: Moment) -> Iterator[Checked]:
        decoded = self._decoder.decode(frame)
        if self._guard is None:
            yield Checked(decoded, None, at)
        else:
            yield from self._guard.check(decoded, at)
