"""What a meter said, wherever we know it from: a live reading, or the newest row of the database.

Values stand under their canonical slug, so that a meter which changes mode keeps its place on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from bridge.envelope import Envelope
from bridge.tic.catalogue import BY_SLUG, FIELDS, Field, Mode, Quantity
from storage.columns import MEASURES, ColumnError, columns
from storage.models import Data
from storage.queries import zone_of

_ORDER: Final[Mapping[str, int]] = {row.slug: n for n, row in enumerate(FIELDS)}
LINKY_VOLT: Final = 200  # a Linky computes ISOUSC as the subscribed power over 200 V


@dataclass(frozen=True, slots=True)
class Said:
    """Values by canonical slug, each with the catalogue's row of the label that said it."""

    at: datetime
    zone: tzinfo
    values: Mapping[str, Any]  # any JSON value: they come from outside
    fields: Mapping[str, Field]
    stamps: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)

    def number(self, slug: str) -> float | None:
        """A value, if it is a number."""
        value = self.values.get(slug)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, *slugs: str) -> str | None:
        """The first of these values that is a text."""
        return next((value for slug in slugs if isinstance(value := self.values.get(slug), str)), None)

    @property
    def three_phase(self) -> bool:
        """Whether it speaks of a second phase."""
        return any(slug in self.values for slug in ("irms2", "urms2", "sinsts2"))

    @property
    def subscribed(self) -> float | None:
        """Subscribed power in VA."""
        kva, amperes = self.number("pref"), self.number("isousc")
        if kva is not None:
            return kva * 1000
        return amperes * LINKY_VOLT * (3 if self.three_phase else 1) if amperes is not None else None

    @property
    def cutoff(self) -> float | None:
        """Cut-off power in VA."""
        kva = self.number("pcoup")
        return kva * 1000 if kva is not None else None

    def ordered(self) -> Iterator[tuple[str, Field]]:
        """Every value's place in the table: the catalogue's order."""
        return iter(sorted(self.fields.items(), key=lambda item: _ORDER[item[1].slug]))


def said_live(envelope: Envelope) -> Said:
    """What a reading says."""
    own = {**envelope.derived, **envelope.values}
    fields = {BY_SLUG[slug].canonical: BY_SLUG[slug] for slug in own if slug in BY_SLUG}
    values = {row.canonical: own[row.slug] for row in fields.values()}
    stamps = {BY_SLUG[slug].canonical: raw for slug, raw in envelope.stamps.items() if slug in BY_SLUG}
    try:
        total = columns(envelope).get("east")
    except ColumnError:
        total = None
    if total is not None and "east" not in values:
        values["east"] = total  # a historique contract with several indexes: their sum
    unknown = {slug: str(value) for slug, value in own.items() if slug not in BY_SLUG}
    return Said(envelope.moment, zone_of(envelope.tz), values, fields, stamps, {**unknown, **envelope.extra})


def said_stored(row: Data, mode: str, zone: str) -> Said:
    """What a row says: its columns only, less than a live reading does."""
    values = {column: value for column in MEASURES if (value := getattr(row, column)) is not None}
    if row.stamp_utc is not None:
        values["date"] = row.stamp_utc.isoformat()
    if row.ltarf is not None:
        values["ltarf"] = row.ltarf
    if row.ntarf is not None:
        values["ntarf"] = row.ntarf
    fields = {slug: _field(slug, values, mode) for slug in values}
    return Said(row.dateTime, zone_of(zone), values, fields)


def _field(column: str, values: Mapping[str, Any], mode: str) -> Field:
    """The label that filled a column, where the mode alone tells it; else the column's own row."""
    if mode != Mode.HISTORIQUE:
        return BY_SLUG[column]
    if column == "ltarf":
        return BY_SLUG["ptec"]
    own = [row for row in FIELDS if row.mode is Mode.HISTORIQUE and row.canonical == column]
    # A total that is a sum of indexes was sent by no label.
    certain = len(own) == 1 and not (own[0].quantity is Quantity.ENERGY and "easf02" in values)
    return own[0] if certain else BY_SLUG[column]
