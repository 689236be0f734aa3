"""A comparison as text: a table, and the reasons below it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from storage.tariffs.comparison import Comparison, Line, Quote


def lines(meter: str, first: date, last: date, found: Comparison, paid: Decimal | None) -> Iterator[str]:
    """To be printed."""
    yield f"{meter}, {first} to {last}: {_kwh(found.wh)} drawn in {found.hours} hours"
    if found.lacking:
        yield f"Of {found.lacking} hours nothing is known; no offer counts them, so all amounts are too low."
    if found.estimated:
        yield f"{found.estimated} hours are estimated: what they drew is known together, not each."
    yield from _power(found)
    yield f"Under the contracts of that time: {'not known' if paid is None else _eur(paid)}"
    if not found.quotes:
        yield "No offer is known: enter offers and their prices, or import them."
        return
    yield ""
    yield f"{'':>3}  {'offer':<32} {'kVA':>4} {'EUR':>10}  between"
    for rank, quote in enumerate(found.quotes, 1):
        yield _row(rank, quote)
    yield ""
    yield _verdict(found)
    for quote in found.quotes:
        yield ""
        yield from _reasoning(quote)


def _power(found: Comparison) -> Iterator[str]:
    need = found.need
    if need.peak is None:
        yield "No power was read: which power is needed is not known."
    elif need.power is None:
        yield f"Highest power read: {need.peak} VA; which power is needed is not known ({need.why})."
    else:
        yield f"Highest power read: {need.peak} VA; {need.power} kVA would have carried it ({need.why})."


def _row(rank: int, quote: Quote) -> str:
    head = f"{rank:>3}  {quote.name[:32]:<32} {quote.power or '-':>4}"
    if quote.bounds is None or quote.middle is None:
        return f"{head} {'not known':>10}"
    low, high = quote.bounds
    spread = "" if low == high else f"  {low:.2f} and {high:.2f}"
    return f"{head} {quote.middle:>10.2f}{spread}"


def _verdict(found: Comparison) -> str:
    best = found.quotes[0]
    if best.bounds is None:
        return "No offer can be priced; the reasons are below."
    name = f"{best.name}{f' at {best.power} kVA' if best.power else ''}"
    if found.is_sure:
        return f"{name} would have been the cheapest."
    return f"{name} would probably have been the cheapest; what is not known could change that."


def _reasoning(quote: Quote) -> Iterator[str]:
    yield f"{quote.name}{f', {quote.power} kVA' if quote.power else ''}"
    for line in quote.lines:
        yield f"  {' or '.join(line.periods) or '?':<24} {_kwh(line.wh):>14} x {_prices(line)} = {_amount(line)}"
    yield f"  {'subscription':<24} {'not known' if quote.subscription is None else _eur(quote.subscription)}"
    for why in quote.unknown:
        yield f"  not certain: {why}"


def _prices(line: Line) -> str:
    return (
        " or ".join("?" if price is None else f"{price.normalize():f}" for price in dict.fromkeys(line.prices)) or "?"
    )


def _amount(line: Line) -> str:
    if line.bounds is None:
        return "not known"
    low, high = line.bounds
    return _eur(low) if low == high else f"{low:.2f} to {_eur(high)}"


def _kwh(wh: int) -> str:
    return f"{wh / 1000:.1f} kWh"


def _eur(amount: Decimal) -> str:
    return f"{amount:.2f} EUR"
