"""What a day cost, in plain loops over everything: what `storage.tariffs` must come to, whatever it did on the way.

Nothing here is imported from `storage`. Slow and obvious; instants are seconds since 1970, periods half-open, an end of
None never comes. Contracts: (start, end, direction, offer, power, only). Prices: (start, end, offer, kind, period,
power, amount). Meanings: (start, end, index, period).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass
class Hour:
    start: int
    east: int | None = None
    indexes: dict[int, int] = field(default_factory=dict)
    eait: int | None = None
    estimated: bool = False
    has_reset: bool = False


@dataclass
class House:
    contracts: list[tuple[Any, ...]] = field(default_factory=list)
    prices: list[tuple[Any, ...]] = field(default_factory=list)
    meanings: list[tuple[Any, ...]] = field(default_factory=list)


def holds(row: tuple[Any, ...], at: int) -> bool:
    return bool(row[0] <= at and (row[1] is None or at < row[1]))


def contract_at(house: House, direction: str, at: int) -> tuple[Any, ...] | None:
    for row in house.contracts:
        if holds(row, at) and row[2] == direction:
            return row
    return None


def price_at(house: House, contract: tuple[Any, ...], kind: str, period: str, at: int) -> Decimal | None:
    found = None
    for row in house.prices:
        if holds(row, at) and row[2:5] == (contract[3], kind, period):
            if row[5] != 0 and row[5] == contract[4]:
                return Decimal(row[6])
            if row[5] == 0:
                found = Decimal(row[6])
    return found


def meaning_at(house: House, index: int, hour: Hour) -> str:
    for row in house.meanings:
        if holds(row, hour.start + 3599) and row[2] == index and row[3]:
            return str(row[3])
    return "?"


def split(house: House, hour: Hour, contract: tuple[Any, ...] | None) -> list[tuple[str, int]]:
    """(period, Wh) of what was drawn."""
    counted = 0
    for wh in hour.indexes.values():
        counted += wh
    if contract is not None and contract[5]:
        return [(contract[5], counted if hour.east is None else hour.east)]
    parts = []
    slack = 1
    for index, wh in hour.indexes.items():
        parts.append((meaning_at(house, index, hour), wh))
        if wh > 0:
            slack += 1
    if not hour.indexes:
        slack = 0
    if hour.east is not None and hour.east - counted > slack:
        parts.append(("?", hour.east - counted))
    return parts


def is_lacking(start: int, end: int, hours: list[Hour]) -> bool:
    for at in range(-(-start // 3600) * 3600, end, 3600):
        there = False
        for hour in hours:
            if hour.start == at and (hour.east is not None or hour.indexes):
                there = True
        if not there:
            return True
    return any(hour.has_reset for hour in hours)


def reference_day(
    house: House, start: int, end: int, of_year: int, hours: list[Hour], until: int
) -> dict[tuple[str, str], tuple[int | None, Decimal | None, bool]]:
    """(direction, period) -> Wh, EUR, estimated. `until`: the end of the last hour that was ever heard."""
    rows: dict[tuple[str, str], list[Any]] = {}
    lacks = is_lacking(start, min(end, until), hours)
    for hour in hours:
        contract = contract_at(house, "drawn", hour.start)
        if hour.east is not None or hour.indexes:
            for period, wh in split(house, hour, contract):
                add(house, rows, "drawn", hour, contract, period, wh)
    sells = contract_at(house, "injected", start) is not None
    injected = [hour for hour in hours if hour.eait is not None]
    some = False
    for hour in injected:
        if hour.eait:
            some = True
    if sells or some:
        for hour in injected:
            add(house, rows, "injected", hour, contract_at(house, "injected", hour.start), "injected", hour.eait or 0)
    if lacks:
        rows["drawn", "?"] = [None, None, False]
    if sells and (lacks or not injected):
        rows["injected", "?"] = [None, None, False]
    subscribe(house, rows, start, end, of_year, selling=sells or some)
    return {key: (row[0], row[1], row[2]) for key, row in rows.items()}


def add(
    house: House,
    rows: dict[tuple[str, str], list[Any]],
    direction: str,
    hour: Hour,
    contract: Any,
    period: str,
    wh: int,
) -> None:
    price = None
    if contract is not None and period != "?":
        price = price_at(house, contract, "energy", period, hour.start)
    if price is None:
        if wh == 0:
            return
        row = rows.setdefault((direction, "?"), [0, None, False])
    else:
        row = rows.setdefault((direction, period), [0, Decimal(0), False])
        row[1] += price * wh / 1000 * (-1 if direction == "injected" else 1)
    row[0] += wh
    if hour.estimated and wh:
        row[2] = True


def subscribe(
    house: House, rows: dict[tuple[str, str], list[Any]], start: int, end: int, of_year: int, *, selling: bool
) -> None:
    """Half hour by half hour: contracts and prices change at one."""
    for direction in ("drawn", "injected"):
        if direction == "injected" and not selling:
            continue
        amount, known, seen = Fraction(0), True, False
        for at in range(start, end, 1800):
            contract = contract_at(house, direction, at)
            if contract is None:
                continue
            if direction == "injected":
                priced = False
                for row in house.prices:
                    if row[2] == contract[3] and row[3] == "subscription":
                        priced = True
                if not priced:
                    continue
            seen = True
            price = price_at(house, contract, "subscription", "", at)
            if price is None:
                known = False
            else:
                amount += Fraction(price) * 1800 / (end - start) / of_year
        if seen:
            nine = Decimal(round(amount * 10**9)) / 10**9
            rows[direction, ""] = [None, nine if known else None, False]
