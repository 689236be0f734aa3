"""What of a reading is kept beyond the columns, and without what it is not kept: storage.fields, storage.required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from bridge.config import StorageSettings
from bridge.envelope import Envelope, ProfileSwitch
from bridge.tic.catalogue import BY_SLUG, FIELDS
from storage.columns import FILLING

# canonical slug -> the labels that say it
_LABELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    row.canonical: tuple(other.slug for other in FIELDS if other.canonical == row.canonical and not other.derived)
    for row in FIELDS
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """What the owner chose. `fields` and `required` are canonical slugs, or labels that the catalogue does not know."""

    fields: Literal["all"] | tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: StorageSettings) -> Selection:
        """As the configuration has it."""
        fields = settings.fields if settings.fields == "all" else tuple(settings.fields)
        return cls(fields, tuple(settings.required))

    def kept(self, envelope: Envelope) -> dict[str, Any] | None:
        """What `Data.extra` keeps of a reading: {slug: value} and, where the value is dated, {slug_stamp: raw stamp}.

        Only what was said: no key for what was not, and none for what a column holds. None when nothing is left.
        """
        if not self.fields:
            return None
        kept: dict[str, Any] = {}  # any JSON value
        for name, slug in self._chosen(envelope):
            value = envelope.values.get(slug, envelope.derived.get(slug, envelope.extra.get(slug)))
            if value is None:
                continue
            kept[name] = [_written(one) for one in value] if isinstance(value, list) else value
            if slug in envelope.stamps:
                kept[f"{name}_stamp"] = envelope.stamps[slug]
        return kept or None

    def missed(self, envelope: Envelope, row: Mapping[str, Any]) -> tuple[str, ...]:
        """What is required and was not said; `row` is what the reading's columns hold."""
        if not self.required:
            return ()
        return tuple(name for name in self.required if row.get(name) is None and not _is_said(name, envelope))

    def _chosen(self, envelope: Envelope) -> Iterator[tuple[str, str]]:
        """(name, slug) of what may be kept."""
        if self.fields == "all":  # whatever the meter said; what we derived from it only by name
            for slug in envelope.values:
                if slug not in FILLING:
                    yield (BY_SLUG[slug].canonical if slug in BY_SLUG else slug), slug
            yield from ((label, label) for label in envelope.extra if label not in envelope.values)
            return
        for name in self.fields:
            if name not in FILLING:
                yield from ((name, slug) for slug in _LABELS.get(name) or (name,))


EVERYTHING: Final = Selection()  # all columns, of all readings


def _is_said(name: str, envelope: Envelope) -> bool:
    said = (*(envelope.values.get(slug) for slug in _LABELS.get(name, ())), envelope.derived.get(name))
    return any(value is not None for value in said)


def _written(one: Any) -> Any:  # an entry of a list in an envelope
    return one.model_dump() if isinstance(one, ProfileSwitch) else one
