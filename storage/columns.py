"""A reading's values to the columns of `Data`: the one place where both modes meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.envelope import Envelope
from bridge.tic.catalogue import BY_SLUG, FIELDS
from bridge.tic.errors import GroupError
from bridge.tic.values import PARIS, read_stamp

MEASURES: Final = (
    "east", *(f"easf{n:02}" for n in range(1, 11)), *(f"easd{n:02}" for n in range(1, 5)), "eait",
    "sinsts", "sinsts1", "sinsts2", "sinsts3", "sinsti",
    "irms1", "irms2", "irms3", "urms1", "urms2", "urms3",
)  # fmt: skip

# column -> the slugs that fill it: its own, and those of labels that say the same thing
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    column: tuple(row.slug for row in FIELDS if row.canonical == column and not row.derived) for column in MEASURES
}
_FILLS: Final = [(slug, column) for column, slugs in SOURCES.items() for slug in slugs]
_LIMITS: Final = {row.slug: 10**row.digits for row in FIELDS}
# A historique contract with several indexes sends no total: it is their sum, when all of them are there.
PARTS: Final = (
    ("hchc", "hchp"),
    ("ejphn", "ejphpm"),
    ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
)


class ColumnError(ValueError):
    """A value does not fit its column; the text says which."""


def columns(envelope: Envelope) -> dict[str, Any]:
    """The columns that a reading fills; those it does not are left out."""
    values = envelope.values
    row: dict[str, Any] = {"dateTime": envelope.moment}
    for slug, column in _FILLS:
        if (value := values.get(slug)) is not None:
            row[column] = _number(slug, value)
    if values.get("base") is not None:
        row["easf01"] = row["east"]
    for parts in PARTS:
        if parts[0] in values and all(isinstance(values.get(slug), int) for slug in parts):
            row["east"] = sum(_number(slug, values[slug]) for slug in parts)
    period = values.get("ltarf", values.get("ptec"))
    if period is not None:
        row["ltarf"] = _text("ltarf", period)
    tariff = values.get("ntarf", envelope.derived.get("tariff_index"))
    if tariff is not None:
        row["ntarf"] = _number("ntarf", tariff)
    row.update(_clock(envelope))
    return row


def _clock(envelope: Envelope) -> dict[str, Any]:
    raw = envelope.stamps.get("date")
    if raw is None:
        return {}
    try:
        stamp = read_stamp(raw, PARIS if envelope.tz == PARIS.key else ZoneInfo(envelope.tz))
    except GroupError:
        raise ColumnError(f"date: no such date {raw!r}") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ColumnError(f"tz: no such time zone {envelope.tz!r}") from None
    return {"date": raw, "stamp_utc": None if stamp.degraded else stamp.at}


def _number(slug: str, value: Any) -> int:  # any JSON value; that is what is checked
    if type(value) is not int or not 0 <= value < _LIMITS[slug]:
        raise ColumnError(f"{slug}: expected a number from 0 to {_LIMITS[slug] - 1}")
    return value


def _text(slug: str, value: Any) -> str:  # as above
    limit = BY_SLUG[slug].digits
    if not isinstance(value, str) or len(value) > limit:
        raise ColumnError(f"{slug}: expected at most {limit} characters")
    return value
