"""Bytes in any piece to whole frames; bounded memory.

Source: Enedis-NOI-CPT_54E v3, section 5.3.6: a frame runs from STX to ETX; EOT breaks one off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bridge.tic.groups import CR, EOT, ETX, LF, STX

_LF, _CR = LF[0], CR[0]
MAX_FRAME: Final = 8192  # the longest real one has 1 440 characters


class Framer:
    """Feed bytes in any size of piece; take frames out.

    A whole frame begins with STX and ends with ETX. One that was cut (EOT, a new STX, the beginning of the stream,
    the end of it) lacks one of them and still holds groups that can prove themselves, so it is handed on too.
    """

    def __init__(self) -> None:
        self._kept = b""
        self._looked = 0  # how far `_kept` was searched for an edge
        self.dropped = 0  # bytes given up on, for the caller to report

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Add `piece`; yield each frame that it completes."""
        self._kept += piece
        while (end := self._end()) >= 0:
            if (frame := self._take(end)) is not None:
                yield frame
            self._looked = 1 if self._kept[:1] == STX else 0
        self._looked = len(self._kept)

    def flush(self) -> Iterator[bytes]:
        """Yield what is left at the end of a stream."""
        self._looked = 0
        if (frame := self._take(len(self._kept))) is not None:
            yield frame

    def _end(self) -> int:
        """Where the first frame ends: after ETX or EOT, before the next STX, or where it grew too long; else -1."""
        kept, looked = self._kept, self._looked
        end = kept.find(ETX, looked, MAX_FRAME)
        end = MAX_FRAME if end < 0 else end + 1
        cut = kept.find(EOT, looked, end)
        end = end if cut < 0 else cut + 1
        begins = kept.find(STX, looked, end)
        end = end if begins < 0 else begins
        return end if end <= len(kept) else -1

    def _take(self, end: int) -> bytes | None:
        """Cut the first `end` bytes off; None when they hold no line of a frame."""
        frame, self._kept = self._kept[:end], self._kept[end:]
        if _LF in frame or _CR in frame:
            return frame
        self.dropped += len(frame)
        return None


def is_whole(frame: bytes) -> bool:
    """Whether a frame runs from STX to ETX."""
    return frame[:1] == b"\x02" and frame[-1:] == ETX
