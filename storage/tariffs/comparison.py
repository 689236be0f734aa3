"""What a household's own hours would have cost under each offer: pure, frozen, and with its reasons.

Each quote lies between two bounds. They are equal where everything is known; energy of which the period is not known
is priced at the cheapest and at the dearest that it may have been.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bridge.derived.breaker import LEVEL
from storage.tariffs.calendars import Facts, Part, Plan, counted, parts
from storage.tariffs.costs import DRAWN, Agreement, Bucket, Day, Known, Series, subscription
from storage.tariffs.timeline import Timeline, Version

_BEGIN: Final = -(2**62)  # before each change of a price, and after
_END: Final = 2**62
POWERS: Final = (3, 6, 9, 12, 15, 18, 24, 30, 36)  # kVA that are sold


@dataclass(frozen=True, slots=True)
class Need:
    """Which power the measured peaks need."""

    peak: int | None  # VA, the highest that was read
    power: int | None  # kVA; None: not known
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """Energy that had the same prices."""

    periods: tuple[str, ...]  # several: it is not known in which
    prices: tuple[Decimal | None, ...]  # EUR per kWh, of each
    wh: int
    why: str

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """EUR, at the cheapest and at the dearest; None when a price is not known."""
        prices = [price for price in self.prices if price is not None]
        if not prices or len(prices) < len(self.prices):
            return None
        return self.wh * min(prices) / 1000, self.wh * max(prices) / 1000


@dataclass(frozen=True, slots=True)
class Quote:
    """An offer at a power."""

    name: str
    power: int | None
    lines: tuple[Line, ...]
    subscription: Decimal | None
    bounds: tuple[Decimal, Decimal] | None  # EUR, lowest and highest; None: a price is not known
    unknown: tuple[str, ...]  # why it is not certain

    @property
    def middle(self) -> Decimal | None:
        """Between the bounds: what is shared by two periods is halved."""
        return None if self.bounds is None else (self.bounds[0] + self.bounds[1]) / 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """All offers over one range, the cheapest first; those that cannot be priced last."""

    wh: int
    hours: int  # of which the energy is known
    lacking: int  # hours of the range of which it is not: no offer counts them
    estimated: int
    need: Need
    power: int | None  # of the contract
    quotes: tuple[Quote, ...]

    @property
    def is_sure(self) -> bool:
        """Whether the first is the cheapest whatever the truth is of what is not known."""
        bounds = [quote.bounds for quote in self.quotes if quote.bounds is not None]
        if not bounds or len(bounds) < len(self.quotes):
            return False
        return all(bounds[0][1] <= low for low, _ in bounds[1:])


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer to be priced."""

    name: str
    plan: Plan


def needed(peak: int | None, phases: int) -> Need:
    """The smallest power whose breaker never opens at the highest power that was read.

    A Linky opens at 1.3 times its cut-off power, and never while the power stays below (54E section 7): so this power
    would have carried every peak that was read, however long. A shorter look at peaks (the filter forgives some
    minutes) would say less, and be right for the past only.
    """
    if peak is None:
        return Need(None, None, "no power was read")
    if phases != 1:
        return Need(peak, None, "on three phases each has its own limit, and only their sum is kept")
    for power in POWERS:
        if peak <= LEVEL * 1000 * power:
            return Need(peak, power, f"a breaker of {power} kVA opens above {LEVEL * 1000 * power:.0f} VA")
    return Need(peak, None, f"more than {POWERS[-1]} kVA")


