"""Entities of another program, one discovery topic each: taken over with their entity ids and their history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from bridge.tic.catalogue import BY_SLUG
from bridge.topics import Message

_PLACES: Final = {"{meter}": r"(?P<meter>[A-Za-z0-9_-]+?)", "{label}": r"(?P<label>[A-Za-z0-9+-]+)"}


class _Single(BaseModel):
    """What counts of a message that describes one entity."""

    unique_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,200}$", validation_alias=AliasChoices("unique_id", "uniq_id"))


@dataclass(frozen=True, slots=True)
class _Old:
    meter: str | None
    label: str
    unique_id: str


class Migration:
    """What was found of the other program; `pattern` says where it stands, such as `.../{meter}_{label}/config`."""

    def __init__(self, pattern: str) -> None:
        parts = re.split(r"(\{meter\}|\{label\})", pattern)
        self._topic = re.compile("".join(_PLACES.get(part) or re.escape(part) for part in parts))
        self.filter = "/".join("+" if "{" in level else level for level in pattern.split("/"))
        self._found: dict[str, _Old] = {}

    def hear(self, topic: str, body: bytes) -> None:
        """A retained message."""
        match = self._topic.fullmatch(topic)
        if match is None:
            return
        try:
            single = _Single.model_validate_json(body)
        except ValidationError:
            return
        found = match.groupdict()
        self._found[topic] = _Old(found.get("meter"), found["label"].upper(), single.unique_id)

    def of(self, meter: str, slugs: tuple[str, ...]) -> dict[str, tuple[str, str]]:
        """(topic, unique id) of the entities that stand for these fields of a meter, by canonical slug."""
        labels = {row.label: row.canonical for slug, row in BY_SLUG.items() if slug in slugs and row.label}
        return {
            labels[old.label]: (topic, old.unique_id)
            for topic, old in list(self._found.items())  # heard on another thread
            if old.label in labels and old.meter in (None, meter)
        }

    def forget(self, topics: Iterable[str]) -> None:
        """These were taken over."""
        for topic in topics:
            self._found.pop(topic, None)


def around(topics: list[str], messages: Iterator[Message]) -> Iterator[Message]:
    """Home Assistant lets go of what stands there, hears the new messages, and the old topics are cleared."""
    yield from (Message(topic, json.dumps({"migrate_discovery": True}), retain=True, qos=1) for topic in topics)
    yield from messages
    yield from (Message(topic, "", retain=True, qos=1) for topic in topics)
