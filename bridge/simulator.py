"""A Linky that does not exist: the frames it would send, for any contract, mode and number of phases.

Pure: the clock is passed in. What it measures comes from `household`.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

from bridge.household import Household, noise
from bridge.tic.catalogue import TEMPO_COLOURS, Mode
from bridge.tic.encode import encode_values
from bridge.tic.values import PARIS, DayProfile, PhaseLoss, Relays, StatusRegister, Switch, Value, write_stamp


class Contract(StrEnum):
    """What the simulated household pays by. A producer is on Base and injects its surplus."""

    BASE = "base"
    HCHP = "hchp"
    TEMPO = "tempo"
    EJP = "ejp"
    PRODUCER = "producer"


BAUD: Final = {Mode.STANDARD: 9600, Mode.HISTORIQUE: 1200}
_SILENCE: Final = 0.02  # seconds between two frames (54E section 5.3.6: 16.7 to 33.4 ms)
POWER_FACTOR: Final = 0.95

_CALENDAR: Final = {
    Contract.BASE: "BASE", Contract.PRODUCER: "BASE", Contract.HCHP: "H PLEINE/CREUSE", Contract.TEMPO: "TEMPO",
    Contract.EJP: "EJP",
}  # fmt: skip
_OPTION: Final = {
    Contract.BASE: "BASE", Contract.PRODUCER: "BASE", Contract.HCHP: "HC", Contract.TEMPO: "BBR", Contract.EJP: "EJP",
}  # fmt: skip
INDEXES: Final = {
    Contract.BASE: ("base",),
    Contract.PRODUCER: ("base",),
    Contract.HCHP: ("hchc", "hchp"),
    Contract.EJP: ("ejphn", "ejphpm"),
    Contract.TEMPO: ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
}
_PERIODS: Final = {
    Contract.BASE: ("TH",),
    Contract.PRODUCER: ("TH",),
    Contract.HCHP: ("HC", "HP"),
    Contract.EJP: ("HN", "PM"),
    Contract.TEMPO: ("HCJB", "HPJB", "HCJW", "HPJW", "HCJR", "HPJR"),
}
_LABELS: Final = {
    Contract.BASE: ("BASE",),
    Contract.PRODUCER: ("BASE",),
    Contract.HCHP: ("HEURE CREUSE", "HEURE PLEINE"),
    Contract.EJP: ("HEURE NORMALE", "POINTE MOBILE"),
    Contract.TEMPO: ("HC BLEU", "HP BLEU", "HC BLANC", "HP BLANC", "HC ROUGE", "HP ROUGE"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which meter to simulate."""

    contract: Contract = Contract.TEMPO
    mode: Mode = Mode.STANDARD
    phases: int = 1
    producer: bool = False
    seed: int = 1

    @property
    def injects(self) -> bool:
        """Whether the household has panels."""
        return self.producer or self.contract is Contract.PRODUCER

    @property
    def kva(self) -> int:
        """Subscribed power."""
        return 18 if self.phases == 3 else 9

    @property
    def meter_id(self) -> str:
        """The address of the simulated meter: a Landis+Gyr of 2021, G3, one or three phases."""
        return f"0421{76 if self.phases == 3 else 61}{self.seed % 1_000_000:06}"

    @property
    def household(self) -> Household:
        """Who lives there."""
        return Household(self.seed, self.contract is not Contract.BASE, 3.0 if self.injects else 0.0)


# option of `sim:` -> default, what it may be, the same in words
_OPTIONS: Final = {
    "contract": ("tempo", "|".join(Contract), "one of " + ", ".join(Contract)),
    "mode": ("standard", "|".join(Mode), " or ".join(Mode)),
    "phases": ("1", "1|3", "1 or 3"),
    "producer": ("0", "0|1", "0 or 1"),
    "seed": ("1", "[0-9]{1,9}", "a whole number"),
    "speed": ("1", r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,6})?", "a number above 0"),
}


