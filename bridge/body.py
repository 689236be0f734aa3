"""The body of reading messages: of one frame and the next most is the same, so only what changed is written anew.

The text must be what `bridge.envelope.Envelope` reads; a test compares it with what the model itself would write.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from bridge.tic.catalogue import BY_SLUG
from bridge.tic.models import Reading
from bridge.tic.values import Value, to_json

_OTHERS: Final = frozenset({"complete", "stamps", "extra"})  # fields of a reading that are no labels
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Body:
    """Of one meter. `update` sees each frame, `write` makes the text of the last one."""

    def __init__(self, *, personal: bool) -> None:
        self._personal = personal
        self._sent: Collection[str] = ()
        self._values: dict[str, str] = {}
        self._stamps: dict[str, str] = {}
        self._derived: dict[str, str] = {}
        self._extra: Mapping[str, str] = {}

    def update(
        self, reading: Reading, changed: Iterable[str] | None, derived: Mapping[str, Value], moved: Iterable[str]
    ) -> None:
        """Take a frame in. `changed` and `moved` name the labels and derived values that differ; None: look at all."""
        if changed is None or self._sent != reading.model_fields_set:
            self._sent = reading.model_fields_set
            self._values = {}
            self._stamps = {}
            self._derived = {}
            changed, moved = (slug for slug in BY_SLUG if slug in self._sent), derived
        for slug in changed:
            if slug in _OTHERS or (not self._personal and BY_SLUG[slug].personal):
                continue
            value = reading.get(slug)
            self._values[slug] = f'"{slug}":{value if type(value) is int else _dumps(to_json(value))}'
            stamp = reading.stamps.get(slug)
            if stamp is not None:
                self._stamps[slug] = f'"{slug}":"{stamp.raw}"'
        for slug in moved:
            self._derived[slug] = f'"{slug}":{_dumps(to_json(derived[slug]))}'
        self._extra = reading.extra

    def write(self, head: Mapping[str, str | int], gone: Iterable[str]) -> str:
        """The text: `head` is what comes before the values; `gone` names labels that stopped."""
        values = self._values | {slug: f'"{slug}":null' for slug in gone}
        return (
            f'{_dumps(head)[:-1]},"values":{{{",".join(values.values())}}},"derived":{{{",".join(self._derived.values())}}}'
            f',"stamps":{{{",".join(self._stamps.values())}}},"extra":{_dumps(dict(self._extra))}}}'
        )
