"""The readings of a simulated past that a database still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.simulated.meter import label
from bridge.simulated.registers import Instant, apparent
from bridge.tic.catalogue import Mode
from bridge.tic.values import PARIS, write_stamp
from storage.buckets import HOUR
from storage.seed.flow import INDEX_COUNT, MICRO, Flow, Indexes

READING: Final = (
    "seq", "dateTime", "date", "stamp_utc", "ltarf", "ntarf", "east",
    *(f"easf{n:02}" for n in range(1, INDEX_COUNT + 1)), *(f"easd{n:02}" for n in range(1, 5)), "eait",
    "sinsts", "sinsts1", "sinsts2", "sinsts3", "sinsti", "irms1", "irms2", "irms3", "urms1", "urms2", "urms3",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """A row of Data: `values` are the columns of READING from `ltarf` on."""

    seq: int
    at: datetime
    stamp: str | None
    values: tuple[int | str | None, ...]


def readings(flow: Flow, whole: int, every: float) -> Iterator[Reading]:
    """One each `every` seconds (to a thousandth) up to `flow.end`; before `whole` the first and last of each hour."""
    gap = round(every * 1000)
    first, last = flow.begin * 1000, flow.end * 1000
    state = _State(flow)
    for hour in range(first, whole * 1000, HOUR * 1000):
        for number in (-(-(hour - first) // gap), -(-(hour + HOUR * 1000 - first) // gap) - 1):
            yield state.reading(number + 1, first + number * gap)
    for number in range(-(-(whole * 1000 - first) // gap), (last - first) // gap + 1):
        yield state.reading(number + 1, first + number * gap)


class _State:
    """The registers, moved on from reading to reading."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._walk = flow.walk()
        self._minute, self._registers = next(self._walk)

    def reading(self, seq: int, ms: int) -> Reading:
        """The reading at an instant, in milliseconds since 1970, that is not before the last one."""
        start = ms // 60_000 * 60
        if start != self._minute.start:
            self._minute, self._registers = next(found for found in self._walk if found[0].start == start)
        now = self._registers.copy()
        for energy in self._flow.steps(start, ms - start * 1000):
            now.add(self._minute.tariff, energy)
        at = _EPOCH + timedelta(milliseconds=ms)
        return Reading(seq, at, self._stamp(at), self._values(at, now))

    def _stamp(self, at: datetime) -> str | None:
        if self._flow.plan.mode is Mode.HISTORIQUE:
            return None
        return write_stamp(at).lower() if self._flow.plan.degraded else write_stamp(at)

    def _values(self, at: datetime, registers: Indexes) -> tuple[int | str | None, ...]:
        flow, plan = self._flow, self._flow.plan
        now = Instant.of(plan, flow.household, at.astimezone(PARIS))
        drawn = [energy // MICRO for energy in registers.drawn]
        standard = plan.mode is Mode.STANDARD
        three = standard and plan.phases == 3
        currents, volts = now.currents, now.volts if standard else {}
        return (
            label(plan, self._minute.tariff), self._minute.tariff, sum(drawn),
            *drawn[: flow.parts], *(None,) * (INDEX_COUNT - flow.parts),
            *((sum(drawn), 0, 0, 0) if standard else (None,) * 4),
            registers.injected // MICRO if flow.injects else None,
            apparent(now.total), *(apparent(now.watts[n]) if three else None for n in range(3)),
            apparent(-now.total) if flow.injects else None,
            *(currents.get(n) for n in (1, 2, 3)), *(round(volts[n]) if n in volts else None for n in (1, 2, 3)),
        )  # fmt: skip