def read_plan(text: str) -> tuple[Plan, float]:
    """Read `tempo?mode=historique&phases=3&producer=1&seed=2&speed=10` into a plan and a speed; ValueError if wrong."""
    contract, _, query = text.partition("?")
    options = {key: default for key, (default, _, _) in _OPTIONS.items()}
    options |= ({"contract": contract} if contract else {}) | dict(parse_qsl(query, keep_blank_values=True))
    for key, value in options.items():
        if key not in _OPTIONS:
            raise ValueError(f"{key}: no such option; expected one of {', '.join(_OPTIONS)}")
        if not re.fullmatch(_OPTIONS[key][1], value):
            raise ValueError(f"{key}: {value!r} will not do; expected {_OPTIONS[key][2]}")
    plan = Plan(
        Contract(options["contract"]),
        Mode(options["mode"]),
        int(options["phases"]),
        options["producer"] == "1",
        int(options["seed"]),
    )
    return plan, float(options["speed"])


def colour(day: date, seed: int) -> str:
    """The Tempo colour of a day (06:00 to 06:00): red on winter weekdays, white never on a Sunday."""
    draw = noise(seed, 30, day.toordinal())
    winter = day.month in (11, 12, 1, 2, 3)
    if winter and day.weekday() < 5 and draw < 0.2:
        return TEMPO_COLOURS[2]
    if (winter or day.month in (4, 10)) and day.weekday() != 6 and draw < 0.45:
        return TEMPO_COLOURS[1]
    return TEMPO_COLOURS[0]


def mobile_peak(day: date, seed: int) -> bool:
    """Whether an EJP peak runs from 07:00 of this day to 01:00 of the next."""
    return day.month in (11, 12, 1, 2, 3) and noise(seed, 31, day.toordinal()) < 22 / 151


def running_index(contract: Contract, at: datetime, seed: int) -> int:
    """Number of the supplier index in force at a local time, from 1."""
    off_peak = at.hour >= 22 or at.hour < 6
    if contract is Contract.HCHP:
        return 1 if off_peak else 2
    if contract is Contract.EJP:
        in_peak_hours = not 1 <= at.hour < 7
        return 2 if in_peak_hours and mobile_peak((at - timedelta(hours=7)).date(), seed) else 1
    if contract is Contract.TEMPO:
        day = TEMPO_COLOURS.index(colour((at - timedelta(hours=6)).date(), seed))
        return 2 * day + (1 if off_peak else 2)
    return 1


def label(plan: Plan, index: int) -> str:
    """What the meter calls a supplier index: LTARF, or PTEC in mode historique."""
    names = _PERIODS if plan.mode is Mode.HISTORIQUE else _LABELS
    return names[plan.contract][index - 1]


