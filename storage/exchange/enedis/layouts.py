"""The tables of a file, recognised by their headers and by what stands above them; never by the file's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from storage.exchange.enedis.about import PREAMBLE, About, suppliers
from storage.exchange.enedis.blocks import Block, Curve, Days, Direction, Indexes, Layout, Peaks
from storage.exchange.enedis.cells import Row, moment, number
from storage.exchange.enedis.curve import Timed, check_days, curve, require, spans
from storage.exchange.enedis.registers import REGISTER, calendar, indexes
from storage.exchange.enedis.sheets import Sheet, sheets
from storage.exchange.errors import ExchangeError

_VALUE: Final = re.compile(r"(valeur|consommation|production|injection|energie|puissance)\b.*")
_OWN: Final = {  # columns of a table whose every line says all of it -> what a preamble calls it
    "prm": "identifiant prm", "identifiant prm": "identifiant prm", "type de donnees": "type de donnees",
    "grandeur metier": "grandeur metier", "grandeur physique": "grandeur physique", "unite": "unite",
    "pas en minutes": "pas en minutes", "pas": "pas",
}  # fmt: skip
_MOST_A_DAY: Final = {"energy": Decimal(24_000_000), "apparent power": Decimal(1_000_000)}  # Wh, VA


@dataclass(frozen=True)
class Table:
    """A header, the rows below it, and what is known of them."""

    header: Row
    rows: list[Row]
    about: About
    zone: ZoneInfo
    expected: Direction | None

    def column(self, *names: str) -> int:
        """The first column that is called so."""
        return next(self.header.keys.index(name) for name in names if name in self.header.keys)

    def values(self) -> tuple[int, str]:
        """The column of values and what it is called."""
        found = [(n, name) for n, name in enumerate(self.header.keys) if _VALUE.fullmatch(name)]
        if len(found) != 1:
            raise self.header.refuse("more than one column of values: this layout is not known")
        return found[0]

    def block(self, layout: Layout, content: Curve | Days | Peaks | Indexes, gaps: int = 0, doubtful: int = 0) -> Block:
        """The table, read."""
        direction = self.about.direction(self.header, self.expected)
        return Block(layout, self.header.where, self.about.prm, direction, content, gaps, doubtful)


def read_blocks(path: Path, zone: ZoneInfo, expected: Direction | None = None) -> list[Block]:
    """Everything that a file holds; whatever cannot be right refuses all of it, and says where."""
    blocks: list[Block] = []
    for sheet in sheets(path):
        blocks += _of_sheet(sheet, zone, expected)
    if not blocks:
        raise ExchangeError(
            f"{path} is of no layout of Enedis that is known; known are load curves, indexes, daily maximum power, "
            "daily energy and hourly power, as CSV or XLSX"
        )
    return blocks


def _of_sheet(sheet: Sheet, zone: ZoneInfo, expected: Direction | None) -> Iterator[Block]:
    about = About(sheet.title)
    rows = suppliers(sheet.rows)
    ahead: Row | None = None
    found: list[Block] = []
    while (row := ahead or next(rows, None)) is not None:
        ahead = None
        if set(row.keys) >= PREAMBLE:
            about = About(sheet.title)
            about.preamble(row, next(rows, Row(row.where, ())))
            continue
        read = _shape(row)
        if read is None:
            about.note(row)
            continue
        below: list[Row] = []
        for ahead in rows:
            if set(ahead.keys) >= PREAMBLE or _shape(ahead) is not None:
                break
            below.append(ahead)
        else:
            ahead = None
        table = Table(row, [one for one in below if not _is_footnote(one)], about, zone, expected)
        if read is _calendar:
            if found and isinstance(found[-1].content, Indexes):
                found[-1].content.periods.update(calendar(row, below))
        else:
            found += read(table)
    yield from found


def _is_footnote(row: Row) -> bool:
    """One text without a digit: an explanation below a table."""
    texts = [str(cell) for cell in row.cells if cell is not None and str(cell).strip()]
    return len(texts) == 1 and not any(letter.isdigit() for letter in texts[0])


Read = Callable[[Table], Iterator[Block]]


def _shape(row: Row) -> Read | None:  # noqa: PLR0911  a table of layouts
    """What reads the table that has this header; None when it is none."""
    names = set(row.keys)
    if "periode" in names and "identifiant calendrier fournisseur" in names:
        return _calendar
    if "date de la mesure" in names and "valeur" in names:
        return _flat
    if "horodate" in names and any(REGISTER.search(name) for name in names):
        return _indexes
    if {"horodate", "valeur", "grandeur physique"} <= names:
        return _flat
    if {"horodate", "valeur"} <= names:
        return _pairs
    if {"debut", "fin"} <= names and any(map(_VALUE.fullmatch, names)):
        return _spans
    if "date" in names and any(map(_VALUE.fullmatch, names)):
        return _days
    if "date" in names and len(row.cells) > 1:
        return _index_view
    return None


def _calendar(_: Table) -> Iterator[Block]:
    raise AssertionError("a calendar belongs to the table above it")


def _pairs(table: Table) -> Iterator[Block]:
    kind = table.about.text("type de donnees")
    if kind.startswith("courbe"):
        yield _curve(table, Layout.CURVE, _timed(table))
    elif kind.startswith("puissance max"):
        yield from _daily(table, Layout.PEAKS, table.column("valeur"), "", "apparent power")
    elif "quotidien" in kind:
        yield from _daily(table, Layout.DAYS, table.column("valeur"), "", "energy")
    else:
        where = table.about.said["type de donnees"][1] if kind else table.header
        raise where.refuse(f"data of the type {kind!r} are not known")


def _timed(table: Table, values: int | None = None) -> list[Timed]:
    time, value = table.column("horodate", "date"), table.column("valeur") if values is None else values
    return [Timed(row, moment(row, time), number(row, value)) for row in table.rows]


def _curve(table: Table, layout: Layout, rows: list[Timed], header: str = "") -> Block:
    gaps = sum(row.value is None for row in rows)
    if gaps == len(rows):
        return table.block(layout, Curve(table.about.step() or 1800, []), gaps)
    unit = table.about.unit(table.header, header)
    require(unit, ("power", "energy"), table.header)
    content, doubtful = curve(rows, table.about.step(), unit, table.zone)
    return table.block(layout, content, gaps, doubtful)


def _flat(table: Table) -> Iterator[Block]:
    """Each line says whose it is and what: lines that say the same are a block."""
    own = [(n, _OWN[name]) for n, name in enumerate(table.header.keys) if name in _OWN]

    def said(row: Row) -> tuple[str, ...]:
        return tuple(str(row.cell(n)) for n, _ in own)

    for _, group in groupby(table.rows, key=said):
        rows = list(group)
        about = About()
        for n, name in own:
            if str(rows[0].cell(n) or "").strip():
                about.say(name, str(rows[0].cell(n)).strip(), rows[0])
        part = Table(table.header, rows, about, table.zone, table.expected)
        yield _curve(part, Layout.FLAT, [_flat_row(part, row) for row in rows])


def _flat_row(table: Table, row: Row) -> Timed:
    if "heure de la mesure" not in table.header.keys:
        return Timed(
            row, moment(row, table.column("horodate", "date de la mesure")), number(row, table.column("valeur"))
        )
    day, time = row.cell(table.column("date de la mesure")), row.cell(table.column("heure de la mesure"))
    joined = Row(row.where, (f"{str(day or '').strip()} {str(time or '').strip()}",))
    return Timed(row, moment(joined, 0), number(row, table.column("valeur")))


def _spans(table: Table) -> Iterator[Block]:
    column, name = table.values()
    begin, end = table.column("debut"), table.column("fin")
    rows = [(Timed(row, moment(row, begin), number(row, column)), moment(row, end)) for row in table.rows]
    unit = table.about.unit(table.header, name)
    require(unit, ("power", "energy"), table.header)
    content, doubtful = spans(rows, unit, table.zone)
    yield table.block(Layout.SPANS, content, sum(row.value is None for row, _ in rows), doubtful)


def _days(table: Table) -> Iterator[Block]:
    """Days of energy or of maximum power; with a unit of power, times of a curve."""
    column, name = table.values()
    kind = table.about.unit(table.header, name)[0]
    if kind == "power":
        yield _curve(table, Layout.STAMPS, _timed(table, column), name)
    else:
        yield from _daily(table, Layout.DAYS if kind == "energy" else Layout.PEAKS, column, name, kind)


def _daily(table: Table, layout: Layout, column: int, name: str, kind: str) -> Iterator[Block]:
    time = table.column("horodate", "date")
    rows = [(row, _day(row, time, table.zone), number(row, column)) for row in table.rows]
    gaps = sum(value is None for _, _, value in rows)
    factor = Decimal(1)
    if gaps < len(rows):
        unit = table.about.unit(table.header, name)
        require(unit, (kind,), table.header)
        factor = unit[1]
    points = [(day, int(value * factor)) for day, value in check_days(rows, _MOST_A_DAY[kind] / factor)]
    yield table.block(layout, Days(points) if kind == "energy" else Peaks(points), gaps)


def _day(row: Row, column: int, zone: ZoneInfo) -> date:
    at = moment(row, column)
    return (at if at.tzinfo is None else at.astimezone(zone)).date()


def _indexes(table: Table) -> Iterator[Block]:
    yield _of_indexes(table, Layout.INDEXES)


def _index_view(table: Table) -> Iterator[Block]:
    """Columns that are no registers refuse it: then the layout is not known."""
    yield _of_indexes(table, Layout.INDEX_VIEW)


def _of_indexes(table: Table, layout: Layout) -> Block:
    if not table.about.ways:  # contracts have periods of what is drawn only
        table.about.ways[Direction.DRAWN] = table.header.where
    direction = table.about.direction(table.header, table.expected)
    times = [(row, moment(row, table.column("horodate", "date"))) for row in table.rows]
    local = [Timed(row, at, None) for row, at in times]
    points, gaps, doubtful = indexes(table.header, local, table.about, direction, table.zone)
    return table.block(layout, Indexes(points), gaps, doubtful)
