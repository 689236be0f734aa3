"""Bytes in any piece to whole frames; bounded memory.

Source: Enedis-NOI-CPT_54E v3, section 5.3.6: a frame runs from STX to ETX; EOT breaks one off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bridge.tic.groups import CR, ETX, LF

MAX_FRAME: Final = 8192  # the longest real one has 1 440 characters

_EDGE: Final = re.compile(rb"[\x02\x03\x04]")


class Framer:
    """Feed bytes in any size of piece; take frames out.

    A whole frame begins with STX and ends with ETX. One that was cut (EOT, a new STX, the beginning of the stream,
    the end of it) lacks one of them and still holds groups that can prove themselves, so it is handed on too.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._looked = 0  # how far `_kept` was searched for an edge
        self.dropped = 0  # bytes given up on, for the caller to report

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Add `piece`; yield each frame that it completes."""
        self._kept += piece
        while True:
            edge = _EDGE.search(self._kept, self._looked, MAX_FRAME)
            if edge is not None:
                # STX opens the next frame, so it stays; ETX and EOT close this one, so they go with it.
                end = edge.start() if edge.group() == b"\x02" else edge.end()
            elif len(self._kept) >= MAX_FRAME:
                end = MAX_FRAME
            else:
                self._looked = len(self._kept)
                return
            yield from self._take(end)
            self._looked = 1 if self._kept[:1] == b"\x02" else 0

    def flush(self) -> Iterator[bytes]:
        """Yield what is left at the end of a stream."""
        yield from self._take(len(self._kept))
        self._looked = 0

    def _take(self, end: int) -> Iterator[bytes]:
        frame = bytes(self._kept[:end])
        del self._kept[:end]
        if LF in frame or CR in frame:
            yield frame
        else:
            self.dropped += len(frame)


def is_whole(frame: bytes) -> bool:
    """Whether a frame runs from STX to ETX."""
    return frame[:1] == b"\x02" and frame[-1:] == ETX
