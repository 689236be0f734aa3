"""Which names a question may use: fields that a resource shows, those of relations it may follow, its own aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models

from storage.api.kinds import LOOKUPS, Kind, kind_of
from storage.api.resource import Resource

MOST_STEPS: Final = 3  # relations that one name follows

Resources = Mapping[type[models.Model], Resource]
MayView = Callable[[type[models.Model]], bool]


class QuestionError(ValueError):
    """The question cannot be answered; says which name and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: a column, or an expression under an alias."""

    path: str  # for Django
    kind: Kind
    column: models.Field[Any, Any] | None  # what the values are kept in


@dataclass(slots=True)
class Scope:
    """The names of one question. What is not shown is refused in the same words as what does not exist."""

    resource: Resource
    resources: Resources
    may_view: MayView
    aliases: dict[str, Place] = field(default_factory=dict)
    met_alias: bool = False  # whether a name was one, since somebody set this to False

    def find(self, text: str) -> Place:
        """The place of a name; `.` and `__` both follow a relation."""
        found = self._known(text)
        if found is None:
            raise QuestionError(f"{text!r} is no field that can be asked for")
        return found

    def find_with_lookup(self, text: str) -> tuple[Place, str]:
        """The place and the lookup of `name` or `name__lookup`."""
        if (found := self._known(text)) is not None:
            return found, "exact"
        name, _, lookup = text.rpartition("__")
        place = self._known(name)
        if place is None:
            raise QuestionError(f"{text!r} is no field that can be asked for")
        if lookup not in LOOKUPS[place.kind]:
            expected = ", ".join(sorted(LOOKUPS[place.kind]))
            raise QuestionError(f"{text!r} has no lookup {lookup!r}: expected one of {expected}")
        return place, lookup

    def add(self, alias: str, place: Place) -> None:
        """Name an expression; a name is used once."""
        if alias in self.aliases or alias in self.resource.fields:
            raise QuestionError(f"{alias!r} is a name already: choose another")
        self.aliases[alias] = place

    def _known(self, text: str) -> Place | None:
        self.met_alias |= text in self.aliases
        return self.aliases.get(text) or self._followed(text)

    def _followed(self, text: str) -> Place | None:
        *relations, last = text.replace("__", ".").split(".")
        if len(relations) > MOST_STEPS:
            return None
        resource, path = self.resource, ""
        for relation in relations:
            column = resource.column(relation) if relation in resource.related else None
            target = None if column is None else self.resources.get(column.related_model)  # type: ignore[arg-type]
            if target is None or not self.may_view(target.model):
                return None
            resource, path = target, f"{path}{relation}__"
        found = resource.column(last)
        return None if found is None else Place(f"{path}{found.attname}", kind_of(found), found)
