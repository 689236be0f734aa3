"""A household's electricity as a pure function of time: what the simulated meter measures.

Any instant can be asked for without those before it, and the same seed gives the same household.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

_MASK = (1 << 64) - 1


def _mixed(state: int, key: int) -> int:
    state = (state ^ key) + 0x9E3779B97F4A7C15 & _MASK
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
    return state ^ state >> 31


@lru_cache(maxsize=256)  # most of what a household asks stays the same for ten minutes or a day
def _mixture(*keys: int) -> int:
    state = 0
    for key in keys:
        state = _mixed(state, key)
    return state


def noise(*keys: int) -> float:
    """A number in 0..1 that depends on `keys` only (splitmix64)."""
    return _mixture(*keys) / _MASK


@dataclass(frozen=True, slots=True)
class Household:
    """People, appliances and, with `solar_kw`, panels. All powers in W, all times local."""

    seed: int = 1
    night_heating: bool = True  # the water is heated from 22:00 on
    solar_kw: float = 0.0

    def watts(self, at: datetime) -> tuple[float, float, float]:
        """Active power drawn on each of three phases; negative while the panels give more than is used."""
        now = _slot(at) * 60 + at.second
        [flicker] = self.flicker(range(now, now + 1))
        first, second, third = self.steady(at)
        return first * flicker, second * flicker, third * flicker

    def steady(self, at: datetime) -> tuple[float, float, float]:
        """As `watts`, without what changes each second: the same for all of a minute."""
        minute = at.hour * 60 + at.minute
        day = at.toordinal()
        slot = day * 1440 + minute
        cold = _cold(day, at.hour)
        first = 90 + self._fridge(slot) + self._evening(minute, slot) + self._washing(day, minute)
        second = self._heater(2, cold, slot) + self._water(day, minute) - self._sun(at, slot)
        third = self._cooking(minute, slot) + self._heater(3, cold, slot)
        return first + self._heater(1, cold, slot), second, third

    def flicker(self, seconds: Iterable[int]) -> list[float]:
        """What the power of these seconds (since the year 1, on the local clock) is multiplied by: 0.99 to 1.01."""
        state = _mixture(self.seed, 1)
        return [0.99 + 0.02 * _mixed(state, second) / _MASK for second in seconds]

    def excess(self, at: datetime) -> float:
        """Share of the subscribed power taken when all is on at once, for a few minutes now and then; else 0.

        Below the 1.3 that makes a breaker trip (54E section 7).
        """
        quarter = (at.toordinal() * 1440 + at.hour * 60 + at.minute) // 15
        if not 4 <= at.minute % 15 < 8 or noise(self.seed, 40, quarter) > 0.6:
            return 0.0
        return 1.08 + 0.17 * noise(self.seed, 41, quarter)

    def volts(self, phase: int, at: datetime) -> float:
        """Voltage of a phase."""
        slot = _slot(at)
        return 231 + 4 * math.sin(slot / 180 + phase) + 2 * (noise(self.seed, 10 + phase, slot) - 0.5)

    def _fridge(self, slot: int) -> float:
        return 110.0 if (slot + self.seed) % 47 < 15 else 0.0

    def _evening(self, minute: int, slot: int) -> float:
        if 18 * 60 <= minute < 23 * 60:
            return 180 + 60 * noise(self.seed, 2, slot // 30)
        return 120.0 if 390 <= minute < 510 else 0.0

    def _cooking(self, minute: int, slot: int) -> float:
        meal = 705 <= minute < 780 or 1125 <= minute < 1200
        if meal and noise(self.seed, 3, slot // 2) < 0.45:
            return 1500.0
        kettle = 390 <= minute < 510 and noise(self.seed, 4, slot // 3) < 0.12
        return 2000.0 if kettle else 0.0

    def _washing(self, day: int, minute: int) -> float:
        if noise(self.seed, 5, day) > 0.4 or not 600 <= minute < 690:
            return 0.0
        return 2000.0 if minute < 625 else 250.0

    def _water(self, day: int, minute: int) -> float:
        start = 22 * 60 + 5 if self.night_heating else 13 * 60
        long = 100 + int(60 * noise(self.seed, 6, day))
        return 2000.0 if (minute - start) % 1440 < long else 0.0

    def _heater(self, number: int, cold: float, slot: int) -> float:
        """Thermostats switch in slots of ten minutes; the colder, the more of them are on."""
        return 1000.0 if noise(self.seed, 6 + number, slot // 10) < cold else 0.0

    def _sun(self, at: datetime, slot: int) -> float:
        if not self.solar_kw:
            return 0.0
        height = math.sin(math.pi * (at.hour + at.minute / 60 - 7) / 12)
        season = 0.6 + 0.4 * math.cos(2 * math.pi * (_day_of_year(at) - 172) / 365)
        clouds = 0.35 + 0.65 * noise(self.seed, 20, slot // 20)
        return max(0.0, 1000 * self.solar_kw * height * season * clouds)


def _slot(at: datetime) -> int:
    """Minutes since the year 1, on the local clock."""
    return at.toordinal() * 1440 + at.hour * 60 + at.minute


def _day_of_year(at: date) -> int:
    return at.timetuple().tm_yday


def outside(at: datetime) -> float:
    """Temperature outside in degrees Celsius, as an average year would have it."""
    season = 12 - 8 * math.cos(2 * math.pi * (_day_of_year(at) - 20) / 365)
    return season - 4 * math.cos(2 * math.pi * (at.hour - 3) / 24)


@lru_cache(maxsize=64)
def _cold(day: int, hour: int) -> float:
    """Share of the heaters that are on: less at night and while people are out."""
    need = (16 - outside(datetime.combine(date.fromordinal(day), time(hour)))) / 30
    return need * 0.6 if hour < 6 or 9 <= hour < 17 else need
