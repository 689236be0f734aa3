"""Prices of a file meet those that are there: what is new is added, what the owner wrote stays.

The program signs what it writes: `shipped` is a checksum of a row as the file gave it. A row that no longer fits its
checksum was edited, by whatever way, and is its owner's from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Protocol, TypeAlias
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")  # at its midnight French prices change
Series: TypeAlias = tuple[str, str, int, bool]  # kind, period, power, taxed


@dataclass(frozen=True, slots=True)
class Price:
    """A price as a file gives it, in EUR per kWh or per year, valid in [start, end)."""

    kind: str
    period: str
    power: int
    start: datetime
    end: datetime | None
    amount: Decimal
    taxed: bool = True
    source: str = ""
    confidence: str = ""
    checked_on: date | None = None

    @property
    def series(self) -> Series:
        """What it is the price of."""
        return (self.kind, self.period, self.power, self.taxed)

    def __str__(self) -> str:
        return f"{_name(self.kind, self.period, self.power)} from {_day(self.start)}: {self.amount}"


class Row(Protocol):
    """A `TariffPrice`, of today or of a migration."""

    pk: Any
    kind: str
    period: str
    power: int
    taxed: bool
    start_date: datetime
    end_date: datetime | None
    amount: Decimal
    source: str
    confidence: str
    checked_on: date | None
    origin: str
    shipped: str


@dataclass(slots=True)
class Plan:
    """What is to be done, and what is left to the owner."""

    create: list[Price] = field(default_factory=list)
    change: list[tuple[Row, Price]] = field(default_factory=list)
    end: list[tuple[Row, datetime]] = field(default_factory=list)
    remove: list[Row] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # one sentence each
    same: int = 0


def as_price(row: Row) -> Price:
    """What a row says."""
    return Price(
        row.kind, row.period, row.power, row.start_date, row.end_date, row.amount, row.taxed, row.source,
        row.confidence, row.checked_on,
    )  # fmt: skip


def checksum(price: Price) -> str:
    """Of all that a price says; the same for 0.1940 and 0.194, in winter time and in UTC."""
    instants = ("" if at is None else at.astimezone(UTC).isoformat() for at in (price.start, price.end))
    amount = format(price.amount.normalize(), "f")
    parts = (*price.series, *instants, amount, price.source, price.confidence, price.checked_on or "")
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def is_untouched(row: Row) -> bool:
    """Whether it is as the program wrote it."""
    return row.origin != "user" and row.shipped == checksum(as_price(row))


def plan(
    there: Sequence[Row],
    given: Iterable[Price],
    *,
    ours: Collection[str],
    force: bool = False,
    whole: str | None = None,
    gone: Collection[tuple[Series, datetime]] = (),
) -> Plan:
    """Bring the prices of a file into what is there.

    Rows that are untouched and of an origin in `ours` may be replaced, with `force` any. `whole`: the file is all
    there is of this origin; what it lacks is removed. `gone`: what the owner deleted, and wants no more.
    """
    made = Plan()
    prices = sorted(given, key=lambda price: price.start)
    starts = {(price.series, price.start) for price in prices}
    free = {row.pk for row in there if force or (row.origin in ours and is_untouched(row))}
    if whole is not None:
        made.remove = [
            row
            for row in there
            if row.pk in free and row.origin == whole and (_series(row), row.start_date) not in starts
        ]
    removed = {row.pk for row in made.remove}
    left = [row for row in there if row.pk not in removed]
    for price in prices:
        if not force and (price.series, price.start) in gone:
            made.kept.append(f"{price}: you deleted it, and it stays so")
        else:
            same_series = [row for row in left if _series(row) == price.series]
            _place(price if force else _clipped(price, same_series), same_series, starts, free, made)
    return made


def _place(price: Price, rows: Sequence[Row], starts: Collection[Any], free: Collection[Any], made: Plan) -> None:
    there = next((row for row in rows if row.start_date == price.start), None)
    if there is not None and there.pk not in free and there.amount == price.amount:
        made.same += 1  # when it ends is the owner's matter
        return
    met = [row for row in rows if _overlap(row, price)]
    for row in met:
        if row.pk not in free:
            made.kept.append(f"{price}: yours from {_day(row.start_date)} says {row.amount}, and stays")
            return
    for row in met:
        if (price.series, row.start_date) in starts or row in made.remove:
            continue  # itself one of the file's
        if row.start_date < price.start:
            made.end.append((row, price.start))
        else:
            made.remove.append(row)
    if there is None:
        made.create.append(price)
    elif checksum(as_price(there)) == checksum(price) and is_untouched(there):
        made.same += 1
    else:
        made.change.append((there, price))


def _clipped(price: Price, rows: Sequence[Row]) -> Price:
    """Without an end it holds as far as the file knows: until what comes after it here."""
    if price.end is not None:
        return price
    after = min((row.start_date for row in rows if row.start_date > price.start), default=None)
    return replace(price, end=after)


def _series(row: Row) -> Series:
    return (row.kind, row.period, row.power, row.taxed)


def _overlap(row: Row, price: Price) -> bool:
    return (price.end is None or row.start_date < price.end) and (row.end_date is None or row.end_date > price.start)


def _day(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%Y-%m-%d}"


def _name(kind: str, period: str, power: int) -> str:
    return " ".join(filter(None, (period or kind, f"{power} kVA" if power else "")))
