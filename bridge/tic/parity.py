"""The eighth bit: checked where the line delivers it, taken off everywhere.

A meter sends seven bits and even parity (54E sections 5.2 and 5.3.5). A port opened 7E1 checks that itself and hands
over NUL for a character that fails. An adapter or a network port that reads eight bits hands the parity over as bit
7, and then it is checked here, with the same result.
"""

from __future__ import annotations

from typing import Final

from bridge.tic.groups import BAD_PARITY

WINDOW: Final = 512  # bytes after which the stream is judged again; half a frame
_TOLERATED: Final = WINDOW // 4  # bytes of a window that may fail on a line that delivers its parity

_EVEN: Final = bytes(n & 0x7F if n.bit_count() % 2 == 0 else BAD_PARITY for n in range(256))
_SEVEN_BITS: Final = bytes(n & 0x7F for n in range(256))


class Parity:
    """Feed bytes of eight bits; take bytes of seven, NUL in the place of each that failed.

    Whether the stream delivers parity is judged on windows of a fixed number of bytes, so that the size of the
    pieces does not matter. Until the first window is full, and on a line whose bit 7 is never set, nothing is
    checked: the checksum is then all there is.
    """

    def __init__(self) -> None:
        self.given = False  # the stream delivers parity
        self._window = b""

    def feed(self, piece: bytes) -> bytes:
        """The seven-bit bytes of a piece."""
        room = WINDOW - len(self._window)
        if len(piece) < room:
            self._window += piece
            return self._take(piece)
        taken = []
        while len(piece) >= room:
            part, piece = piece[:room], piece[room:]
            taken.append(self._take(part))
            self._judge(self._window + part)
            self._window, room = b"", WINDOW
        self._window = piece
        return b"".join((*taken, self._take(piece)))

    def _take(self, part: bytes) -> bytes:
        if self.given:
            return part.translate(_EVEN)
        return part if part.isascii() else part.translate(_SEVEN_BITS)

    def _judge(self, window: bytes) -> None:
        if window.isascii():
            self.given = False
        elif not self.given and window.translate(_EVEN).count(BAD_PARITY) <= _TOLERATED:
            self.given = True
        # Else noise, which says nothing about the line: what was known stays.
