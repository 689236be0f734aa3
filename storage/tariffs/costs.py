"""What a day cost: pure, of plain numbers. `tests/reference_costs.py` says the same in slow and obvious loops.

Unknown is None, never zero: energy without a contract, a price or a meaning stands under the period `?`, unpriced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from storage.tariffs.timeline import Timeline

DRAWN: Final = "drawn"
INJECTED: Final = "injected"  # also the period that a resale prices
SUBSCRIPTION: Final = ""  # the period of its row
UNKNOWN: Final = "?"
PLACES: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a contract says that matters for a price."""

    offer: int
    power: int | None  # kVA
    only: str = ""  # the one period of an offer that has but one


@dataclass(frozen=True, slots=True)
class Series:
    """Which prices follow each other."""

    offer: int
    kind: str  # energy or subscription
    period: str
    power: int  # kVA; 0: whatever it is


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the indexes counted in an hour, or in a day of which no hour is known. Wh; what is absent is not known."""

    start: int
    end: int
    east: int | None = None
    indexes: Mapping[int, int] = field(default_factory=dict)
    injected: int | None = None
    estimated: bool = False
    has_reset: bool = False  # some of what was counted in it is lost

    @property
    def is_drawn_known(self) -> bool:
        """Whether anything is known of what was drawn."""
        return self.east is not None or bool(self.indexes)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of DayCost to be."""

    direction: str
    period: str
    wh: int | None
    amount: Decimal | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a meter: its contracts, the meaning of its indexes, the prices of its offers."""

    contracts: Mapping[str, Timeline[Agreement]]
    meanings: Mapping[int, Timeline[str]]
    prices: Mapping[Series, Timeline[Decimal]]

    def agreement(self, direction: str, at: int) -> Agreement | None:
        """Of the contract that holds."""
        contract = self.contracts.get(direction)
        return contract.at(at) if contract else None

    def price(self, agreement: Agreement, kind: str, period: str, at: int) -> Decimal | None:
        """That of the contract's power, else that of any power."""
        for power in (agreement.power or 0, 0):
            series = self.prices.get(Series(agreement.offer, kind, period, power))
            price = series.at(at) if series else None
            if price is not None:
                return price
        return None

    def of(self, offer: int) -> Mapping[Series, Timeline[Decimal]]:
        """The prices of one offer."""
        return {series: prices for series, prices in self.prices.items() if series.offer == offer}

    def meaning(self, index: int, bucket: Bucket) -> str:
        """The period that an index counts; the word that the meter says last in a bucket holds for all of it."""
        meanings = self.meanings.get(index)
        return (meanings.at(bucket.end - 1) if meanings else None) or UNKNOWN


@dataclass(frozen=True, slots=True)
class Day:
    """A civil day of the meter's zone."""

    start: int
    end: int
    of_year: int  # days of its year

    @property
    def length(self) -> int:
        """23, 24 or 25 hours."""
        return self.end - self.start


# The periods of a bucket and their Wh; None: its indexes say them.
Told: TypeAlias = Callable[[Bucket], Iterable[tuple[str, int]] | None]


def _nothing(_: Bucket) -> None:
    return None


def price_day(
    day: Day,
    buckets: Sequence[Bucket],
    known: Known,
    *,
    lacks: bool = False,
    told: Told = _nothing,
) -> list[Row]:
    """The rows of a day. `lacks`: hours are missing, so that more was drawn than the buckets tell.

    `told` is what the rules of an offer say of its hours (`calendars.by_rules`).
    """
    drawn = [bucket for bucket in buckets if bucket.is_drawn_known]
    injected = [bucket for bucket in buckets if bucket.injected is not None]
    lacks |= any(bucket.has_reset for bucket in buckets)
    rows = _energy_rows(DRAWN, (part for bucket in drawn for part in _drawn_parts(bucket, known, told)), known)
    if lacks:
        rows = _with_lacking(DRAWN, rows)
    rows += subscription(day, DRAWN, known)
    sells = known.agreement(INJECTED, day.start) is not None
    if sells or any(bucket.injected for bucket in injected):
        sold = [_Part(bucket, INJECTED, bucket.injected or 0) for bucket in injected]
        more = _energy_rows(INJECTED, sold, known)
        if sells and (lacks or not injected):
            more = _with_lacking(INJECTED, more)
        rows += [*more, *subscription(day, INJECTED, known)]
    return sorted(rows, key=lambda row: (row.direction, row.period))