def compare(
    candidates: Iterable[Candidate],
    buckets: Sequence[Bucket],
    days: Sequence[Day],
    facts: Facts,
    *,
    power: int | None,
    need: Need,
    prices: Known,
) -> Comparison:
    """Price the buckets under each candidate, at the contract's power and at the one that is needed."""
    hours = [bucket for bucket in buckets if bucket.is_drawn_known]
    powers: list[int | None] = list(dict.fromkeys(kva for kva in (power, need.power) if kva is not None)) or [None]
    shares = [_Share(candidate, prices.of(candidate.plan.offer)) for candidate in candidates]
    for hour in hours:
        told = counted(hour, facts.known)
        for share in shares:
            share.add(hour.start, parts(share.candidate.plan, hour, facts, told))
    quotes = [_quote(share, kva, days) for share in shares for kva in powers]
    quotes.sort(key=lambda quote: (quote.middle is None, quote.middle or 0, quote.name, quote.power or 0))
    return Comparison(
        wh=sum(sum(hour.indexes.values()) if hour.east is None else hour.east for hour in hours),
        hours=len(hours),
        lacking=sum(day.length for day in days) // 3600 - len(hours),
        estimated=sum(hour.estimated for hour in hours),
        need=need,
        power=power,
        quotes=tuple(quotes),
    )


class _Share:
    """The energy of a candidate, added up between changes of its prices."""

    def __init__(self, candidate: Candidate, prices: Mapping[Series, Timeline[Decimal]]) -> None:
        self.candidate = candidate
        self.known = Known({}, {}, prices)
        # Between two of these each price is what it was.
        self._edges = sorted({edge for one in prices.values() for edge in one.edges(_BEGIN, _END)})
        self.wh: dict[tuple[int, tuple[str, ...], str], int] = defaultdict(int)  # by an instant of that time

    def add(self, at: int, shared: Iterable[Part]) -> None:
        """An hour."""
        n = bisect_right(self._edges, at)
        since = self._edges[n - 1] if n else _BEGIN
        for part in shared:
            self.wh[since, part.periods, part.why] += part.wh


def _quote(share: _Share, power: int | None, days: Sequence[Day]) -> Quote:
    candidate, prices = share.candidate, share.known
    agreement = Agreement(candidate.plan.offer, power)
    groups: dict[tuple[tuple[str, ...], tuple[Decimal | None, ...], str], int] = defaultdict(int)
    for (at, periods, why), wh in share.wh.items():
        paid = tuple(prices.price(agreement, "energy", period, at) for period in periods)
        groups[periods, paid, why] += wh
    lines = tuple(Line(periods, paid, wh, why) for (periods, paid, why), wh in groups.items() if wh)
    lines = tuple(sorted(lines, key=lambda line: (len(line.periods), line.periods)))
    fixed = _fixed(agreement, days, prices)
    return Quote(candidate.name, power, lines, fixed, _bounds(lines, fixed), tuple(_reasons(lines, fixed, power)))


def _bounds(lines: Sequence[Line], fixed: Decimal | None) -> tuple[Decimal, Decimal] | None:
    if fixed is None:
        return None
    low = high = fixed
    for line in lines:
        if line.bounds is None:
            return None
        low, high = low + line.bounds[0], high + line.bounds[1]
    return low, high


def _fixed(agreement: Agreement, days: Sequence[Day], prices: Known) -> Decimal | None:
    """The subscription of all days."""
    known = Known({DRAWN: Timeline([Version(days[0].start, None, agreement)])}, {}, prices.of(agreement.offer))
    total = Decimal()
    for day in days:
        for row in subscription(day, DRAWN, known):
            if row.amount is None:
                return None
            total += row.amount
    return total


def _reasons(lines: Iterable[Line], fixed: Decimal | None, power: int | None) -> Iterable[str]:
    lost: dict[str, int] = defaultdict(int)
    for line in lines:
        for period, price in zip(line.periods, line.prices, strict=True):
            if price is None:
                lost[f"the price of {period or '?'} is not known"] += line.wh
        if line.why or not line.periods:
            lost[line.why or "it has no periods"] += line.wh
    if fixed is None:
        yield f"the subscription at {power} kVA is not known, of all days or some" if power else "no power is known"
    yield from (f"{why} ({wh / 1000:.1f} kWh)" for why, wh in lost.items())
