"""What a meter in mode standard tells beyond its labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, tzinfo
from typing import Any, Final

from bridge.checked import Moment
from bridge.derived import tempo
from bridge.derived.breaker import BreakerModel
from bridge.derived.peaks import Peaks
from bridge.derived.power import MeanPower
from bridge.derived.tariff import Days, NextDay, Running, Timetable
from bridge.derived.told import Told
from bridge.tic.catalogue import TEMPO_COLOURS
from bridge.tic.models import Standard
from bridge.tic.values import Relays, StatusRegister

REGISTER_PARTS: Final = (
    "breaker", "terminal_cover", "overvoltage", "over_power", "role", "energy_direction", "tariff_index",
    "distributor_tariff", "clock_degraded", "tic_output", "euridis", "plc", "plc_synchronised", "tempo_today",
    "tempo_tomorrow", "peak_notice", "peak",
)  # fmt: skip
_RECONCILED: Final = ("tariff_index", "tempo_today", "tempo_tomorrow")  # other labels speak of these too
_OF_REGISTER: Final = tuple(part for part in REGISTER_PARTS if part not in _RECONCILED)
_RELAYS: Final = tuple((f"relay_{n}", n) for n in range(1, 9))


class OfStandard:
    """Follows one meter, by its own clock; by the host's if it never sends DATE."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._calendar: str | None = None
        self._register: StatusRegister | None = None
        self._relays: Relays | None = None
        self._is_dated = False
        self._running = Running()
        self._days = Days()
        self._peaks = Peaks(zone)
        self._coloured: Any = None  # what the colours told last were made of
        self._colours = tempo.Colours()
        self._timed: Any = None  # what the change told last was made of
        self._breaker = BreakerModel()
        self._power = MeanPower()

    def take(self, reading: Standard, at: Moment, gone: Collection[str]) -> Iterator[Told]:
        """What this frame tells. `gone` names the labels that stopped."""
        yield from self._registers(reading)
        yield from self._powers(reading, at.monotonic)
        yield from self._tariff(reading)
        wall = self._wall(reading, at)
        if wall is None:
            return
        self._peaks.take(reading, gone, wall)
        self._days.take(reading, wall.date())
        minute = wall.replace(second=0, microsecond=0)
        yield from self._tempo(minute)
        yield from self._next_change(reading, minute)

    def _registers(self, reading: Standard) -> Iterator[Told]:
        register, relays = reading.stge, reading.relais
        if register is not None and register is not self._register:
            self._register = register
            yield from (Told(part, getattr(register, part)) for part in _OF_REGISTER)
        if relays is not None and relays is not self._relays:
            self._relays = relays
            yield from (Told(slug, relays.closed(n)) for slug, n in _RELAYS)

    def _powers(self, reading: Standard, now: float) -> Iterator[Told]:
        drawn = reading.sinsts if reading.sinsts is not None else reading.sinst1  # a pilot meter's spelling
        if drawn is not None and reading.pref:
            yield Told("power_used_percent", round(drawn / reading.pref / 10))
        if reading.east is not None or self._power.is_watching:
            yield Told("active_power_mean", self._power.take(reading.east, reading.eait, now))
        outlook = self._breaker.take(reading, now)
        if outlook is not None:
            yield Told("breaker_margin", outlook.margin)
            yield Told("breaker_seconds_to_trip", outlook.seconds)

    def _tariff(self, reading: Standard) -> Iterator[Told]:
        if reading.ngtf is not None and reading.ngtf != self._calendar:
            self._calendar = reading.ngtf  # another contract has other profiles
            self._days.forget()
            self._peaks.forget()
        if reading.ltarf is not None:
            yield Told("tariff_period", reading.ltarf)
        if reading.stge is not None or reading.ntarf is not None:
            self._running.take(None if reading.stge is None else reading.stge.tariff_index, reading.ntarf)
            yield Told("tariff_index", self._running.index)

    def _wall(self, reading: Standard, at: Moment) -> datetime | None:
        """What the meter's clock shows, without a zone; None in a frame that lost its DATE."""
        if reading.date is not None:
            self._is_dated = True
            return reading.date.replace(tzinfo=None)
        return None if self._is_dated else at.utc.astimezone(self._zone).replace(tzinfo=None)

    def _tempo(self, minute: datetime) -> Iterator[Told]:
        if self._register is None or self._coloured == (of := (self._register, self._peaks.known, minute)):
            return
        colours = tempo.of_standard(*of)
        if colours is not None or self._coloured is not None:  # on Tempo, or no longer
            self._coloured, self._colours = of, colours or tempo.Colours()
            yield from self._colours.told()

    def _next_change(self, reading: Standard, minute: datetime) -> Iterator[Told]:
        stamp = reading.stamps.get("date")
        is_sure = stamp is None or not stamp.degraded
        of = (self._running.index, self._days.known, self._peaks.known, self._colours, minute, is_sure)
        if of == self._timed or (self._running.index is None and self._timed is None):
            return
        self._timed = of
        change = None
        if self._running.index is not None and is_sure:
            timetable = Timetable(self._days.known, self._peaks.known, self._next_day(minute))
            change = timetable.next_change(minute, self._running.index)
        at = None if change is None else change.at.replace(tzinfo=self._zone)
        yield Told("next_tariff_change", at, {"index": None if change is None else change.number})

    def _next_day(self, minute: datetime) -> NextDay | None:
        if self._register is None or self._register.tempo_today is None:
            return None
        word = self._colours.tomorrow.word
        return NextDay(tempo.next_day(minute), None if word is None else TEMPO_COLOURS.index(word))