@dataclass(frozen=True, slots=True)
class _Part:
    bucket: Bucket
    period: str
    wh: int


def periods_of(bucket: Bucket, known: Known) -> Iterator[tuple[str, int]]:
    """What the indexes of a bucket say: (period, Wh). What they leave of the total is of an unknown period."""
    for index, wh in bucket.indexes.items():
        yield known.meaning(index, bucket), wh
    # Each index is interpolated and cut to whole Wh: one may be wrong by less than 1 Wh, and so may the total.
    running = sum(1 for wh in bucket.indexes.values() if wh)
    rest = (bucket.east or 0) - sum(bucket.indexes.values())
    if rest > running + 1 or (rest and not bucket.indexes):
        yield UNKNOWN, rest


def _drawn_parts(bucket: Bucket, known: Known, told: Told) -> Iterator[_Part]:
    agreement = known.agreement(DRAWN, bucket.start)
    if agreement is not None and agreement.only:
        total = sum(bucket.indexes.values()) if bucket.east is None else bucket.east
        yield _Part(bucket, agreement.only, total)
        return
    ruled = told(bucket)
    for period, wh in periods_of(bucket, known) if ruled is None else ruled:
        yield _Part(bucket, period, wh)


def _energy_rows(direction: str, parts: Iterable[_Part], known: Known) -> list[Row]:
    energy: dict[str, int] = defaultdict(int)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    estimated: set[str] = set()
    sign = -1 if direction == INJECTED else 1
    for part in parts:
        price = _price(direction, part, known)
        if price is None and not part.wh:
            continue  # of an index that does not run nobody asks what it means
        period = UNKNOWN if price is None else part.period
        energy[period] += part.wh
        if price is not None:
            amounts[period] += sign * part.wh * price / 1000
        if part.bucket.estimated and part.wh:
            estimated.add(period)
    return [
        Row(direction, period, wh, None if period == UNKNOWN else amounts[period].quantize(PLACES), period in estimated)
        for period, wh in energy.items()
    ]


def _price(direction: str, part: _Part, known: Known) -> Decimal | None:
    """Valid at the start of an hour; of a day, none if it changes within."""
    agreement = known.agreement(direction, part.bucket.start)
    if agreement is None or part.period == UNKNOWN:
        return None
    price = known.price(agreement, "energy", part.period, part.bucket.start)
    if part.bucket.end - part.bucket.start <= 3600:
        return price
    last = part.bucket.end - 1
    later = known.agreement(direction, last)
    if later != agreement or known.price(agreement, "energy", part.period, last) != price:
        return None
    return price


def _with_lacking(direction: str, rows: list[Row]) -> list[Row]:
    """More was counted than is known: how much is not."""
    return [*(row for row in rows if row.period != UNKNOWN), Row(direction, UNKNOWN, None, None)]


def subscription(day: Day, direction: str, known: Known) -> list[Row]:
    """A year's amount by the days of that year; of a contract that begins or ends within the day, its part of it."""
    contract = known.contracts.get(direction)
    if contract is None:
        return []
    edges = {day.start, day.end, *contract.edges(day.start, day.end)}
    for series, prices in known.prices.items():
        if series.kind == "subscription":
            edges.update(prices.edges(day.start, day.end))
    cuts = sorted(edges)
    shares: list[Fraction | None] = []
    for start, end in pairwise(cuts):
        agreement = contract.at(start)
        if agreement is None or (direction == INJECTED and not _has_subscription(agreement, known)):
            continue
        price = known.price(agreement, "subscription", "", start)
        shares.append(None if price is None else Fraction(price) * (end - start) / day.length / day.of_year)
    if not shares:
        return []
    sure = [share for share in shares if share is not None]
    amount = round_fraction(sum(sure, Fraction())) if len(sure) == len(shares) else None
    return [Row(direction, SUBSCRIPTION, None, amount)]


def _has_subscription(agreement: Agreement, known: Known) -> bool:
    """Whoever sells has none, unless a price says otherwise."""
    return any(series.offer == agreement.offer and series.kind == "subscription" for series in known.prices)


def round_fraction(value: Fraction) -> Decimal:
    """To nine places, half to even."""
    return (Decimal(round(value * 10**9)) * PLACES).quantize(PLACES, ROUND_HALF_EVEN)
