"""What a simulated meter remembers of the power that flows through it: indexes, maxima of the day, load curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from bridge.simulated.contract import INDEXES, running_index
from bridge.simulated.household import Household
from bridge.simulated.plan import Plan

POWER_FACTOR: Final = 0.95
_B: Final = 0.008  # the breaker's filter, each second (54E section 7)
_PERIOD: Final = timedelta(minutes=30)  # of the load curve
Watts = tuple[float, float, float]  # of each phase; negative while it injects


class Dated(NamedTuple):
    """A power and its horodate."""

    power: float
    at: datetime


@dataclass(slots=True)
class Maximum:
    """The greatest power of a day, and of the day before."""

    today: Dated
    before: Dated

    def turn(self, at: datetime) -> None:
        """Begin a new day."""
        self.before, self.today = self.today, Dated(0.0, at)

    def see(self, power: float, at: datetime) -> None:
        """Keep `power` when it is the greatest so far."""
        if power > self.today.power:
            self.today = Dated(power, at)


@dataclass(slots=True)
class Curve:
    """The mean power of the last two periods, and the energy (Wh) of the running one."""

    last: Dated
    before: Dated
    energy: float = 0.0

    def turn(self, at: datetime) -> None:
        """Begin a new period."""
        hours = _elapsed(self.last.at, at) / 3600
        self.before, self.last = self.last, Dated(self.energy / hours, at)
        self.energy = 0.0


@dataclass(frozen=True, slots=True)
class Instant:
    """What flows at a local time."""

    plan: Plan
    household: Household
    local: datetime
    watts: Watts

    @classmethod
    def of(cls, plan: Plan, household: Household, local: datetime) -> Instant:
        """Ask the household. One phase carries all; on three, the first one is the overloaded one."""
        first, second, third = household.watts(local)
        if plan.phases == 1:
            first, second, third = first + second + third, 0.0, 0.0
        excess = household.excess(local) if plan.overload else 0.0
        if excess:
            first = excess * plan.kva * 1000 / plan.phases * POWER_FACTOR
        return cls(plan, household, local, (first, second, third))

    @property
    def total(self) -> float:
        """W of all phases together; negative while they inject more than they draw."""
        return sum(self.watts)

    @property
    def volts(self) -> dict[int, float]:
        """V of each phase, by its number."""
        return {n: self.household.volts(n, self.local) for n in range(1, self.plan.phases + 1)}

    @property
    def currents(self) -> dict[int, int]:
        """A of each phase, by its number."""
        return {n: round(abs(self.watts[n - 1]) / POWER_FACTOR / volts) for n, volts in self.volts.items()}

    @property
    def index(self) -> int:
        """Number of the supplier index in force."""
        return running_index(self.plan.contract, self.local, self.plan.seed)


def apparent(watts: float) -> int:
    """Drawn power in VA, as five digits can say it."""
    return five_digits(watts / POWER_FACTOR)


def five_digits(power: float) -> int:
    """A whole number from 0 to 99999."""
    return min(99_999, max(0, round(power)))


class Registers:
    """Measures from `start` (a local time) on."""

    def __init__(self, plan: Plan, start: datetime) -> None:
        self._now = start
        self._squares: list[float] | None = None  # the filter's output: of the whole, then of each phase
        parts = len(INDEXES[plan.contract])
        self.energies = [4_234_567.0 * (n + 3) for n in range(parts)] + [0.0] * (10 - parts)
        self.injected = 4_671_631.0 if plan.injects else 0.0
        yesterday = start - timedelta(days=1)
        # the whole, then each phase, in VA; `giving` is what is injected
        self.taking = [
            Maximum(Dated(0.0, start), Dated(3000.0 if n == 0 else 2000.0, yesterday)) for n in range(4)
        ]  # fmt: skip
        self.giving = Maximum(Dated(0.0, start), Dated(2861.0 if plan.injects else 0.0, yesterday))
        period = _period(start)
        self.drawn_curve, self.injected_curve = (
            Curve(Dated(0.0, period), Dated(0.0, period - _PERIOD)) for _ in range(2)
        )

    @property
    def drawn(self) -> tuple[int, ...]:
        """The ten supplier indexes, in Wh."""
        return tuple(int(energy) for energy in self.energies)

    def measure(self, now: Instant) -> None:
        """Count what flowed up to `now`."""
        local = now.local
        seconds = _elapsed(self._now, local)
        energy = now.total * seconds / 3600
        if energy >= 0:
            self.energies[now.index - 1] += energy
            self.drawn_curve.energy += energy
        else:
            self.injected -= energy
            self.injected_curve.energy -= energy
        self._turn(local)
        taken = [max(0.0, power) / POWER_FACTOR for power in (now.total, *now.watts)]
        for maximum, power in zip(self.taking, self._filtered(taken, seconds), strict=True):
            maximum.see(power, local)
        self.giving.see(max(0.0, -now.total) / POWER_FACTOR, local)
        self._now = local

    def _turn(self, local: datetime) -> None:
        if local.date() != self._now.date():
            for maximum in (*self.taking, self.giving):
                maximum.turn(local.replace(hour=0, minute=0, second=0, microsecond=0))
        if _elapsed(self.drawn_curve.last.at, period := _period(local)) > 0:
            self.drawn_curve.turn(period)
            self.injected_curve.turn(period)

    def _filtered(self, powers: list[float], seconds: float) -> list[float]:
        """The breaker's own filter: SMAXSN is the greatest value of its output."""
        if self._squares is None:
            self._squares = [power**2 for power in powers]
        kept = (1 - _B) ** seconds
        self._squares = [
            power**2 + (before - power**2) * kept for power, before in zip(powers, self._squares, strict=True)
        ]
        return [math.sqrt(square) for square in self._squares]


def _elapsed(before: datetime, after: datetime) -> float:
    """Seconds between two local times, the repeated hour of October included: Python would subtract the clocks."""
    return (after.astimezone(UTC) - before.astimezone(UTC)).total_seconds()


def _period(local: datetime) -> datetime:
    return local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0)