class SimulatedMeter:
    """Measures the household of a plan from `start` on, and says so frame by frame."""

    def __init__(self, plan: Plan, start: datetime) -> None:
        self.plan = plan
        self._household = plan.household
        self._now = start
        parts = len(INDEXES[plan.contract])
        self._drawn = [1_234_567.0 * (n + 3) for n in range(parts)] + [0.0] * (10 - parts)
        self._injected = 671_631.0 if plan.injects else 0.0
        self._maximum = [(0.0, start)] * 4  # the whole, then each phase: (VA, when) of today
        self._maximum_before = [(1000.0 * (n == 0) + 2000.0, start - timedelta(days=1)) for n in range(4)]
        self._curve = (0.0, start, 0.0, start)
        self._frames = 0

    def frame(self, now: datetime) -> bytes:
        """Measure up to `now` (aware) and return the frame that the meter would then begin to send."""
        local = now.astimezone(PARIS)
        watts = self._household.watts(local)
        if self.plan.phases == 1:
            watts = (sum(watts), 0.0, 0.0)
        self._measure(local, watts)
        self._frames += 1
        if self.plan.mode is Mode.HISTORIQUE:
            return encode_values(self._historique(local, watts), {})
        return self._standard(local, watts)

    def seconds(self, frame: bytes) -> float:
        """How long a frame, and the silence after it, take on the line: ten bits for each character."""
        return len(frame) * 10 / BAUD[self.plan.mode] + _SILENCE

    @property
    def drawn(self) -> tuple[int, ...]:
        """The supplier indexes, in Wh."""
        return tuple(int(wh) for wh in self._drawn)

    def _measure(self, local: datetime, watts: tuple[float, float, float]) -> None:
        hours = (local - self._now).total_seconds() / 3600
        total = sum(watts)
        if total >= 0:
            self._drawn[running_index(self.plan.contract, local, self.plan.seed) - 1] += total * hours
        else:
            self._injected -= total * hours
        if local.date() != self._now.astimezone(PARIS).date():
            self._maximum_before, self._maximum = self._maximum, [(0.0, local)] * 4
        for n, power in enumerate((total, *watts)):
            if power / POWER_FACTOR > self._maximum[n][0]:
                self._maximum[n] = (power / POWER_FACTOR, local)
        step = local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0)
        if step != self._curve[1]:
            self._curve = (max(0.0, total), step, self._curve[0], self._curve[1])
        self._now = local

    def _apparent(self, watts: float) -> int:
        return min(99_999, max(0, round(watts / POWER_FACTOR)))

    def _current(self, phase: int, watts: float, local: datetime) -> int:
        return round(abs(watts) / POWER_FACTOR / self._household.volts(phase, local))

    def _historique(self, local: datetime, watts: tuple[float, float, float]) -> dict[str, Value]:
        plan = self.plan
        subscribed = plan.kva * 1000 // 200 // plan.phases
        values: dict[str, Value] = {
            "adco": plan.meter_id,
            "optarif": _OPTION[plan.contract],
            "isousc": subscribed,
        }
        values |= dict(zip(INDEXES[plan.contract], self.drawn, strict=False))
        values["ptec"] = label(plan, running_index(plan.contract, local, plan.seed))
        if plan.contract is Contract.TEMPO:
            values["demain"] = self._tomorrow(local)
        apparent = self._apparent(sum(watts))
        if plan.phases == 3:
            currents = [self._current(n, watts[n - 1], local) for n in (1, 2, 3)]
            values |= {f"iinst{n}": currents[n - 1] for n in (1, 2, 3)} | {f"imax{n}": 60 for n in (1, 2, 3)}
            values |= {"pmax": min(99_999, round(self._maximum_before[0][0])), "papp": apparent}
        else:
            current = self._current(1, watts[0], local)
            values["iinst"] = current
            if current > subscribed:
                values["adps"] = current
            values |= {"imax": 90, "papp": apparent}
        values |= {"hhphc": "A", "motdetat": "000000"}
        if plan.phases == 3:
            values["ppot"] = PhaseLoss(0)
        return values

    def _standard(self, local: datetime, watts: tuple[float, float, float]) -> bytes:
        plan, phases = self.plan, range(1, self.plan.phases + 1)
        index = running_index(plan.contract, local, plan.seed)
        total = sum(watts)
        drawn = self.drawn
        values: dict[str, Value] = {
            "adsc": plan.meter_id, "vtic": "02", "date": local, "ngtf": _CALENDAR[plan.contract],
            "ltarf": label(plan, index), "east": sum(drawn),
        }  # fmt: skip
        values |= {f"easf{n:02}": drawn[n - 1] for n in range(1, 11)}
        values |= {f"easd{n:02}": sum(drawn) if n == 1 else 0 for n in range(1, 5)}
        if plan.injects:
            values |= {
                "eait": int(self._injected),
                "erq1": 2_970_842,
                "erq2": 204_084,
                "erq3": 84_948,
                "erq4": 774_332,
            }
        values |= {f"irms{n}": self._current(n, watts[n - 1], local) for n in phases}
        values |= {f"urms{n}": round(self._household.volts(n, local)) for n in phases}
        values |= {"pref": plan.kva, "pcoup": plan.kva, "sinsts": self._apparent(total)}
        stamps: dict[str, str] = {}
        if plan.phases == 3:
            values |= {f"sinsts{n}": self._apparent(watts[n - 1]) for n in phases}
        self._maxima(values, stamps)
        if plan.injects:
            values["sinsti"] = self._apparent(-total)
            values |= {"smaxin": 0, "smaxin_prev": 2861}
            stamps |= dict.fromkeys(("smaxin", "smaxin_prev"), write_stamp(_midnight(local)))
        self._load_curve(values, stamps)
        ten_minutes = local.replace(minute=local.minute // 10 * 10, second=0, microsecond=0)
        for n in phases:
            values[f"umoy{n}"] = round(self._household.volts(n, ten_minutes))
            stamps[f"umoy{n}"] = write_stamp(ten_minutes)
        values |= {
            "stge": self._register(local, index, total),
            "msg1": "PAS DE          MESSAGE",
            "prm": "00000000000000",
        }
        values |= {
            "relais": Relays(0),
            "ntarf": index,
            "njourf": 0,
            "njourf_next": 0,
            "pjourf_next": self._profile(),
        }
        return encode_values(values, stamps)

    def _maxima(self, values: dict[str, Value], stamps: dict[str, str]) -> None:
        numbers = ("", "1", "2", "3") if self.plan.phases == 3 else ("",)
        for suffix, maxima in (("", self._maximum), ("_prev", self._maximum_before)):
            for n, number in enumerate(numbers):
                power, at = maxima[n]
                values[f"smaxsn{number}{suffix}"] = min(99_999, round(power))
                stamps[f"smaxsn{number}{suffix}"] = write_stamp(at)

    def _load_curve(self, values: dict[str, Value], stamps: dict[str, str]) -> None:
        power, at, before, before_at = self._curve
        values |= {"ccasn": round(power), "ccasn_prev": round(before)}
        stamps |= {"ccasn": write_stamp(at), "ccasn_prev": write_stamp(before_at)}
        if self.plan.injects:
            values |= {"ccain": 0, "ccain_prev": 0}
            stamps |= {"ccain": write_stamp(at), "ccain_prev": write_stamp(before_at)}

    def _tomorrow(self, local: datetime) -> str | None:
        """Tomorrow's colour is announced at 20:00; a Tempo day begins at 06:00."""
        if 6 <= local.hour < 20:
            return None
        return colour((local - timedelta(hours=6)).date() + timedelta(days=1), self.plan.seed)

    def _register(self, local: datetime, index: int, total: float) -> StatusRegister:
        bits = 1 | (index - 1) << 10 | 1 << 17 | 3 << 19 | 2 << 21 | 1 << 23
        if total / POWER_FACTOR > self.plan.kva * 1000:
            bits |= 1 << 7
        if self.plan.injects:
            bits |= 1 << 8 | (total < 0) << 9
        if self.plan.contract is Contract.TEMPO:
            today = colour((local - timedelta(hours=6)).date(), self.plan.seed)
            tomorrow = self._tomorrow(local)
            bits |= (TEMPO_COLOURS.index(today) + 1) << 24
            bits |= (TEMPO_COLOURS.index(tomorrow) + 1 if tomorrow else 0) << 26
        return StatusRegister(bits)

    def _profile(self) -> DayProfile:
        if self.plan.contract in (Contract.HCHP, Contract.TEMPO):
            return DayProfile((Switch("00:00", 0xC001), Switch("06:00", 0x8002), Switch("22:00", 0xC001)))
        return DayProfile((Switch("00:00", 0x0001),))


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def corrupt(frame: bytes, rng: random.Random) -> bytes:
    """Damage a frame as bad wiring does: flipped bits, lost and doubled characters."""
    damaged = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(damaged))
        kind = rng.random()
        if kind < 0.6:
            damaged[at] ^= 1 << rng.randrange(7)
        elif kind < 0.8:
            del damaged[at]
        else:
            damaged.insert(at, damaged[at])
    return bytes(damaged)
