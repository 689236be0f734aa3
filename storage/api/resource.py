"""What of a model the API shows, and how: the whitelist that everything else asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from rest_framework.permissions import BasePermission
from rest_framework.serializers import BaseSerializer

if TYPE_CHECKING:
    from django.db.models import QuerySet

# What the query language itself is told by; a field of such a name could not be asked for.
PARAMETERS: Final = (
    "filters", "order_by", "fields", "annotate", "distinct", "group_by",
    "count", "sum", "avg", "min", "max", "stddev", "variance",
    "simple", "meta", "display", "all", "silent", "valid", "valid_date", "page", "page_size", "format",
)  # fmt: skip
_SECRET: Final = re.compile(r"password|secret|token|private_key", re.IGNORECASE)


class ResourceError(ValueError):
    """A resource that would not do; at start, never at a request."""


@dataclass(frozen=True, slots=True)
class Window:
    """A table that grows for ever is asked for a stretch of time: without bounds, the newest."""

    field: str
    longest: timedelta
    of: str = ""  # the relation that comes before the field in the table's index, if one does


@dataclass(frozen=True, slots=True)
class Resource:
    """One model of an API. Nothing that is not named here, or follows from the model, can be seen or asked."""

    model: type[models.Model]
    name: str = ""  # in addresses; the model's own if none is given, as in `book-review`
    fields: tuple[str, ...] = ()  # shown and asked; all columns if none are named, secrets never
    exclude: tuple[str, ...] = ()  # of all columns, these are not shown
    related: tuple[str, ...] = ()  # relations that questions may follow, one step for each name
    nested: tuple[str, ...] = ()  # of these, such as are shown as objects; written as keys
    read_only: bool = False  # the whole resource
    fixed: tuple[str, ...] = ()  # fields that are shown and never written
    prefetch: tuple[str, ...] = ()
    queryset: Callable[[], QuerySet[Any]] | None = None  # instead of all rows
    serializer: type[BaseSerializer[Any]] | None = None  # instead of the one that is made
    permissions: tuple[type[BasePermission], ...] = ()  # beside those of the settings
    window: Window | None = None

    def __post_init__(self) -> None:
        meta = self.model._meta
        if not self.name:
            object.__setattr__(self, "name", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", self.model.__name__).lower())
        there = [field.name for field in (*meta.concrete_fields, *meta.many_to_many)]
        named = {*self.fields, *self.exclude, *self.fixed, *self.related, *self.nested}
        if unknown := sorted(named - set(there)):
            raise ResourceError(f"{meta.label} has no field {', '.join(unknown)}: expected some of {', '.join(there)}")
        if secret := sorted(name for name in self.fields if _SECRET.search(name)):
            raise ResourceError(f"{meta.label}.{', '.join(secret)} is a secret: no API shows it")
        shown = self.fields or tuple(n for n in there if not _SECRET.search(n) and n not in self.exclude)
        if meta.pk.name not in shown:
            shown = (meta.pk.name, *shown)
        object.__setattr__(self, "fields", shown)
        if taken := sorted(set(shown) & set(PARAMETERS)):
            raise ResourceError(f"{meta.label}.{', '.join(taken)} is a word of the query language: exclude the field")
        for relation in self.related:
            if relation not in shown or not isinstance(meta.get_field(relation), models.ForeignKey):
                raise ResourceError(f"{meta.label}.{relation} cannot be followed: expected a foreign key that is shown")
        if stray := sorted(set(self.nested) - set(self.related)):
            raise ResourceError(f"{meta.label}.{', '.join(stray)} is nested and not related: name it in both")
        if self.window is not None and self.window.field not in shown:
            raise ResourceError(f"{meta.label}.{self.window.field} bounds the list and is not shown")

    @property
    def label(self) -> str:
        """The model's, as in `library.book`."""
        return self.model._meta.label_lower

    def rows(self) -> QuerySet[Any]:
        """All that may ever be seen."""
        return self.model._default_manager.all() if self.queryset is None else self.queryset()

    def column(self, name: str) -> models.Field[Any, Any] | None:
        """A field that is shown and has a column."""
        if name not in self.fields:
            return None
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:  # pragma: no cover  # __post_init__ looked
            return None
        return field if isinstance(field, models.Field) and not field.many_to_many else None
