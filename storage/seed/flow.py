"""What flows through a simulated meter minute by minute, and where its indexes stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from bridge.simulated.contract import running_index
from bridge.simulated.household import Household
from bridge.simulated.meter import INDEXES, POWER_FACTOR, Plan
from bridge.simulated.registers import Registers, apparent
from bridge.tic.catalogue import Mode
from bridge.tic.values import PARIS

STEP: Final = 30  # seconds for which the power stays as it is
PER_MINUTE: Final = 60 // STEP
INDEX_COUNT: Final = 10
MICRO: Final = 1_000_000  # in a Wh: whole numbers add up exactly, so that the past ends where it must


class Minute(NamedTuple):
    """Power in VA of a minute at each STEP; energy in millionths of a Wh, below zero if injected."""

    start: int  # seconds since 1970
    tariff: int  # number of the supplier index in force, from 1
    low: int
    high: int
    sum: int
    injected_high: int
    injected_sum: int
    energy: int


@dataclass(slots=True)
class Indexes:
    """Registers at an instant, in millionths of a Wh."""

    drawn: list[int]
    injected: int

    def add(self, tariff: int, energy: int, times: int = 1) -> None:
        """Count what flowed: what is below zero was injected."""
        if energy >= 0:
            self.drawn[tariff - 1] += times * energy
        else:
            self.injected -= times * energy

    def copy(self) -> Indexes:
        """As they are now."""
        return Indexes(self.drawn.copy(), self.injected)


@dataclass(frozen=True, slots=True)
class Flow:
    """A household from `begin` (a whole minute) to `end`, in seconds since 1970."""

    plan: Plan
    household: Household
    begin: int
    end: int
    minutes: tuple[Minute, ...]  # up to the one that runs at `end`
    first: Indexes  # at `begin`
    parts: int  # how many supplier indexes the meter says
    injects: bool  # whether it says what is injected
    readings: int  # that came in each minute

    @classmethod
    def of(cls, plan: Plan, begin: int, end: int, readings: int = PER_MINUTE) -> Flow:
        """Ask the household; the registers end where those of the simulated meter begin."""
        household = plan.household
        minutes = tuple(_minutes(plan, household, begin, end))
        last = Registers(plan, datetime.fromtimestamp(end, PARIS))
        first = Indexes([int(energy) * MICRO for energy in last.energies], int(last.injected) * MICRO)
        historique = plan.mode is Mode.HISTORIQUE
        parts = len(INDEXES[plan.contract]) if historique else INDEX_COUNT
        flow = cls(plan, household, begin, end, minutes, first, parts, plan.injects and not historique, readings)
        for minute in minutes[:-1]:
            first.add(minute.tariff, minute.energy, -1)
        running = minutes[-1]
        for energy in flow.steps(running.start, (end - running.start) * 1000):
            first.add(running.tariff, energy, -1)
        return flow

    def steps(self, start: int, ms: int) -> list[int]:
        """What flowed in the first `ms` milliseconds of the minute that begins at `start`, step by step."""
        local = datetime.fromtimestamp(start, PARIS)
        energies = [round(watts * _TO_ENERGY) for watts in _watts(self.plan, self.household, local)]
        whole, rest = divmod(ms, STEP * 1000)
        return [*energies[:whole], energies[whole] * rest // (STEP * 1000)] if rest else energies[:whole]

    def walk(self) -> Iterator[tuple[Minute, Indexes]]:
        """Each minute with the registers at its beginning; they are one object, which moves on."""
        now = self.first.copy()
        for minute in self.minutes:
            yield minute, now
            now.add(minute.tariff, minute.energy)


_TO_ENERGY: Final = STEP * MICRO / 3600
_QUARTER: Final = 900  # no supplier index begins within a quarter of an hour


def _watts(plan: Plan, household: Household, local: datetime) -> list[float]:
    """Power at each step of a minute: that of all phases together, as `registers.Instant` has it."""
    first, second, third = household.steady(local)
    fixed, steady = 0.0, first + second + third
    if plan.overload and (excess := household.excess(local)):
        fixed = excess * plan.kva * 1000 / plan.phases * POWER_FACTOR
        steady = second + third if plan.phases == 3 else 0.0
    clock = local.toordinal() * 86_400 + local.hour * 3600 + local.minute * 60
    return [fixed + steady * flicker for flicker in household.flicker(range(clock, clock + 60, STEP))]


def _minutes(plan: Plan, household: Household, begin: int, end: int) -> Iterator[Minute]:
    injects, tariff = plan.injects, 0
    for start in range(begin, end + 1, 60):
        local = datetime.fromtimestamp(start, PARIS)
        if start % _QUARTER == 0 or not tariff:
            tariff = running_index(plan.contract, local, plan.seed)
        watts = _watts(plan, household, local)
        drawn = [apparent(power) for power in watts]
        injected = [apparent(-power) for power in watts] if injects else [0]
        energy = sum([round(power * _TO_ENERGY) for power in watts])
        yield Minute(start, tariff, min(drawn), max(drawn), sum(drawn), max(injected), sum(injected), energy)
