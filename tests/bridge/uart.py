"""A serial line as a UART hears it: 7E1 characters sent at one speed and sampled at another.

Written from what a UART does, not from what the code under test expects. The line idles high; a character is a start
bit (low), seven data bits with the lowest first, even parity, a stop bit (high). A receiver waits for a falling edge,
looks again half a bit later, and then samples the middle of each bit at its own speed. A character whose parity or
stop bit is wrong arrives as NUL: that is what Linux delivers with INPCK and without IGNPAR and PARMRK.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

_BITS: Final = 10  # of one character: start, seven data bits, parity, stop


def _bits(char: int) -> list[int]:
    data = [char >> n & 1 for n in range(7)]
    return [0, *data, sum(data) % 2, 1]


@dataclass
class Wire:
    """What the meter sends: `talk(seconds)` gives, for the moment, the next frame and its speed, or a silence.

    The levels are made as far as they are asked for, and forgotten once nobody can look back.
    """

    talk: Callable[[float], tuple[bytes, int]]
    silence: float = 0.02  # between two frames
    idle: int = 1  # 0: the two levels are exchanged, as by an adapter that inverts
    _starts: list[float] = field(default_factory=list)  # when each piece of the line begins, and what it is
    _pieces: list[tuple[list[int], float]] = field(default_factory=list)  # levels, seconds for each
    _made: float = 0.0

    def level(self, at: float) -> int:
        """High (1) or low (0) at a moment."""
        self._make(at)
        place = bisect_right(self._starts, at) - 1
        levels, width = self._pieces[place]
        bit = int((at - self._starts[place]) / width)
        return levels[bit] if bit < len(levels) else self.idle

    def falls(self, since: float, until: float) -> float | None:
        """When the line next goes from high to low."""
        self._make(until)
        place = max(0, bisect_right(self._starts, since) - 1)
        for begin, (levels, width) in zip(self._starts[place:], self._pieces[place:], strict=True):
            first = max(0, int((since - begin) / width))
            for bit in range(first, len(levels)):
                edge = begin + bit * width
                if edge >= until:
                    return None
                if edge >= since and levels[bit] == 0 and (levels[bit - 1] if bit else self.idle) == 1:
                    return edge
        return None

    def _make(self, until: float) -> None:
        while self._made <= until:
            data, baud = self.talk(self._made)
            levels = [bit if self.idle else 1 - bit for char in data for bit in _bits(char)]
            self._starts.append(self._made)
            self._pieces.append((levels, 1 / baud))
            self._made += len(levels) / baud + self.silence
        del self._starts[:-40], self._pieces[:-40]


@dataclass
class Uart:
    """Hears a wire at a speed that may be changed. `skew`: how much its clock is too fast (0.02: by 2 %)."""

    wire: Wire
    baud: int
    skew: float = 0.0
    waits_for_high: bool = True  # after a wrong stop bit; else that bit is taken for the next start
    checks: bool = True  # parity and stop bit; else every character arrives as it was sampled
    now: float = 0.0
    _at: float = 0.0  # where the receiver stands; it may be ahead of `now` by one character

    def tune(self, baud: int) -> None:
        self.baud = baud
        self._at = self.now

    def hear(self, seconds: float) -> bytes:
        """What arrives in the next seconds."""
        self.now = round(self.now + seconds, 6)
        return bytes(self._characters())

    def _characters(self) -> Iterator[int]:
        width = 1 / (self.baud * (1 + self.skew))
        while self._at < self.now:
            start = self.wire.falls(self._at, self.now)
            if start is None:
                self._at = self.now
                return
            if self.wire.level(start + width / 2):
                self._at = start + width / 2  # a spike
                continue
            levels = [self.wire.level(start + width * (n + 0.5)) for n in range(1, _BITS)]
            *data, parity, stop = levels
            self._at = start + width * (_BITS - 0.5)
            if not self.checks or (stop and sum(data) % 2 == parity):
                yield sum(bit << n for n, bit in enumerate(data))
                continue
            yield 0
            if not stop and not self.waits_for_high:
                self._at = start + width * (_BITS - 1.5)
