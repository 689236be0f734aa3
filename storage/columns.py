"""A reading's values to the columns of `Data`: the one place where both modes meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.envelope import Envelope
from bridge.tic.catalogue import BY_SLUG, FIELDS, Mode
from bridge.tic.errors import GroupError
from bridge.tic.values import PARIS, read_stamp

MEASURES: Final = (
    "east", *(f"easf{n:02}" for n in range(1, 11)), *(f"easd{n:02}" for n in range(1, 5)), "eait",
    "sinsts", "sinsts1", "sinsts2", "sinsts3", "sinsti",
    "irms1", "irms2", "irms3", "urms1", "urms2", "urms3",
)  # fmt: skip

# column -> the slugs that fill it: its own, and those of labels that say the same thing. BASE is the only index of its
# contract, and so the total too.
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    column: (
        *(["base"] if column == "easf01" else []),
        *(row.slug for row in FIELDS if row.canonical == column and not row.derived),
    )
    for column in MEASURES
}
# A historique contract with several indexes sends no total: it is their sum, when all of them are there.
PARTS: Final = (
    ("hchc", "hchp"),
    ("ejphn", "ejphpm"),
    ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
)
# The same, flat: (slug, column, what the number is below).
_FILLS: Final = tuple((slug, column, 10 ** BY_SLUG[slug].digits) for column, slugs in SOURCES.items() for slug in slugs)
_PERIOD: Final = ("ltarf", "ptec")
_INDEX: Final = ("ntarf", "tariff_index")  # the latter is derived, from PTEC
# All slugs whose value is in a column.
FILLING: Final = frozenset({*(slug for slugs in SOURCES.values() for slug in slugs), *_PERIOD, "ntarf", "date"})


@dataclass(frozen=True, slots=True)
class Column:
    """A row of the table in docs/reference/columns.md: what a column is, and how each mode fills it."""

    name: str
    kind: str
    unit: str
    standard: str
    historique: str


def _measure(column: str) -> Column:
    labels: dict[Mode | None, list[str]] = {mode: [] for mode in Mode}
    for slug in SOURCES[column]:
        labels[BY_SLUG[slug].mode].append(str(BY_SLUG[slug].label))
    if column == "east":
        labels[Mode.HISTORIQUE] += [" + ".join(str(BY_SLUG[slug].label) for slug in parts) for parts in PARTS]
    kind = "small integer" if column.startswith(("irms", "urms")) else "integer"
    standard, historique = (", ".join(labels[mode]) for mode in (Mode.STANDARD, Mode.HISTORIQUE))
    return Column(column, kind, BY_SLUG[column].unit, standard, historique)


COLUMNS: Final = (
    Column("meter", "key", "", "ADSC, unless `meters[].id` is set", "ADCO, unless `meters[].id` is set"),
    Column("epoch", "key", "", "start of the bridge, or recorded file", "start of the bridge, or recorded file"),
    Column("seq", "big integer", "", "number of the reading in its epoch", "number of the reading in its epoch"),
    Column("dateTime", "instant", "", "time of the reading", "time of the reading"),
    Column("date", "text (13)", "", "DATE, raw", ""),
    Column("stamp_utc", "instant", "", "DATE, unless the meter doubts its clock", ""),
    Column("ltarf", "text (16)", "", "LTARF", "PTEC"),
    Column("ntarf", "small integer", "", "NTARF", "number of the index of PTEC"),
    *(_measure(column) for column in MEASURES),
    Column("extra", "JSON", "", "`storage.fields`", "`storage.fields`"),
)


class ColumnError(ValueError):
    """A value does not fit its column; the text says which."""


def columns(envelope: Envelope) -> dict[str, Any]:
    """The columns that a reading fills; those it does not are left out."""
    values = envelope.values
    row: dict[str, Any] = {"dateTime": envelope.moment}
    for slug, column, limit in _FILLS:
        value = values.get(slug)
        if value is not None:
            if type(value) is not int or not 0 <= value < limit:
                raise _no_number(slug, limit)
            row[column] = value
    for parts in PARTS:
        if all(isinstance(values.get(slug), int) for slug in parts):
            row["east"] = sum(_number(slug, values[slug]) for slug in parts)
    period = values.get(_PERIOD[0], values.get(_PERIOD[1]))
    if period is not None:
        row["ltarf"] = _text("ltarf", period)
    tariff = values.get(_INDEX[0], envelope.derived.get(_INDEX[1]))
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
    limit = 10 ** BY_SLUG[slug].digits
    if type(value) is not int or not 0 <= value < limit:
        raise _no_number(slug, limit)
    return value


def _no_number(slug: str, limit: int) -> ColumnError:
    return ColumnError(f"{slug}: expected a number from 0 to {limit - 1}")


def _text(slug: str, value: Any) -> str:  # as above
    limit = BY_SLUG[slug].digits
    if not isinstance(value, str) or len(value) > limit:
        raise ColumnError(f"{slug}: expected at most {limit} characters")
    return value
