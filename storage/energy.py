"""Indexes over time to the energy of buckets. Pure: milliseconds since 1970 and Wh in, Wh out.

An index is known at the moments of its readings; between two of them it is taken to rise evenly. A bucket's energy is
the index at its end less the index at its start, both rounded down, so that buckets of any length add up to the index's
own difference, to the Wh.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from typing import Final, NamedTuple

SILENCE: Final = 300_000  # milliseconds between two readings; what is longer was not heard

# Two bridges at one meter, or a change of mode, may say what was a moment ago; a new register falls further.
_FALL: Final = 10  # Wh
_JUMP: Final = 100  # Wh, whatever the time between: clocks step
_LARGEST: Final = 43_200  # W: 36 kVA is the most that these meters are for, and a breaker lets a fifth more through
LONGEST: Final = 400 * 86_400_000  # milliseconds; a silence beyond it is a wrong clock sooner than a household's


class Energy(NamedTuple):
    """What an index says of a bucket."""

    wh: int | None  # None: it was not known here
    estimated: bool  # an end lies in a silence in which the index moved
    has_reset: bool  # it began anew; what it counted at that moment is not known


@dataclass(frozen=True, slots=True)
class Index:
    """One index over time: moments, and what it had counted; `resets` are those that do not follow."""

    times: Sequence[int]
    counted: Sequence[int]
    resets: Sequence[int] = ()

    @classmethod
    def of(cls, times: Sequence[int], values: Sequence[int]) -> Index:
        """From readings in the order of time."""
        steps = list(map(sub, values[1:], values))
        if not steps or (min(steps) >= -_FALL and max(steps) <= _JUMP and times[-1] - times[0] <= LONGEST):
            return cls(times, values)  # nearly always
        return _followed(times, values)

    def energies(self, edges: Sequence[int], tight: int = SILENCE) -> list[Energy]:
        """Of the buckets between rising edges; an end is estimated in a silence longer than `tight`."""
        ends = [self._at(edge, tight) for edge in edges]
        return [
            self._between(start, end, *before, *after)
            for start, end, before, after in zip(edges, edges[1:], ends, ends[1:], strict=False)
        ]

    def is_loose(self, edge: int) -> bool:
        """Whether it is a guess at a moment: it moved in a silence there."""
        return self._at(edge, SILENCE)[1]

    def _at(self, edge: int, tight: int) -> tuple[int, bool]:
        """What was counted at a moment, and whether that is a guess."""
        times, counted = self.times, self.counted
        i = bisect_left(times, edge)
        if i == len(times):
            return counted[-1], False
        if i == 0 or times[i] == edge:
            return counted[i], False
        step, silence = counted[i] - counted[i - 1], times[i] - times[i - 1]
        return counted[i - 1] + step * (edge - times[i - 1]) // silence, step != 0 and silence > tight

    def _between(
        self, start: int, end: int, before: int, is_loose: bool, after: int, ends_loose: bool
    ) -> Energy:  # fmt: skip
        first = max(1, bisect_right(self.times, start))  # the pairs of readings that reach into the bucket,
        last = min(bisect_left(self.times, end), len(self.times) - 1)  # by the position of the later one
        resets = bisect_right(self.resets, last) - bisect_left(self.resets, first) if self.resets else 0
        if last - first + 1 <= resets:
            return Energy(None, False, resets > 0)
        return Energy(after - before, is_loose or ends_loose, resets > 0)


def follows(before: int, after: int, milliseconds: int) -> bool:
    """Whether an index can have come from one value to the other in this time."""
    return milliseconds <= LONGEST and -_FALL <= after - before <= _JUMP + _LARGEST * milliseconds // 3_600_000


def _followed(times: Sequence[int], values: Sequence[int]) -> Index:
    """Leave out what does not follow while something that does comes soon; else the index began anew."""
    kept, counted, resets = [times[0]], [values[0]], []
    now, value = times[0], values[0]
    k = 1
    while k < len(times):
        if follows(value, values[k], times[k] - now):
            counted.append(counted[-1] + values[k] - value)
        else:
            j = k + 1
            while j < len(times) and times[j] - times[k] <= SILENCE and not follows(value, values[j], times[j] - now):
                j += 1
            if j < len(times) and times[j] - times[k] <= SILENCE:
                k = j
                continue
            resets.append(len(kept))
            counted.append(counted[-1])
        now, value = times[k], values[k]
        kept.append(now)
        k += 1
    return Index(kept, counted, resets)


def silences(times: Sequence[int]) -> list[tuple[int, int]]:
    """Where nothing was heard for longer than `SILENCE`: (last before, first after)."""
    return [(times[i], times[i + 1]) for i, gap in enumerate(map(sub, times[1:], times)) if gap > SILENCE]


def covered(times: Sequence[int], quiet: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Milliseconds of start..end in which readings came; `quiet` are the silences between them."""
    if not times:
        return 0
    start, end = max(start, times[0]), min(end, times[-1])
    if start >= end:
        return 0
    return end - start - sum(max(0, min(end, after) - max(start, before)) for before, after in quiet)
