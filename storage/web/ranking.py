"""A comparison of offers as a page shows it: ranked, by the year, with its reasons in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from storage.tariffs.comparison import Comparison, Line, Quote
from storage.web.sentences import marked
from storage.web.shown import amount, energy, euros

_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Reason:
    """A line of a quote."""

    name: str
    energy: str
    price: str
    cost: str


@dataclass(frozen=True, slots=True)
class Rank:
    """An offer at a power."""

    place: int
    name: str
    is_own: bool
    yearly: str  # for 365 days like these
    spread: str  # between what and what, where that is not certain
    difference: str  # to one's own contract
    reasons: tuple[Reason, ...]
    unknown: tuple[str, ...]  # why it is not certain


def ranking(found: Comparison, own: str, power: int | None, days: int, names: Mapping[str, str]) -> tuple[Rank, ...]:
    """The cheapest first; those that cannot be priced last."""
    mine = next((quote for quote in found.quotes if (quote.name, quote.power) == (own, power)), None)
    return tuple(_rank(place, quote, mine, days, names) for place, quote in enumerate(found.quotes, 1))


def _yearly(value: Decimal, days: int) -> Decimal:
    return value * _YEAR_DAYS / days


def _rank(place: int, quote: Quote, mine: Quote | None, days: int, names: Mapping[str, str]) -> Rank:
    name = quote.name if quote.power is None else f"{quote.name}, {amount(quote.power, 'kVA')}"
    yearly = spread = difference = ""
    if quote.middle is not None and quote.bounds is not None:
        yearly = euros(_yearly(quote.middle, days))
        low, high = (euros(_yearly(bound, days)) for bound in quote.bounds)
        spread = "" if low == high else _("between %(low)s and %(high)s") % {"low": low, "high": high}
        if mine is not None and mine.middle is not None and quote is not mine:
            more = _yearly(quote.middle - mine.middle, days)
            difference = (_("%s more") if more >= 0 else _("%s less")) % euros(abs(more))
    return Rank(
        place,
        name,
        quote is mine,
        yearly,
        spread,
        difference,
        tuple(_reasons(quote, names)),
        tuple(marked(_named(why, names)) for why in quote.unknown),
    )


def _named(why: str, names: Mapping[str, str]) -> str:
    """With the period's name in place of its code."""
    return re.sub(r"^the price of (\S+) is", lambda found: f"the price of {names.get(found[1], found[1])} is", why)


def _reasons(quote: Quote, names: Mapping[str, str]) -> Iterator[Reason]:
    for line in quote.lines:
        either = _(" or ").join(names.get(period, period) for period in line.periods) or names["?"]
        yield Reason(either, energy(line.wh), _prices(line), _cost(line))
    yield Reason(names[""], "", "", euros(quote.subscription))


def _prices(line: Line) -> str:
    known = [amount(float(price), "€/kWh", 4) for price in dict.fromkeys(line.prices) if price is not None]
    return _(" or ").join(known) or _("not known")


def _cost(line: Line) -> str:
    if line.bounds is None:
        return _("not known")
    low, high = (euros(bound) for bound in line.bounds)
    return low if low == high else f"{low} – {high}"
