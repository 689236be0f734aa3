"""The meter's own model of its breaker (54E section 7): how much may be added, and how long the present draw lasts.

Each second, on drawn power only, the meter filters the square of the apparent power: Y(n) = B X(n)^2 + (1 - B) Y(n-1),
with X relative to the cut-off power PCOUP. The breaker opens when Y reaches 1.3^2: never while X stays at 1.3 or below.
On three phases each has its own filter against a third of PCOUP, and any of them opens the breaker.

The day's maximum SMAXSN is the greatest output of the same filter. So it bounds Y from above: at the start, when
nothing else is known, and ever after, as a check. The time left is therefore never said too long; in the first minutes
after a start it may be said too short. docs/design/derived.md has the reasons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple

from bridge.tic.models import Standard

B: Final = 0.008  # of the filter, each second
LEVEL: Final = 1.3  # of PCOUP: where the breaker opens
_STEP: Final = 100  # VA: the margin is rounded down to it, or it would change with every frame
_SILENCE: Final = 30.0  # s: after that long without the power, the maximum alone tells where a filter stands

# powers, then the maximum of each
_one_phase = attrgetter("sinsts", "smaxsn")
_pilot = attrgetter("sinst1", "smaxn")  # as the first meters spell them
_three_phases = attrgetter("sinsts1", "sinsts2", "sinsts3", "smaxsn1", "smaxsn2", "smaxsn3")


def filtered(square: float, power: float, seconds: float) -> float:
    """The filter's output (VA squared) after some seconds at a constant power."""
    kept: float = (1 - B) ** seconds
    return power * power * (1 - kept) + square * kept


def seconds_to_trip(square: float, power: float, level: float) -> float | None:
    """How long the breaker holds at a constant power; None for ever. All in VA, `square` the filter's output."""
    if power <= level:
        return None
    if square >= level**2:
        return 0.0
    return math.log((power**2 - level**2) / (power**2 - square)) / math.log(1 - B)


class Outlook(NamedTuple):
    """VA that may be added for ever on the most loaded phase, and seconds until the first one trips at this draw."""

    margin: int | None  # None: what is drawn is not known
    seconds: int | None  # None: for ever, or not known


@dataclass(slots=True)
class _Phase:
    """The filter of one phase: an upper bound of the meter's own, and after some minutes as good as equal."""

    square: float = 0.0
    maximum: int | None = None  # of the day, so far
    is_old: bool = False  # the maximum fell, at midnight, and did not rise since: it may not be that of this day yet

    def see(self, maximum: int) -> None:
        if self.maximum is not None and maximum != self.maximum:
            self.is_old = maximum < self.maximum
        self.maximum = maximum

    def bound(self, level: float) -> float:
        """More than this the filter cannot have given: else the breaker were open, or the maximum higher."""
        if self.maximum is None or self.is_old:
            return level * level
        top = min(self.maximum + 1.0, level)  # a whole number: less than 1 VA was cut off
        return top * top


class BreakerModel:
    """Follows the filters of one meter."""

    def __init__(self) -> None:
        self._phases: tuple[_Phase, ...] = (_Phase(),)
        self._cutoff: int | None = None  # kVA
        self._at: float | None = None  # of the last step, monotonic seconds

    def take(self, reading: Standard, now: float) -> Outlook | None:
        """Step by the time since the last frame; None when this one does not tell anything new."""
        self._cutoff = reading.pcoup or self._cutoff
        powers, maxima = self._said(reading)
        if not self._cutoff or None in powers:
            lost = self._at is not None and now - self._at > _SILENCE
            return Outlook(None, None) if lost else None
        level = LEVEL * 1000 * self._cutoff / len(powers)
        seconds = math.inf if self._at is None else now - self._at
        self._at = now
        margin, soonest = math.inf, math.inf
        for phase, power, maximum in zip(self._phases, powers, maxima, strict=True):
            if maximum is not None:
                phase.see(maximum)
            bound = phase.bound(level)
            phase.square = bound if seconds > _SILENCE else min(bound, filtered(phase.square, power, seconds))
            margin = min(margin, level - power)
            if (left := seconds_to_trip(phase.square, power, level)) is not None:
                soonest = min(soonest, left)
        return Outlook(math.floor(margin / _STEP) * _STEP, None if soonest == math.inf else int(soonest))

    def _said(self, reading: Standard) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The power drawn on each phase and its maximum, None for each that the frame lacks."""
        if len(self._phases) == 1 and (reading.urms2 is not None or reading.sinsts2 is not None):
            self._phases, self._at = (_Phase(), _Phase(), _Phase()), None
        if len(self._phases) == 3:
            said = _three_phases(reading)
            return said[:3], said[3:]
        said = _one_phase(reading) if reading.sinst1 is None else _pilot(reading)
        return said[:1], said[1:]
