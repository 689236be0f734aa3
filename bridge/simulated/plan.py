"""Which meter to simulate, and how that is said in words: `sim:tempo?phases=3`, or the options of `simulate`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import parse_qsl

from bridge.simulated.contract import Contract
from bridge.simulated.household import Household
from bridge.tic.catalogue import Mode
from bridge.tic.values import PARIS


@dataclass(frozen=True, slots=True)
class Plan:
    """Which meter to simulate."""

    contract: Contract = Contract.TEMPO
    mode: Mode = Mode.STANDARD
    phases: int = 1
    producer: bool = False
    seed: int = 1
    overload: bool = False  # the household exceeds its subscribed power now and then
    degraded: bool = False  # the meter lost its clock
    corrupt: float = 0.0  # share of frames that arrive damaged
    start: datetime | None = None  # what the meter's clock shows at first; None is the time that it is

    @property
    def injects(self) -> bool:
        """Whether the household has panels."""
        return self.producer or self.contract is Contract.PRODUCER

    @property
    def kva(self) -> int:
        """Subscribed power."""
        return 18 if self.phases == 3 else 9

    @property
    def subscribed_current(self) -> int:
        """ISOUSC in A, of each phase: a Linky counts 200 V (54E section 6.1)."""
        return self.kva * 1000 // 200 // self.phases

    @property
    def meter_id(self) -> str:
        """The address of the simulated meter: a Landis+Gyr of 2021, G3, one or three phases."""
        return f"0421{76 if self.phases == 3 else 61}{self.seed % 1_000_000:06}"

    @property
    def household(self) -> Household:
        """Who lives there."""
        return Household(self.seed, self.contract is not Contract.BASE, 3.0 if self.injects else 0.0)


class _Option(NamedTuple):
    default: str
    read: Callable[[str], Any]  # gives the value of the plan's field, whatever its type; ValueError if it is none
    expected: str


def _none(text: str) -> NoReturn:
    raise ValueError(text)


def _fact(text: str) -> bool:
    return text == "1" if text in ("0", "1") else _none(text)


def _phases(text: str) -> int:
    return int(text) if text in ("1", "3") else _none(text)


def _seed(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else _none(text)


def _share(text: str) -> float:
    return float(text) if re.fullmatch(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?", text) else _none(text)


def _speed(text: str) -> float:
    return float(text) if re.fullmatch(r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,6})?", text) else _none(text)


def read_clock(text: str) -> datetime | None:
    """`2026-01-15T18:00` on a clock in French legal time; nothing is None."""
    if not text:
        return None
    return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=PARIS)


OPTIONS: Final = {
    "contract": _Option("tempo", Contract, "one of " + ", ".join(Contract)),
    "mode": _Option("standard", Mode, " or ".join(Mode)),
    "phases": _Option("1", _phases, "1 or 3"),
    "producer": _Option("0", _fact, "0 or 1"),
    "seed": _Option("1", _seed, "a whole number"),
    "overload": _Option("0", _fact, "0 or 1"),
    "degraded": _Option("0", _fact, "0 or 1"),
    "corrupt": _Option("0", _share, "a share from 0 to 1"),
    "start": _Option("", read_clock, "a local time such as 2026-01-15T18:00"),
    "speed": _Option("1", _speed, "a number above 0"),
}


def read_plan(text: str) -> tuple[Plan, float]:
    """Read `tempo?mode=historique&phases=3&producer=1&seed=2&speed=10` into a plan and a speed; ValueError if wrong."""
    contract, _, query = text.partition("?")
    said = ({"contract": contract} if contract else {}) | dict(parse_qsl(query, keep_blank_values=True))
    values: dict[str, Any] = {}  # the plan's fields, each of its own type
    for key, value in ({key: option.default for key, option in OPTIONS.items()} | said).items():
        if key not in OPTIONS:
            raise ValueError(f"{key}: no such option; expected one of {', '.join(OPTIONS)}")
        try:
            values[key] = OPTIONS[key].read(value)
        except ValueError:
            raise ValueError(f"{key}: {value!r} will not do; expected {OPTIONS[key].expected}") from None
    speed = values.pop("speed")
    return Plan(**values), speed
