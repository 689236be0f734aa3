"""Columns of indexes to the columns of `Data`: distributor's names, or the supplier's of one contract."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from storage.exchange.enedis.about import About
from storage.exchange.enedis.blocks import Direction
from storage.exchange.enedis.cells import Row, number
from storage.exchange.enedis.curve import Timed, instants, require

REGISTER: Final = re.compile(r"\be ?a[si] ?[fdt] ?\d{0,2}\b")
_BESIDE: Final = frozenset(("", "horodate", "date", "type de releve", "heure"))
_MOST: Final = 10**9
# The registers of the contracts that have these periods, in the order of the meter's own (EASF01 ...).
_PERIODS: Final = {
    "base": "easf01", "hc": "easf01", "heures creuses": "easf01", "hp": "easf02", "heures pleines": "easf02",
    "hcjb": "easf01", "hpjb": "easf02", "hcjw": "easf03", "hpjw": "easf04", "hcjr": "easf05", "hpjr": "easf06",
    "hc bleu": "easf01", "hp bleu": "easf02", "hc blanc": "easf03", "hp blanc": "easf04", "hc rouge": "easf05",
    "hp rouge": "easf06", "total": "east", "eas": "east", "totale": "east",
}  # fmt: skip


def _register(name: str) -> str | None:
    """The column of Data that a header names; None when it names none."""
    plain = re.sub(r"\((?:en )?k?wh\)|\bindex\b|\bjours?\b", " ", name)
    plain = " ".join(plain.split()).replace("bleus", "bleu").replace("blancs", "blanc").replace("rouges", "rouge")
    plain = plain.replace("heures creuses ", "hc ").replace("heures pleines ", "hp ")
    if found := re.fullmatch(r"e ?a([si]) ?([fdt]) ?(\d{0,2})", plain):
        way, kind, digits = found.groups()
        if kind == "t":
            return "east" if way == "s" else "eait"
        limit = 10 if kind == "f" else 4
        return f"eas{kind}{int(digits):02}" if digits and way == "s" and 1 <= int(digits) <= limit else None
    return "eait" if plain in ("eait", "injection", "production") else _PERIODS.get(plain)


def indexes(
    header: Row, rows: list[Timed], about: About, direction: Direction, zone: ZoneInfo
) -> tuple[list[tuple[datetime, dict[str, int]]], int, int]:
    """(instants with their registers in Wh, empty rows, doubtful rows). A day alone is the moment it begins."""
    columns: dict[int, str] = {}
    for position, name in enumerate(header.keys):
        register = _register(name)
        if register is not None:
            columns[position] = register
        elif name not in _BESIDE:
            raise header.refuse(f"the column {str(header.cells[position])!r} is no index that is known")
    if len(set(columns.values())) < len(columns):
        raise header.refuse("two columns name the same index")
    known, doubtful = instants(rows, zone)
    points, gaps = [], 0
    for timed in known:
        values = {name: number(timed.row, position) for position, name in columns.items()}
        said = {name: value for name, value in values.items() if value is not None}
        if not said:
            gaps += 1
            continue
        unit = about.unit(header, next((name for name in header.keys if "wh)" in name), ""))
        require(unit, ("energy",), header)
        whole = {name: int(value * unit[1]) for name, value in said.items()}
        for name, value in whole.items():
            if value >= _MOST:
                raise timed.row.refuse(f"{value} Wh is more than nine digits ({name})")
        points.append((timed.at, _total(whole, direction)))
    return points, gaps, doubtful


def _total(values: dict[str, int], direction: Direction) -> dict[str, int]:
    """With the total where only the periods are given; a producer's file gives the injected total alone."""
    if direction is Direction.INJECTED:
        total = values.get("eait", values.get("east"))
        return {} if total is None else {"eait": total}
    periods = [value for name, value in values.items() if name.startswith("easf")]
    return values if "east" in values or not periods else {**values, "east": sum(periods)}


def calendar(header: Row, rows: Iterable[Row]) -> dict[str, str]:
    """Register -> the supplier's name of its period, of the last row: the contract of today."""
    found: dict[str, str] = {}
    for row in rows:
        found = {}
        for position, name in enumerate(header.keys):
            if number_of := re.fullmatch(r"cadran classe temporelle (\d{1,2})", name):
                label = f"libelle classe temporelle {number_of[1]}"
                register, text = row.cell(position), ""
                if label in header.keys:
                    text = str(row.cell(header.keys.index(label)) or "").strip()
                if register and text:
                    found[str(register).strip()] = text
        # Suppliers' rows go on past their header: three cells for each further period.
        extra = row.cells[len([name for name in header.keys if name]) :]
        for first in range(0, len(extra) - 2, 3):
            _, text, register = (str(cell or "").strip() for cell in extra[first : first + 3])
            if register and text:
                found[register] = text
    return found
