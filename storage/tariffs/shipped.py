"""The prices that come with ticbridge, as their file says them: each with its source, its confidence and its check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import yaml

from storage.tariffs.grids import PARIS, Price

FILE: Final = Path(__file__).with_name("reference") / "mainland.yaml"
POWERS: Final = (3, 6, 9, 12, 15, 18, 24, 30, 36)  # kVA that a household may subscribe


@dataclass(frozen=True, slots=True)
class ShippedPeriod:
    """A price period of an offer."""

    code: str
    name_fr: str
    name_en: str
    rank: int


@dataclass(frozen=True, slots=True)
class ShippedRule:
    """When a period counts."""

    rank: int
    period: str
    days: str
    hours: str
    begins: time | None
    ends: time | None


@dataclass(frozen=True, slots=True)
class ShippedOffer:
    """An offer with its periods and all its prices, past and present."""

    code: str
    name: str
    supplier: str
    option: str
    periods: tuple[ShippedPeriod, ...]
    prices: tuple[Price, ...]
    events: int | None
    rules: tuple[ShippedRule, ...]


def digest() -> str:
    """A checksum of the file: a migration says which one it loads."""
    return sha256(FILE.read_bytes()).hexdigest()[:16]


@cache
def shipped_offers() -> tuple[ShippedOffer, ...]:
    """All of them."""
    # Every scalar stays text: a price that went through a float is another.
    page = yaml.load(FILE.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506  it makes text, lists and dictionaries only
    return tuple(_offer(entry, page["sources"], date.fromisoformat(page["checked_on"])) for entry in page["offers"])


def midnight(day: date) -> datetime:
    """When a price of that day begins: French prices change at midnight in Paris."""
    return datetime.combine(day, time.min, PARIS)


def _offer(entry: Mapping[str, Any], sources: Mapping[str, str], checked_on: date) -> ShippedOffer:
    periods = tuple(ShippedPeriod(p["code"], p["fr"], p["en"], rank) for rank, p in enumerate(entry["periods"], 1))
    energy = [(entry, _energy(entry, periods)) for entry in entry["energy"]]
    subscription = [(entry, _subscription(entry)) for entry in entry["subscription"]]
    prices = (
        Price(kind, period, power, start, end, amount, source=sources[grid["source"]].strip(),
              confidence=grid["confidence"], checked_on=checked_on)
        for kind, grids in (("energy", energy), ("subscription", subscription))
        for (grid, amounts), (start, end) in zip(grids, _spans([grid for grid, _ in grids]), strict=True)
        for period, power, amount in amounts
    )  # fmt: skip
    events = int(entry["events"]) if "events" in entry else None
    rules = tuple(_rule(rank, rule) for rank, rule in enumerate(entry.get("rules", []), 1))
    about = (entry["code"], entry["name"], entry["supplier"], entry["option"])
    return ShippedOffer(*about, periods, tuple(prices), events, rules)


def _rule(rank: int, entry: Mapping[str, str]) -> ShippedRule:
    begins, ends = (time.fromisoformat(entry[name]) if name in entry else None for name in ("begins", "ends"))
    hours = "all" if begins is None else "clock"
    return ShippedRule(rank, entry["period"], entry.get("days", "every"), hours, begins, ends)


def _spans(grids: Sequence[Mapping[str, str]]) -> list[tuple[datetime, datetime | None]]:
    """From when to when each holds: until the next date of the list, the last one without an end."""
    days = [date.fromisoformat(grid["from"]) for grid in grids]
    later = [min((day for day in days if day > own), default=None) for own in days]
    return [(midnight(day), None if end is None else midnight(end)) for day, end in zip(days, later, strict=True)]


def _energy(grid: Mapping[str, Any], periods: Sequence[ShippedPeriod]) -> list[tuple[str, int, Decimal]]:
    """Period, power (0: whatever it is) and EUR per kWh."""
    return [
        (period.code, power, amount)
        for period in periods
        if period.code in grid
        for power, amount in _by_power(grid[period.code])
    ]


def _subscription(grid: Mapping[str, Any]) -> list[tuple[str, int, Decimal]]:
    """No period, power and EUR per year."""
    years = [("", power, amount) for power, amount in _by_power(grid.get("year", {}))]
    return years + [("", power, amount * 12) for power, amount in _by_power(grid.get("month", {}))]


def _by_power(amounts: str | Mapping[str, str]) -> Iterator[tuple[int, Decimal]]:
    if isinstance(amounts, str):
        yield 0, Decimal(amounts)
        return
    for power, amount in amounts.items():
        least = int(power.rstrip("+"))
        for each in (p for p in POWERS if p >= least) if power.endswith("+") else (least,):
            yield each, Decimal(amount)
