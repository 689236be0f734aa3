"""Entities as text of Django's formats, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class WholeEncoder(DjangoJSONEncoder):
    """Django's cuts instants to milliseconds: what is read back would be another."""

    def default(self, o: Any) -> Any:
        """What JSON does not know."""
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


@dataclass(frozen=True, slots=True, repr=False)
class Serialized:
    """What `serialize` made: its `data` is text, or a list of dictionaries in the format `python`."""

    format: str
    type: str  # the model's label, as in `library.book`; several are joined by commas
    count: int
    data: Any

    def __repr__(self) -> str:
        return f"<Serialized {self.format}: {self.count} x {self.type or 'nothing'}>"

    def __str__(self) -> str:
        return str(self.data)

    def deserialize(self) -> list[Any]:
        """As `deserialize`."""
        return deserialize(self.data, self.format)


def serialize(rows: Iterable[models.Model], format: str = "json", **options: Any) -> Serialized:  # noqa: A002
    """json, jsonl, xml, yaml or python; the options are those of Django's serializers."""
    rows = list(rows)
    if format in ("json", "jsonl"):
        options.setdefault("cls", WholeEncoder)
    kinds = dict.fromkeys(row._meta.label_lower for row in rows)  # in the order met
    return Serialized(format, ", ".join(kinds), len(rows), serializers.serialize(format, rows, **options))


def deserialize(data: Any, format: str = "json", **options: Any) -> list[Any]:  # noqa: A002
    """Django's deserialized objects, not saved.

    `save()` on one writes it as it was, links too, and no history, as a backup needs it; `object.save()` is a change
    like any other.
    """
    return list(serializers.deserialize(format, data, **options))
