"""The roll-ups of a simulated past, as the engine makes them of readings that all came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bridge.tic.values import PARIS
from storage.buckets import HOUR
from storage.models import Rollup
from storage.seed.flow import INDEX_COUNT, MICRO, PER_MINUTE, Flow, Indexes, Minute

ROLLUP: Final = (
    "step", "start", "origin", "readings", "covered", "sinsts_sum", "sinsts_min", "sinsts_max", "sinsti_readings",
    "sinsti_sum", "sinsti_max", "east", *(f"easf{n:02}" for n in range(1, INDEX_COUNT + 1)), "eait", "estimated",
    "has_reset",
)  # fmt: skip
_NULLS: Final = (None,) * INDEX_COUNT
_NOTHING_GIVEN: Final = (0, None, None)
Row = tuple[int | None, ...]


class _Bucket:
    """An hour or a day that is being added up."""

    def __init__(self, step: Rollup.Step, start: int, end: int, registers: Indexes) -> None:
        self._step, self._start, self.end = step, start, end
        self._first = registers.copy()
        self._readings = self._sum = self._injected_sum = self._injected_high = self._high = 0
        self._low = 1 << 31

    def add(self, flow: Flow, minute: Minute) -> None:
        self._readings += flow.readings
        self._sum += minute.sum * flow.readings // PER_MINUTE
        self._injected_sum += minute.injected_sum * flow.readings // PER_MINUTE
        self._low = min(self._low, minute.low)
        self._high = max(self._high, minute.high)
        self._injected_high = max(self._injected_high, minute.injected_high)

    def row(self, flow: Flow, now: Indexes) -> Row:
        drawn = [b // MICRO - a // MICRO for a, b in zip(self._first.drawn, now.drawn, strict=True)]
        return _row(
            flow, self._step, self._start, self.end, (self._readings, self._sum, self._low, self._high),
            (self._injected_sum, self._injected_high), drawn, now.injected // MICRO - self._first.injected // MICRO,
        )  # fmt: skip


def rollups(flow: Flow, until: int) -> Iterator[Row]:
    """Rows of ROLLUP: minutes and hours before `until` (an hour's beginning), and the civil days that end before it.

    `flow` begins at midnight in Paris.
    """
    hour = day = None
    for minute, now in flow.walk():
        start = minute.start
        if hour is None or start == hour.end:
            if hour is not None:
                yield hour.row(flow, now)
            hour = _Bucket(Rollup.Step.HOUR, start, start + HOUR, now)
        if day is None or start == day.end:
            if day is not None:
                yield day.row(flow, now)
            day = _Bucket(Rollup.Step.DAY, start, _next_midnight(start), now)
        if start == until:
            return
        hour.add(flow, minute)
        day.add(flow, minute)
        yield _of_minute(flow, minute, now)


def _next_midnight(start: int) -> int:
    return int((datetime.fromtimestamp(start, PARIS) + timedelta(days=1)).timestamp())


def _of_minute(flow: Flow, minute: Minute, now: Indexes) -> Row:
    """As `_row` would, of the one index that moved; there are a hundred thousand of these."""
    drawn, injected = [0] * flow.parts, 0
    wh = 0
    if minute.energy >= 0:
        before = now.drawn[minute.tariff - 1]
        drawn[minute.tariff - 1] = wh = (before + minute.energy) // MICRO - before // MICRO
    else:
        injected = (now.injected - minute.energy) // MICRO - now.injected // MICRO
    given: tuple[int | None, ...] = _NOTHING_GIVEN
    if flow.injects:
        given = flow.readings, minute.injected_sum * flow.readings // PER_MINUTE, minute.injected_high
    return (
        60, minute.start, 0, flow.readings, 60, minute.sum * flow.readings // PER_MINUTE, minute.low, minute.high,
        *given, wh, *drawn, *_NULLS[flow.parts :], injected if flow.injects else None, False, False,
    )  # fmt: skip


def _row(
    flow: Flow, step: Rollup.Step, start: int, end: int, power: tuple[int, int, int, int], given: tuple[int, int],
    drawn: list[int], injected: int,
) -> Row:  # fmt: skip
    parts = flow.parts
    return (
        step.value, start, Rollup.Origin.METER.value, power[0], end - start, *power[1:],
        *((power[0], *given) if flow.injects else _NOTHING_GIVEN),
        sum(drawn), *drawn[:parts], *_NULLS[parts:], injected if flow.injects else None,
        False, False,
    )  # fmt: skip
