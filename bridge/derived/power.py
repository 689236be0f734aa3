"""Mean active power, from how fast the indexes move: W, what is injected counted negative.

An index moves in whole Wh: over 60 s one Wh more or less is 60 W. But the moment at which it moves is known to a frame,
so between two moves the count is interpolated, and after the last one it goes on at the last rate, by less than the one
Wh that would have shown. Over a window of 60 s that leaves an error of about one frame's time in sixty seconds: 2 % in
mode standard, 5 % in mode historique; the figure is rounded to 10 W.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from bridge.tic.models import Historique

WINDOW: Final = 60.0  # s
_STEP: Final = 10  # W
_PATIENCE: Final = 600.0  # s without a move before that tells something: less than 6 W
_SILENCE: Final = 30.0  # s without a frame after which the next move's moment is not known
_LARGEST: Final = 72_000  # W: twice what the largest of these meters lets through; more is a reset
_ROUNDING: Final = 2  # Wh: both ends of a step are rounded down

# The indexes of each contract: their sum is what was drawn.
CONTRACTS: Final = (
    ("base",),
    ("hchc", "hchp"),
    ("ejphn", "ejphpm"),
    ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
)


def drawn_total(reading: Historique) -> int | None:
    """The sum of the contract's indexes; None when the frame lacks one of them."""
    for slugs in CONTRACTS:
        if getattr(reading, slugs[0]) is not None:
            parts = [getattr(reading, slug) for slug in slugs]
            return None if None in parts else sum(parts)
    return None


class _Move(NamedTuple):
    """The net count changed to `net` (Wh) at `at` (monotonic seconds)."""

    at: float
    net: int


class MeanPower:
    """The mean over the last minute, of one meter."""

    def __init__(self) -> None:
        self._moves: deque[_Move] = deque()
        self._since: float | None = None  # when we began to watch
        self._last = 0.0  # when we last looked
        self._drawn = 0
        self._injected: int | None = None

    @property
    def is_watching(self) -> bool:
        """Whether there ever was an index."""
        return self._since is not None

    def take(self, drawn: int | None, injected: int | None, now: float) -> int | None:
        """Hear the indexes of a frame (None: it lacks one); None as long as the window is not full."""
        away = self._since is None or now - self._last > _SILENCE
        if drawn is None or (injected is None and self._injected is not None and not away):
            return None if away else self._mean(self._last)
        if away or self._is_reset(drawn, injected, now - self._last):
            self._moves.clear()
            self._since = now
        elif (net := drawn - (injected or 0)) != self._net:
            self._move(net, now)
        self._last, self._drawn, self._injected = now, drawn, injected
        return self._mean(now)

    @property
    def _net(self) -> int:
        return self._drawn - (self._injected or 0)

    def _is_reset(self, drawn: int, injected: int | None, seconds: float) -> bool:
        most = _LARGEST * seconds / 3600 + _ROUNDING
        before = (self._drawn, self._injected or 0)
        return not all(0 <= new - old <= most for new, old in zip((drawn, injected or 0), before, strict=True))

    def _move(self, net: int, now: float) -> None:
        if not self._moves and self._since is not None and now - self._since >= _PATIENCE:
            self._moves.append(_Move(self._since, self._net))  # one Wh in so long: what is missing of it is little
        if self._moves and self._moves[-1].at >= now:
            now = self._moves.pop().at  # two frames in one piece
        self._moves.append(_Move(now, net))

    def _mean(self, now: float) -> int | None:
        moves, start = self._moves, now - WINDOW
        while len(moves) > 2 and moves[1].at <= start:
            moves.popleft()
        if len(moves) < 2:
            watched = moves[0].at if moves else self._since
            return 0 if watched is not None and now - watched >= _PATIENCE else None
        if moves[0].at > start:
            return None
        return round((self._count(now) - self._count(start)) * 3600 / WINDOW / _STEP) * _STEP

    def _count(self, at: float) -> float:
        """The net count with its fraction, at a time not before the first move."""
        first, second, last = self._moves[0], self._moves[1], self._moves[-1]
        if at < second.at:
            return first.net + (second.net - first.net) * (at - first.at) / (second.at - first.at)
        before = self._moves[-2]
        onward = (last.net - before.net) * (at - last.at) / (last.at - before.at)
        return last.net + max(-1.0, min(1.0, onward))
