"""What a column can be asked: its kind, the lookups of each kind, and values read from text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_date, parse_time

from storage.entities.when import as_instant

LONGEST_VALUE: Final = 1000
MOST_VALUES: Final = 200  # of `in`
# Every database can move these between time zones, whose offsets are whole minutes: Paris had 9 min 21 s before 1911.
_YEARS: Final = range(1970, 9000)


class Kind(Enum):
    """Of values; each kind has its lookups, functions and aggregates."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TIME = "time"
    UUID = "uuid"
    KEY = "key"  # of this row or of a related one
    OTHER = "other"  # shown, and asked whether it is empty


_SAME: Final = frozenset({"exact", "in", "isnull"})
_ORDERED: Final = _SAME | {"gt", "gte", "lt", "lte", "range"}
_WORDS: Final = frozenset({"contains", "startswith", "endswith"})

LOOKUPS: Final[dict[Kind, frozenset[str]]] = {
    Kind.TEXT: _ORDERED | {"iexact"} | _WORDS | {f"i{word}" for word in _WORDS},
    Kind.INTEGER: _ORDERED,
    Kind.NUMBER: _ORDERED,
    Kind.BOOLEAN: frozenset({"exact", "isnull"}),
    Kind.DATE: _ORDERED,
    Kind.INSTANT: _ORDERED,
    Kind.TIME: _ORDERED,
    Kind.UUID: _SAME,
    Kind.KEY: _ORDERED - {"range"},
    Kind.OTHER: frozenset({"isnull"}),
}

_BY_CLASS: Final[tuple[tuple[type[models.Field[Any, Any]], Kind], ...]] = (
    (models.DateTimeField, Kind.INSTANT),  # a DateField too
    (models.DateField, Kind.DATE),
    (models.TimeField, Kind.TIME),
    (models.BooleanField, Kind.BOOLEAN),
    (models.IntegerField, Kind.INTEGER),
    (models.DecimalField, Kind.NUMBER),
    (models.FloatField, Kind.NUMBER),
    (models.UUIDField, Kind.UUID),
    (models.CharField, Kind.TEXT),
    (models.TextField, Kind.TEXT),
)


def kind_of(field: models.Field[Any, Any]) -> Kind:
    """The kind of a column's values."""
    if isinstance(field, models.ForeignKey) or field.primary_key:
        return Kind.KEY
    if hasattr(field, "as_datetime"):  # instants that a field of its own keeps as numbers
        return Kind.INSTANT
    return next((kind for of, kind in _BY_CLASS if isinstance(field, of)), Kind.OTHER)


def read(text: str, kind: Kind, field: models.Field[Any, Any] | None) -> Any:
    """The value that a text stands for; a ValueError says what was expected."""
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"expected at most {LONGEST_VALUE} characters")
    if "\0" in text:
        raise ValueError("expected a text without a null character")
    if kind is Kind.KEY:
        target = key_field(field)
        kind, field = (Kind.INTEGER if isinstance(target, models.IntegerField) else kind_of_plain(target)), target
    value = _READERS[kind](text)
    if isinstance(field, models.DecimalField) and isinstance(value, Decimal):
        return _fitting(field, value)
    return float(value) if isinstance(field, models.FloatField) else value


def key_field(field: models.Field[Any, Any] | None) -> models.Field[Any, Any]:
    """The column that a key points to in the end."""
    assert field is not None
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field


def kind_of_plain(field: models.Field[Any, Any]) -> Kind:
    """The kind of a primary key's values."""
    return next((kind for of, kind in _BY_CLASS if isinstance(field, of)), Kind.OTHER)


def _fitting(field: models.DecimalField[Any, Any], value: Decimal) -> Decimal:
    """SQLite's side of Django fails on what has more digits than the column."""
    try:
        field.run_validators(value)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return value


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or abs(int(text)) >= 1 << 63:
        raise ValueError("expected a whole number")
    return int(text)


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("expected a number such as 0.1952") from None
    if not value.is_finite() or (value and not -30 < value.adjusted() < 30) or not math.isfinite(float(value)):
        raise ValueError("expected a number such as 0.1952")
    return value


def _boolean(text: str) -> bool:
    if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
        raise ValueError("expected 1 or 0")
    return text.lower() in ("1", "true", "yes")


def _date(text: str) -> Any:
    found = parse_date(text)
    if found is None or found.year not in _YEARS:
        raise ValueError("expected a date such as 2026-11-28")
    return found


def instant(text: str) -> datetime:
    """An aware datetime that every database can hold."""
    try:
        found = as_instant(text).astimezone(UTC)
    except OverflowError:
        found = datetime.min.replace(tzinfo=UTC)
    if found.year not in _YEARS:
        raise ValueError(f"expected a year from {_YEARS.start} to {_YEARS.stop - 1}")
    return found


def _time(text: str) -> Any:
    found = parse_time(text)
    if found is None or found.tzinfo is not None:
        raise ValueError("expected a time such as 22:30")
    return found


def _nothing(_: str) -> Any:
    raise ValueError("expected isnull: nothing else is asked of such a field")


_READERS: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: str,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.INSTANT: instant,
    Kind.TIME: _time,
    Kind.UUID: UUID,
    Kind.OTHER: _nothing,
}


def boolean(text: str) -> bool:
    """Of switches."""
    return _boolean(text)
