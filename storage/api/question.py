"""A query string, understood: what is asked of a list, checked name by name against the scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q
from rest_framework.exceptions import ValidationError

from storage.api.conditions import condition, conditions
from storage.api.functions import AGGREGATES, aggregate, build
from storage.api.grammar import Asked, Call, Condition, Filter, Name, parse_filters, parse_terms
from storage.api.kinds import Kind, boolean, instant
from storage.api.resource import PARAMETERS
from storage.api.scope import Place, QuestionError, Scope
from storage.entities.perishable import PerishableEntity

PAGE_SIZE: Final = 50
LARGEST_PAGE: Final = 1000
MOST_PARAMETERS: Final = 60
MOST_TEXT: Final = 16_000  # characters of all parameters together
_SWITCHES: Final = ("simple", "meta", "display", "all", "silent")
# In this order: what comes later may use the names of what came before.
_ORDER: Final = ("annotate", "group_by", *AGGREGATES, "fields", "distinct", "order_by")

Given = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Column:
    """One key of each result."""

    key: str
    place: Place


@dataclass(slots=True)
class Question:
    """Everything that is asked of one list."""

    scope: Scope
    given: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)  # parameters that are refused, and why
    switches: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(_SWITCHES, False))
    where: list[Q] = field(default_factory=list)
    where_computed: list[Q] = field(default_factory=list)  # conditions on what `annotate` names
    top: list[Condition] = field(default_factory=list)  # those that must all hold, as they are written
    annotations: dict[str, Any] = field(default_factory=dict)
    groups: list[Column] = field(default_factory=list)
    aggregates: dict[str, Any] = field(default_factory=dict)
    results: list[Column] = field(default_factory=list)  # of aggregates
    columns: list[Column] = field(default_factory=list)  # of `fields`
    is_distinct: bool = False
    first_of: list[str] = field(default_factory=list)  # `distinct` with names: one row for each
    order: list[Any] = field(default_factory=list)
    ordered: list[str] = field(default_factory=list)  # the paths in it
    valid: bool | None = None
    valid_date: datetime | None = None
    page: int = 1
    page_size: int = PAGE_SIZE

    @property
    def is_grouped(self) -> bool:
        """Whether the results are no rows of the table."""
        return bool(self.groups or self.aggregates)

    @property
    def is_computed(self) -> bool:
        """Whether more is computed than what one page shows: then the rows are counted first."""
        is_ordered_so = not self.annotations.keys().isdisjoint(self.ordered)
        return self.is_grouped or self.is_distinct or bool(self.first_of or self.where_computed) or is_ordered_so

    @property
    def keys(self) -> list[Column]:
        """Of the results; none: each row is shown as the resource says."""
        return [*self.groups, *self.results] if self.is_grouped else self.columns


def understand(given: Given, scope: Scope) -> Question:
    """The question that these parameters ask. A ValidationError names each that is refused; with `silent` they are
    left out, and `options` of the answer says so.
    """
    question = Question(scope)
    if len(given) > MOST_PARAMETERS or sum(len(name) + len(text) for name, text in given) > MOST_TEXT:
        raise ValidationError({"detail": f"expected at most {MOST_PARAMETERS} parameters, {MOST_TEXT} characters"})
    reader = _Understanding(question)
    for name, text in sorted(given, key=_turn):
        question.given[name] = text
        try:
            reader.take(name, text)
        except ValueError as error:  # of the grammar, of the scope, of a value
            question.mistakes[name] = str(error)
    reader.finish()
    if question.mistakes and not question.switches["silent"]:
        raise ValidationError({name: [why] for name, why in question.mistakes.items()})
    return question


def _turn(parameter: tuple[str, str]) -> int:
    return _ORDER.index(parameter[0]) if parameter[0] in _ORDER else len(_ORDER)


class _Understanding:
    def __init__(self, question: Question) -> None:
        self._q = question
        self._scope = question.scope
        self._by_name: Mapping[str, Callable[[str], None]] = {
            **{name: getattr(self, f"_{name}") for name in PARAMETERS if hasattr(self, f"_{name}")},
            "format": lambda _: None,  # the renderer's
        }

    def take(self, name: str, text: str) -> None:
        """One parameter."""
        if name in _SWITCHES:
            self._q.switches[name] = boolean(text)
        elif name in AGGREGATES:
            self._aggregate(name, text)
        elif name in self._by_name:
            self._by_name[name](text)
        else:
            self._condition(name, text)

    def _condition(self, name: str, text: str) -> None:
        asked = Condition(name.removeprefix("-"), text)
        self._scope.met_alias = False
        found = condition(asked, self._scope)
        where = self._q.where_computed if self._scope.met_alias else self._q.where
        where.append(~found if name.startswith("-") else found)
        if not name.startswith("-"):
            self._q.top.append(asked)

    def _filters(self, text: str) -> None:
        trees = parse_filters(text)
        found = []
        for tree in trees:
            self._scope.met_alias = False
            found.append((conditions(tree, self._scope), self._scope.met_alias))
        self._q.where += [tree for tree, is_computed in found if not is_computed]
        self._q.where_computed += [tree for tree, is_computed in found if is_computed]
        self._q.top += [inner for tree in trees for inner in _always(tree)]

    def _annotate(self, text: str) -> None:
        for asked in parse_terms(text):
            if asked.alias is None:
                raise QuestionError("each term of 'annotate' needs a name after a colon")
            self._named(asked, asked.alias)

    def _named(self, asked: Asked, alias: str) -> Column:
        built = build(asked.term, self._scope)
        path = f"term_{len(self._q.annotations)}"
        place = Place(path, built.kind, built.column)
        self._scope.add(alias, place)
        self._q.annotations[path] = built.expression
        return Column(alias, place)

    def _column(self, asked: Asked) -> Column:
        """A field under its own name or another, or a function."""
        if asked.is_descending or asked.nulls:
            raise QuestionError("only 'order_by' takes a direction")
        if isinstance(asked.term, Name):
            place = self._scope.find(asked.term.text)
            if asked.alias is not None:
                self._scope.add(asked.alias, place)
            return Column(asked.alias or asked.term.text, place)
        return self._named(asked, asked.alias or _called(asked.term))

    def _group_by(self, text: str) -> None:
        for asked in parse_terms(text):
            column = self._column(asked)
            if column.place.kind is Kind.OTHER:
                raise QuestionError(f"{column.key!r} cannot be grouped by")
            self._q.groups.append(column)

    def _aggregate(self, name: str, text: str) -> None:
        for asked in parse_terms(text):
            built = aggregate(name, asked.term, self._scope)
            alias = asked.alias or f"{name}_{_called(asked.term)}"
            path = f"result_{len(self._q.aggregates)}"
            place = Place(path, built.kind, built.column)
            if alias in {column.key for column in (*self._q.results, *self._q.groups)}:
                raise QuestionError(f"{alias!r} is a name already: choose another")
            self._q.aggregates[path] = built.expression
            self._q.results.append(Column(alias, place))

    def _fields(self, text: str) -> None:
        for asked in parse_terms(text):
            column = self._column(asked)
            if column.key in {other.key for other in self._q.columns}:
                raise QuestionError(f"{column.key!r} is asked for twice")
            self._q.columns.append(column)

    def _distinct(self, text: str) -> None:
        if text.lower() in ("1", "true", "yes", "0", "false", "no"):
            self._q.is_distinct = boolean(text)
            return
        for asked in parse_terms(text):
            place = self._column(asked).place
            if place.kind is Kind.OTHER:
                raise QuestionError("such a field cannot be told apart")
            self._q.first_of.append(place.path)

    def _order_by(self, text: str) -> None:
        results = {column.key: column.place for column in self._q.results}
        for asked in parse_terms(text):
            name = asked.term.text if isinstance(asked.term, Name) else ""
            bare = Asked(asked.term, asked.alias)
            place = results[name] if name in results else self._column(bare).place
            if place.kind is Kind.OTHER:
                raise QuestionError(f"{name!r} cannot be ordered by")
            nulls = {} if asked.nulls is None else {f"nulls_{asked.nulls}": True}
            self._q.order.append(F(place.path).desc(**nulls) if asked.is_descending else F(place.path).asc(**nulls))
            self._q.ordered.append(place.path)

    def _valid(self, text: str) -> None:
        self._perishable()
        self._q.valid = None if text == "all" else boolean(text)

    def _valid_date(self, text: str) -> None:
        self._perishable()
        self._q.valid_date = instant(text)

    def _perishable(self) -> None:
        if not issubclass(self._scope.resource.model, PerishableEntity):
            raise QuestionError("what is listed here has no time of validity")

    def _page(self, text: str) -> None:
        self._q.page = _number(text, 1_000_000_000)

    def _page_size(self, text: str) -> None:
        self._q.page_size = _number(text, LARGEST_PAGE)

    def finish(self) -> None:
        """What can only be said of all parameters together."""
        q = self._q
        if q.valid_date is not None and "valid" not in q.given:
            q.valid = True
        if q.is_grouped:
            shown = {column.place.path for column in q.keys}
            for name in ("fields", "distinct"):
                if name in q.given:
                    q.mistakes[name] = "not together with 'group_by' or aggregates"
            if not set(q.ordered) <= shown:
                q.mistakes["order_by"] = "expected what is grouped by, or a result"
        elif q.is_distinct:
            if not q.columns or any(column.place.kind is Kind.OTHER for column in q.columns):
                q.mistakes["distinct"] = "expected 'fields' that can be told apart"
                q.is_distinct = False
            elif not set(q.ordered) <= {column.place.path for column in q.columns}:
                q.mistakes["order_by"] = "expected some of 'fields', as they are made distinct"
        if "order_by" in q.mistakes:
            q.order, q.ordered = [], []


def _always(tree: Filter) -> Iterator[Condition]:
    """The conditions that hold whatever else does."""
    if isinstance(tree, Condition):
        yield tree
    elif tree.kind == "and":
        for part in tree.parts:
            yield from _always(part)


def _called(term: Any) -> str:
    """The key of what got no name: that of the field inside."""
    while isinstance(term, Call) and term.function == "distinct":
        term = term.arguments[0]
    if isinstance(term, Name):
        return term.text
    return str(term.function) if isinstance(term, Call) else term.text


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or not 1 <= int(text) <= most:
        raise QuestionError(f"expected a number from 1 to {most}")
    return int(text)
