"""Without what a reading is not kept: storage.required."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from bridge.envelope import Envelope
from bridge.tic.catalogue import FIELDS

# canonical slug -> the labels that say it
_LABELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    row.canonical: tuple(other.slug for other in FIELDS if other.canonical == row.canonical and not other.derived)
    for row in FIELDS
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """What the owner chose, by canonical slugs."""

    required: tuple[str, ...] = ()

    def missed(self, envelope: Envelope, row: Mapping[str, Any]) -> tuple[str, ...]:
        """What is required and was not said; `row` is what the reading's columns hold."""
        if not self.required:
            return ()
        return tuple(name for name in self.required if row.get(name) is None and not _is_said(name, envelope))


EVERYTHING: Final = Selection()  # all columns, of all readings


def _is_said(name: str, envelope: Envelope) -> bool:
    said = (*(envelope.values.get(slug) for slug in _LABELS.get(name, ())), envelope.derived.get(name))
    return any(value is not None for value in said)
