"""One cell of a table, as text of a CSV file or typed by a workbook: what it says."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from storage.exchange.errors import ExchangeError

Cell = object  # None, text, a number, a date or a datetime; whatever else a workbook holds is refused where it is read

_EXCEL: Final = datetime(1899, 12, 30)  # noqa: DTZ001  what serial numbers of days count from, on a local clock
_SERIALS: Final = range(20_000, 100_000)  # of the years 1954 to 2173
_NOTHING: Final = frozenset(("", "na", "n/a", "nd", "-"))
_NUMBER: Final = re.compile(r"-?\d{1,15}(?:[.,]\d{1,9})?", re.ASCII)
_LOCAL: Final = re.compile(
    r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Row:
    """A row and where it stands."""

    where: str  # "line 3", "sheet 'X', row 3"
    cells: tuple[Cell, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Its texts as names: lower case, without accents, without a colon at the end."""
        return tuple(key(cell) for cell in self.cells)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it."""
        return not any(cell is not None and str(cell).strip() for cell in self.cells)

    def cell(self, column: int) -> Cell:
        """A cell; None beyond the last."""
        return self.cells[column] if column < len(self.cells) else None

    def refuse(self, reason: str) -> ExchangeError:
        """To be raised: the whole file is refused, at this row."""
        return ExchangeError(f"{self.where}: {reason}")


def key(cell: Cell) -> str:
    """A text as a name; nothing else is one."""
    if not isinstance(cell, str):
        return ""
    letters = unicodedata.normalize("NFKD", cell).encode("ascii", "ignore").decode().lower()
    return " ".join(letters.split()).rstrip(" :")


def number(row: Row, column: int) -> Decimal | None:
    """A number that is not negative, with a point or a comma; None where there is none, which is never zero."""
    cell = row.cell(column)
    if cell is None or (key(cell) in _NOTHING and isinstance(cell, str)):
        return None
    text = "".join(cell.split()) if isinstance(cell, str) else repr(cell)
    if isinstance(cell, bool) or not _NUMBER.fullmatch(text):
        raise row.refuse(f"{cell!r} is no number")
    value = Decimal(text.replace(",", "."))
    if value < 0:
        raise row.refuse(f"{cell!r} is negative")
    return value


def moment(row: Row, column: int) -> datetime:
    """A time: an instant where it carries its offset, else one of the local clock."""
    cell = row.cell(column)
    try:
        at = _moment(cell)
    except (ValueError, OverflowError):
        at = None
    if at is None or not 2000 <= at.year <= 2200:
        raise row.refuse(f"{cell!r} is no time; expected 2026-11-28T10:30:00+01:00 or 28/11/2026 10:30:00")
    return at


def _moment(cell: Cell) -> datetime | None:
    if isinstance(cell, int | float) and int(cell) in _SERIALS:
        cell = _EXCEL + timedelta(days=cell)
    if isinstance(cell, datetime):
        return _to_second(cell)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  of the local clock
    return _read(cell.strip()) if isinstance(cell, str) else None


def _read(text: str) -> datetime:
    if found := _LOCAL.fullmatch(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        midnight = datetime(year, month, day)  # noqa: DTZ001  of the local clock
        if hour == 24 and not minute and not second:
            return midnight + timedelta(days=1)
        return midnight.replace(hour=hour, minute=minute, second=second)
    return datetime.fromisoformat(text)


def _to_second(at: datetime) -> datetime:
    """Workbooks keep times as fractions of days, which miss the second by a little."""
    return (at + timedelta(microseconds=500_000)).replace(microsecond=0)
