"""A file to tables of cells: a CSV file is one, a workbook has one for each sheet."""

from __future__ import annotations

import csv
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from storage.exchange.enedis.cells import Row
from storage.exchange.errors import ExchangeError
from storage.exchange.files import Kind, check_archive, kind_of, read_text, reading

MAX_LINE: Final = 10_000  # characters
MAX_ROWS: Final = 1_000_000  # of a sheet
_MAX_COLUMNS: Final = 64
_WHAT: Final = {
    Kind.ARCHIVE: "is a zip file of other files: unpack it first",
    Kind.OLD_WORKBOOK: "is a workbook of before 2007: save it as .xlsx or .csv",
    Kind.SQLITE: "is a database: did you mean `ticbridge import tutorial` or `ticbridge restore`?",
    Kind.BINARY: "is neither text nor a workbook: is it the right file?",
}


@dataclass(frozen=True)
class Sheet:
    """A table: its rows that are not empty, and its name if it has one."""

    title: str
    rows: Iterator[Row]


def sheets(path: Path) -> Iterator[Sheet]:
    """The tables of a file, each to be read before the next."""
    kind = kind_of(path)
    if kind in _WHAT:
        raise ExchangeError(f"{path} {_WHAT[kind]}")
    if kind is Kind.WORKBOOK:
        check_archive(path)
        yield from _workbook(path)
    else:
        yield Sheet("", (row for row in _lines(read_text(path)) if not row.is_empty))


def _lines(text: str) -> Iterator[Row]:
    reader = csv.reader(_bounded(text), delimiter=_delimiter(text), strict=True)
    before = 0
    try:
        for cells in reader:
            yield Row(f"line {before + 1}", tuple(cells))
            before = reader.line_num
    except csv.Error as error:
        raise ExchangeError(f"line {before + 1}: it cannot be read as CSV ({error})") from None


def _bounded(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE:
            raise ExchangeError(f"line {number} has {len(line)} characters: this is no file of Enedis")
        yield line


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(";,\t", key=first.count)


def _workbook(path: Path) -> Iterator[Sheet]:
    import openpyxl  # noqa: PLC0415  CSV files do not need it

    with reading(path) as file:
        with _sound(path), warnings.catch_warnings(action="ignore"):  # about styles, which we do not look at
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what a workbook says of them may be false
            yield Sheet(sheet.title, _rows(path, sheet.title, sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS)))
        book.close()


def _rows(path: Path, title: str, table: Iterator[tuple[object, ...]]) -> Iterator[Row]:
    for number in range(1, MAX_ROWS + 2):
        with _sound(path):
            cells = next(table, None)
        if cells is None:
            return
        row = Row(f"sheet {title!r}, row {number}", cells)
        if not row.is_empty:
            yield row
    raise ExchangeError(f"sheet {title!r} has more than {MAX_ROWS} rows: take a shorter period")


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """What openpyxl raises at damage is of many kinds."""
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415  as above

    damaged = (
        InvalidFileException, BadZipFile, ParseError, zlib.error, EOFError, LookupError, ValueError, TypeError,
        AttributeError,
    )  # fmt: skip
    try:
        yield
    except damaged as error:
        raise ExchangeError(f"{path} is a damaged workbook ({error}): download it again") from None
