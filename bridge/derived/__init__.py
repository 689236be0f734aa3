"""What no label says but the labels tell, of one meter: each frame adds to what was known before.

A frame that lacks a group changes nothing that needs it. docs/design/derived.md has the decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import tzinfo
from typing import NamedTuple

from bridge.checked import Checked, Moment
from bridge.derived.historique import PERIOD_INDEX, OfHistorique
from bridge.derived.quality import LineQuality
from bridge.derived.standard import REGISTER_PARTS, OfStandard
from bridge.derived.told import Attributes, Told
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import PARIS, Value

__all__ = ["PERIOD_INDEX", "REGISTER_PARTS", "Derived", "LineQuality", "Said"]


class Said(NamedTuple):
    """All that is known after a frame. A value is None when it is not announced now, or no longer."""

    values: dict[str, Value]
    attributes: dict[str, Attributes]  # by slug: what stands behind the value
    changed: set[str]  # slugs of which one or the other differs from the frame before


class Derived:
    """Of one meter, in its time zone; `quality` belongs to the line and also sees the frames that say nothing."""

    def __init__(self, zone: tzinfo = PARIS, quality: LineQuality | None = None) -> None:
        self._zone = zone
        self._quality = LineQuality() if quality is None else quality
        self._source: OfStandard | OfHistorique | None = None
        self._values: dict[str, Value] = {}
        self._attributes: dict[str, Attributes] = {}
        self._changed: set[str] = set()

    def take(self, frame: Checked, gone: Collection[str] = ()) -> Said:
        """Learn from a frame that has a reading. `gone` names the transient labels that stopped."""
        reading = frame.decoded.reading
        assert reading is not None, "a frame that says nothing derives nothing"
        self._changed = set()
        for told in self._tell(reading, frame.at, gone):
            self._hear(*told)
        for slug, value in self._quality.values(frame.at.monotonic):
            self._hear(slug, value)
        return Said(self._values.copy(), self._attributes.copy(), self._changed)

    def _tell(self, reading: Reading, at: Moment, gone: Collection[str]) -> Iterator[Told]:
        if isinstance(reading, Standard):
            if not isinstance(self._source, OfStandard):
                self._forget()
                self._source = OfStandard(self._zone)
            return self._source.take(reading, at, gone)
        assert isinstance(reading, Historique), "there are two modes"
        if not isinstance(self._source, OfHistorique):
            self._forget()
            self._source = OfHistorique()
        return self._source.take(reading, at, gone)

    def _hear(self, slug: str, value: Value, attributes: Attributes | None = None) -> None:
        if slug not in self._values or self._values[slug] != value:
            self._values[slug] = value
            self._changed.add(slug)
        if attributes is not None and self._attributes.get(slug) != attributes:
            self._attributes[slug] = attributes
            self._changed.add(slug)

    def _forget(self) -> None:
        """The other mode does not know what this one told."""
        self._values.pop("east", None)  # a label in mode standard, which tells the same
        for slug in self._values:
            self._hear(slug, None, None)
        for slug, attributes in self._attributes.items():
            self._hear(slug, None, dict.fromkeys(attributes))
