"""A Linky that does not exist: the frames it would send, for any contract, mode and number of phases.

Pure: the clock is passed in. What flows comes from `household`, what is paid for it from `contract`, what the meter
remembers from `registers`, what it says from `standard` and `historique`.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from bridge.simulated.contract import INDEXES, Contract, name, running_index
from bridge.simulated.damage import corrupt
from bridge.simulated.historique import long_frame, over, short_frame
from bridge.simulated.household import noise
from bridge.simulated.plan import Plan, read_plan
from bridge.simulated.registers import POWER_FACTOR, Instant, Registers
from bridge.simulated.standard import standard_frame
from bridge.tic.catalogue import BAUD, Mode
from bridge.tic.encode import encode_values
from bridge.tic.values import PARIS

__all__ = ["INDEXES", "POWER_FACTOR", "Contract", "Plan", "SimulatedMeter", "label", "read_plan", "running_index"]

_SILENCE: Final = 0.02  # seconds between two frames (54E section 5.3.6: 16.7 to 33.4 ms)
_SHORT_FRAMES: Final = 20  # then a long one, while three phases are warned of an overrun
_WARNED_FOR: Final = timedelta(minutes=1)  # after it


def label(plan: Plan, index: int) -> str:
    """What the meter calls a supplier index: LTARF, or PTEC in mode historique."""
    return name(plan.contract, plan.mode, index)


class SimulatedMeter:
    """Measures the household of a plan from `start` on, and says so frame by frame."""

    def __init__(self, plan: Plan, start: datetime) -> None:
        self.plan = plan
        self._household = plan.household
        self._shift = timedelta() if plan.start is None else plan.start - start
        self._registers = Registers(plan, (start + self._shift).astimezone(PARIS))
        self._damage = random.Random(plan.seed)  # noqa: S311  a simulation, not a secret
        self._overrun: datetime | None = None  # when a phase last exceeded the subscribed current
        self._short = 0  # short frames since the last long one
        self._quarter: datetime | None = None  # of an hour, in which the last frame began

    def frame(self, now: datetime) -> bytes:
        """Measure up to `now` (aware) and return the frame that the meter would then begin to send."""
        now += self._shift
        instant = Instant.of(self.plan, self._household, now.astimezone(PARIS))
        self._registers.measure(instant)
        historique = self.plan.mode is Mode.HISTORIQUE
        frame = self._historique(instant, now) if historique else self._standard(instant)
        if self._damage.random() < self.plan.corrupt:
            return corrupt(frame, self._damage)
        return frame

    def seconds(self, frame: bytes) -> float:
        """How long a frame, and the silence after it, take on the line: ten bits for each character."""
        return len(frame) * 10 / BAUD[self.plan.mode] + _SILENCE

    @property
    def drawn(self) -> tuple[int, ...]:
        """The supplier indexes, in Wh."""
        return self._registers.drawn

    def _standard(self, instant: Instant) -> bytes:
        return standard_frame(instant, self._registers, messaged=self._is_messaged(instant.local))

    def _is_messaged(self, local: datetime) -> bool:
        """The very short message stands in one frame only: the first of some quarters of an hour."""
        quarter = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
        before, self._quarter = self._quarter, quarter
        number = quarter.toordinal() * 96 + quarter.hour * 4 + quarter.minute // 15
        return before not in (None, quarter) and noise(self.plan.seed, 42, number) < 0.25

    def _historique(self, instant: Instant, now: datetime) -> bytes:
        exceeding = over(instant) if self.plan.phases == 3 else []
        if exceeding:
            self._overrun = now
        warned = self._overrun is not None and now - self._overrun <= _WARNED_FOR
        if warned and self._short < _SHORT_FRAMES:
            self._short += 1
            return encode_values(short_frame(instant, exceeding), {})
        self._short = 0
        return encode_values(long_frame(instant, self._registers), {})
