"""Conditions of a question, made Django's."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any, Final

from django.db.models import F, Q

from storage.api.grammar import Condition, Filter
from storage.api.kinds import MOST_VALUES, Kind, boolean, read
from storage.api.scope import Place, QuestionError, Scope

_REFERENCE: Final = re.compile(r"\[([A-Za-z][A-Za-z0-9_.]*)\]")
_REFERRED: Final = frozenset({"exact", "gt", "gte", "lt", "lte"})
_NUMERIC: Final = {Kind.INTEGER, Kind.NUMBER}


def condition(asked: Condition, scope: Scope) -> Q:
    """`name__lookup` and a value; `[other]` is the value of another field."""
    place, lookup = scope.find_with_lookup(asked.name)
    reference = None if asked.is_quoted else _REFERENCE.fullmatch(asked.value)
    if reference is not None:
        return Q(**{f"{place.path}__{lookup}": F(_referred(asked, place, lookup, scope, reference[1]))})
    try:
        return Q(**{f"{place.path}__{lookup}": value_of(asked.value, place, lookup)})
    except ValueError as error:
        raise QuestionError(f"{asked.name!r} cannot be {asked.value[:100]!r}: {error}") from None


def conditions(asked: Filter, scope: Scope) -> Q:
    """The same of whole trees."""
    if isinstance(asked, Condition):
        return condition(asked, scope)
    parts = [conditions(part, scope) for part in asked.parts]
    if asked.kind == "not":
        return ~reduce(Q.__and__, parts)
    return reduce(Q.__or__ if asked.kind == "or" else Q.__and__, parts)


def value_of(text: str, place: Place, lookup: str) -> Any:
    if lookup == "isnull":
        return boolean(text)
    if lookup not in ("in", "range"):
        return read(text, place.kind, place.column)
    values = text.split(",")
    if lookup == "range" and len(values) != 2:
        raise ValueError("expected two values and a comma")
    if len(values) > MOST_VALUES:
        raise ValueError(f"expected at most {MOST_VALUES} values")
    return [read(value, place.kind, place.column) for value in values]


def _referred(asked: Condition, place: Place, lookup: str, scope: Scope, name: str) -> str:
    other = scope.find(name)
    same = {place.kind, other.kind} <= _NUMERIC or (
        place.kind is other.kind and hasattr(place.column, "as_datetime") is hasattr(other.column, "as_datetime")
    )
    if not same or lookup not in _REFERRED or place.kind in (Kind.KEY, Kind.OTHER):
        raise QuestionError(f"{asked.name!r} cannot be compared with {name!r}")
    return other.path
