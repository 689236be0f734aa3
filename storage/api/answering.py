"""A question put to a table: rows, pages, and how much one question may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import DataError, OperationalError, models
from django.db.models import Min
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from storage.api.conditions import value_of
from storage.api.grammar import Condition
from storage.api.question import Question
from storage.api.resource import Window
from storage.api.scope import QuestionError
from storage.entities.dictionaries import plain

MOST_AT_ONCE: Final = 10_000  # rows of `all`
MOST_COUNTED: Final = 200_000  # rows that are grouped, summed up or told apart


@dataclass(frozen=True, slots=True)
class Answer:
    """One page: rows of the model, or dictionaries when the question names its keys."""

    rows: Sequence[Any]
    count: int
    page: int
    pages: int
    page_size: int


def answer(question: Question, rows: models.QuerySet[Any], now: datetime) -> Answer:
    """What the rows say to it; a ValidationError when they are too many, or their values cannot be computed."""
    try:
        return _answer(question, rows, now)
    except (DataError, OverflowError) as error:
        raise ValidationError({"detail": f"a value is out of reach: {error}".splitlines()[0]}) from None
    except OperationalError as error:
        if "overflow" not in str(error):
            raise
        raise ValidationError({"detail": f"a sum is out of reach: {error}"}) from None


def _answer(question: Question, rows: models.QuerySet[Any], now: datetime) -> Answer:
    rows = _chosen(question, rows, now)
    if question.is_computed and rows[: MOST_COUNTED + 1].count() > MOST_COUNTED:
        raise ValidationError({"detail": f"this asks for more than {MOST_COUNTED} rows: narrow it by filters"})
    rows = rows.annotate(**question.annotations).filter(*question.where_computed)
    if question.first_of:
        firsts = rows.values(*question.first_of).annotate(first_row=Min("pk")).values("first_row")
        rows = rows.filter(pk__in=firsts)
    if question.aggregates and not question.groups:
        single = rows.aggregate(**question.aggregates)
        shown = {column.key: shown_value(single[column.place.path]) for column in question.results}
        return Answer([shown], 1, 1, 1, question.page_size)
    return _page(question, _arranged(question, rows))


def _chosen(question: Question, rows: models.QuerySet[Any], now: datetime) -> models.QuerySet[Any]:
    window = question.scope.resource.window
    if window is not None:
        rows = rows.filter(**_bounds(question, window, now))
        if window.of:  # so that the index serves, also when no row of the relation is named
            related: Any = rows.model._meta.get_field(window.of).related_model
            rows = rows.filter(**{f"{window.of}__in": related._base_manager.values("pk")})
    if question.valid is not None:
        perishable: Any = rows
        rows = perishable.select_valid(question.valid_date, question.valid)
    found: models.QuerySet[Any] = rows.filter(*question.where).order_by()
    return found


def _arranged(question: Question, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Ordered, so that each row stands on one page; and with the asked columns only."""
    if question.groups:
        paths = [column.place.path for column in question.groups]
        grouped: models.QuerySet[Any] = rows.values(*paths).annotate(**question.aggregates)
        return grouped.order_by(*question.order, *paths)
    if question.is_distinct:
        paths = [column.place.path for column in question.columns]
        return rows.values(*paths).distinct().order_by(*question.order, *paths)
    window = question.scope.resource.window
    usual = rows.model._meta.ordering if window is None else [window.field]
    order: list[Any] = [*(question.order or usual), "pk"]
    arranged: models.QuerySet[Any] = rows.order_by(*order)
    return arranged


def _page(question: Question, rows: models.QuerySet[Any]) -> Answer:
    count = rows.count()
    if question.switches["all"]:
        if count > MOST_AT_ONCE:
            raise ValidationError({"all": [f"{count} rows are more than {MOST_AT_ONCE}: narrow it, or take pages"]})
        return Answer(_read(question, rows), count, 1, 1, max(count, 1))
    pages = max(1, -(-count // question.page_size))
    if question.page > pages:
        raise ValidationError({"page": [f"expected a page from 1 to {pages}"]})
    first = (question.page - 1) * question.page_size
    found = _read(question, rows[first : first + question.page_size])
    return Answer(found, count, question.page, pages, question.page_size)


def _read(question: Question, rows: models.QuerySet[Any]) -> Sequence[Any]:
    if not question.keys:
        return list(rows)
    paths = [column.place.path for column in question.keys]
    found = []
    for values in rows.values_list(*paths):
        row: dict[str, Any] = {}
        for column, value in zip(question.keys, values, strict=True):
            row[column.key] = shown_value(value)
            choices = getattr(column.place.column, "flatchoices", None)
            if question.switches["display"] and choices:
                row[f"{column.key}_display"] = None if value is None else str(dict(choices).get(value, value))
        found.append(row)
    return found


def shown_value(value: Any) -> Any:
    """As JSON has it: times in the current zone, decimals as text."""
    return timezone.localtime(value).isoformat() if isinstance(value, datetime) else plain(value)


def _bounds(question: Question, window: Window, now: datetime) -> dict[str, datetime]:
    """The stretch of time that is asked for, or the newest there is; never a longer one than the table can bear."""
    lower: list[datetime] = []
    upper: list[datetime] = []
    for asked in question.top:
        _take_bound(question, asked, window, lower, upper)
    if not lower and not upper:
        return {f"{window.field}__gte": now - window.longest}
    start = max(lower) if lower else min(upper) - window.longest
    end = min(upper) if upper else start + window.longest
    if end - start > window.longest:
        days = window.longest.days
        raise ValidationError({window.field: [f"expected a stretch of at most {days} days, by __gte and __lt"]})
    return {f"{window.field}__gte": start, f"{window.field}__lte": end}


def _take_bound(
    question: Question, asked: Condition, window: Window, lower: list[datetime], upper: list[datetime]
) -> None:
    try:
        place, lookup = question.scope.find_with_lookup(asked.name)
        if place.path != window.field or lookup not in ("exact", "gt", "gte", "lt", "lte", "range"):
            return
        value = value_of(asked.value, place, lookup)
    except (QuestionError, ValueError):  # refused above, and left out by `silent`; or another field's value
        return
    values = value if isinstance(value, list) else [value]
    if lookup in ("exact", "gt", "gte", "range"):
        lower.append(values[0])
    if lookup in ("exact", "lt", "lte", "range"):
        upper.append(values[-1])
