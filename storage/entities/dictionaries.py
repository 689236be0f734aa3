"""An entity as a dictionary, for webhooks, the API and pages: one function, and every option has a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.duration import duration_iso_string

from storage.entities.fields import decimal_to_str
from storage.entities.metadata import get_metadata

DEEPEST: Final = 5  # relations of relations; beyond it nobody reads, and a circle would never end
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, ())


@dataclass(frozen=True, slots=True)
class Options:
    """What `to_dict` takes. Relations are opened to entities only: a user's row holds the hash of the password."""

    includes: Collection[str] = ()  # these fields only
    excludes: Collection[str] = ()  # not these, nor in related rows
    editables: bool = False  # only what a form may edit
    uids: bool = False  # with the uuid
    metadata: bool = False  # with `metadata`
    names: bool = False  # with `_name`, the text that stands for the entity
    types: bool = False  # with `_type`, as in `library.book`
    display: bool = False  # with `<field>_display` for fields with choices
    labels: bool = False  # fields under their names for people
    fks: bool = False  # the entity instead of its key
    m2m: bool = False  # with the fields that link to many
    depth: int = 1  # how many relations deep entities are opened; at 0 all are keys
    no_ids: bool = False  # without primary keys, also of related rows
    no_empty: bool = False  # without what is None or empty
    functions: Collection[str] = ()  # results of methods without arguments
    extra: Collection[str] = ()  # attributes that are no fields: annotations, properties; `a__b` follows a relation
    raw: bool = False  # Python's values; else what JSON knows

    def __post_init__(self) -> None:
        for names in (self.includes, self.excludes, self.functions, self.extra):
            if isinstance(names, str):
                raise ValueError(f"{names!r} will not do: expected a list of names")
        if not 0 <= self.depth <= DEEPEST:
            raise ValueError(f"depth={self.depth} will not do: expected 0 to {DEEPEST}")


def to_dict(row: models.Model, **given: Any) -> dict[str, Any]:
    """A row as a dictionary; the options are those of `Options`."""
    return _Walk(Options(**given), ()).entity(row)


@dataclass(frozen=True, slots=True)
class _Walk:
    options: Options
    above: tuple[tuple[str, Any], ...]  # the rows on the way here: a circle ends at a key

    def entity(self, row: models.Model) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.options.types:
            found["_type"] = row._meta.label_lower
        if self.options.names:
            found["_name"] = str(row)
        for field in row._meta.concrete_fields:
            if self._wants(field):
                self._put(found, row, field)
        if self.options.m2m:
            for many in row._meta.many_to_many:
                if self._wants(many):
                    found[self._key(many)] = self._many(row, many)
        found |= self._asked(row)
        return {k: v for k, v in found.items() if v not in _EMPTY} if self.options.no_empty else found

    def _wants(self, field: models.Field[Any, Any]) -> bool:
        opts = self.options
        if field.name == "uuid" and not opts.uids and "uuid" not in opts.includes:
            return False
        if opts.no_ids and (field.primary_key or (field.is_relation and not self._opens(field))):
            return False
        if opts.editables and (not field.editable or isinstance(field, models.AutoField)):
            return False
        return (not opts.includes or field.name in opts.includes) and field.name not in opts.excludes

    def _put(self, found: dict[str, Any], row: models.Model, field: models.Field[Any, Any]) -> None:
        value = field.value_from_object(row)
        if field.is_relation and value is not None and self._opens(field):
            value = self._related(getattr(row, field.name))
        elif not self.options.raw:
            value = plain(value)
        found[self._key(field)] = value
        if self.options.display and field.choices:
            found[f"{field.name}_display"] = str(getattr(row, f"get_{field.name}_display")())

    def _opens(self, field: models.Field[Any, Any]) -> bool:
        wanted = self.options.m2m if field.many_to_many else self.options.fks
        return wanted and self.options.depth > 0 and hasattr(field.related_model, "to_dict")

    def _many(self, row: models.Model, field: models.Field[Any, Any]) -> list[Any]:
        related = getattr(row, field.name).all()
        if self._opens(field):
            return [self._related(other) for other in sorted(related, key=lambda other: other.pk)]
        keys = sorted(other.pk for other in related)  # all() and not values_list(): it may be prefetched
        return keys if self.options.raw else [plain(key) for key in keys]

    def _related(self, row: models.Model) -> Any:
        above = (*self.above, *[(row._meta.label, row.pk)])
        if above[-1] in self.above:
            return None if self.options.no_ids else row.pk
        return _Walk(
            replace(self.options, depth=self.options.depth - 1, includes=(), functions=(), extra=()), above
        ).entity(row)

    def _asked(self, row: models.Model) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.options.functions:
            found[name] = self._value(_called(row, name))
        for path in self.options.extra:
            found[path] = self._value(_followed(row, path))
        if self.options.metadata:
            found["metadata"] = get_metadata(row)
        return found

    def _value(self, value: Any) -> Any:
        return value if self.options.raw else plain(value)

    def _key(self, field: models.Field[Any, Any]) -> str:
        return str(field.verbose_name) if self.options.labels else field.name


def _called(row: models.Model, name: str) -> Any:
    function = getattr(row, name)
    if name.startswith("_") or not callable(function) or getattr(function, "alters_data", False):
        raise ValueError(f"functions={name!r} will not do: expected a public method that changes nothing")
    return function()


def _followed(row: models.Model, path: str) -> Any:
    found: Any = row
    for name in [path] if path in row.__dict__ else path.split("__"):  # an annotation's name may hold the mark
        if name.startswith("_"):
            raise ValueError(f"extra={path!r} will not do: expected public attributes")
        found = None if found is None else getattr(found, name)
    return found


_PLAIN: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    ((type(None), bool, int, float, str), lambda value: value),
    (Decimal, decimal_to_str),
    ((date, time), lambda value: value.isoformat()),  # a datetime is a date
    (timedelta, duration_iso_string),
    ((UUID, FieldFile), str),
    (Mapping, lambda value: {str(key): plain(inner) for key, inner in value.items()}),
    (models.Model, lambda value: plain(value.pk)),
    ((bytes, memoryview), lambda value: bytes(value).hex()),
    (Iterable, lambda value: [plain(inner) for inner in value]),
)


def plain(value: Any) -> Any:
    """A value as JSON knows it, with nothing lost: decimals and dates become text."""
    convert = next((function for types, function in _PLAIN if isinstance(value, types)), str)
    return convert(value)
