"""The regulator's (CRE) open data of regulated prices: one CSV for each option, told apart by its columns.

`;` between columns, a comma in numbers, days as dd/mm/yyyy; DATE_FIN is the last day or empty, PART_FIXE is for a
year.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from storage.tariffs.grids import Price, Series
from storage.tariffs.shipped import POWERS, midnight

MOST_CHARACTERS: Final = 20_000_000
_MOST_EUR: Final = 10_000
_PLACES: Final = Decimal("0.000001")
_BEGIN, _END, _POWER, _FIXED = "DATE_DEBUT", "DATE_FIN", "P_SOUSCRITE", "PART_FIXE_TTC"

# code of the offer -> column without PART_VARIABLE_ and _TTC -> price period
_LAYOUTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "tarif-bleu-base": {"": "base"},
    "tarif-bleu-hphc": {"HC": "hc", "HP": "hp"},
    "tarif-bleu-tempo": {
        "HCBLEU": "bleu_hc", "HPBLEU": "bleu_hp", "HCBLANC": "blanc_hc", "HPBLANC": "blanc_hp", "HCROUGE": "rouge_hc",
        "HPROUGE": "rouge_hp",
    },
})  # fmt: skip


class RegulatorError(ValueError):
    """What the file has and a price list cannot have: one sentence, with its line."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What a file says."""

    offer: str  # the code of the shipped offer
    prices: tuple[Price, ...]  # with taxes; without source
    empty: int  # prices that the file leaves empty: nobody knows them, so they are absent


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: Mapping[str, str]

    def day(self, name: str) -> date:
        try:
            return datetime.strptime(self.cells[name], "%d/%m/%Y").date()  # noqa: DTZ007  a civil day
        except ValueError:
            raise self.error(name, "a day such as 01/08/2025") from None

    def number_of(self, name: str) -> Decimal:
        text = self.cells[name].replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise self.error(name, "a number such as 0,1952") from None
        if not value.is_finite() or not 0 <= value < _MOST_EUR:
            raise self.error(name, f"EUR from 0 to {_MOST_EUR}")
        return value

    def error(self, name: str, expected: str) -> RegulatorError:
        return RegulatorError(f"line {self.number}: {name} is {self.cells[name][:40]!r}; expected {expected}")


def read_grid(text: str) -> Grid:
    """All prices with taxes of a file; RegulatorError where it is not what it should be."""
    if len(text) > MOST_CHARACTERS:
        raise RegulatorError(f"the file is larger than {MOST_CHARACTERS} characters, which no price list is")
    rows = _rows(text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}"))
    columns = [name.strip().upper() for name in next(rows, [])]
    offer, periods = _layout(columns)
    found: dict[Series, list[tuple[int, Price]]] = defaultdict(list)
    empty = 0
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise RegulatorError(f"line {number}: {len(cells)} columns where the first line has {len(columns)}")
        line = _Line(number, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))
        for price in _prices(line, periods):
            if price is None:
                empty += 1
            else:
                found[price.series].append((number, price))
    return Grid(offer, tuple(price for lines in found.values() for price in _in_order(lines)), empty)


def _rows(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(text.splitlines(), delimiter=";")
    except csv.Error as error:
        raise RegulatorError(f"the file is no CSV ({error})") from None


def _layout(columns: list[str]) -> tuple[str, Mapping[str, str]]:
    """The offer, and column -> period."""
    for offer, names in _LAYOUTS.items():
        periods = {f"PART_VARIABLE_{name}_TTC".replace("__", "_"): period for name, period in names.items()}
        if {_BEGIN, _END, _POWER, _FIXED, *periods} <= set(columns):
            return offer, periods
    raise RegulatorError(
        f"line 1: not one of the regulator's price lists, which have the columns {_BEGIN}, {_END}, {_POWER}, {_FIXED}"
        " and PART_VARIABLE_TTC (or PART_VARIABLE_HC_TTC ..., PART_VARIABLE_HCBleu_TTC ...), separated by semicolons"
    )


def _prices(line: _Line, periods: Mapping[str, str]) -> Iterator[Price | None]:
    """The subscription and the kWh of each period; None for each that is empty."""
    power = line.number_of(_POWER)
    if power not in POWERS:
        raise line.error(_POWER, f"one of {', '.join(map(str, POWERS))} kVA")
    start = midnight(line.day(_BEGIN))
    end = midnight(line.day(_END) + timedelta(1)) if line.cells[_END] else None
    if end is not None and end <= start:
        raise line.error(_END, f"a day not before {line.cells[_BEGIN]}")
    for name, kind, period in ((_FIXED, "subscription", ""), *((n, "energy", p) for n, p in periods.items())):
        if line.cells[name]:
            amount = line.number_of(name)
            exact = amount if amount == round(amount, 6) else amount.quantize(_PLACES)
            yield Price(kind, period, int(power), start, end, exact)
        else:
            yield None


def _in_order(lines: list[tuple[int, Price]]) -> Iterator[Price]:
    """One after the other: without an end one holds until the next; two that hold at once are refused."""
    lines.sort(key=lambda line: line[1].start)
    for (number, price), (next_number, following) in pairwise(lines):
        if price.start == following.start or (price.end is not None and price.end > following.start):
            raise RegulatorError(f"lines {number} and {next_number} both give {following}, one of them something else")
        yield replace(price, end=price.end or following.start)
    yield lines[-1][1]
