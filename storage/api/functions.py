"""The functions that a term may call, by the kinds that they take: no other function of the database is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from django.db import models
from django.db.models import functions as f

from storage.api.grammar import Call, Name, Term, Value
from storage.api.kinds import Kind, read
from storage.api.scope import QuestionError, Scope

_DATES: Final = ("year", "quarter", "month", "week", "day")
_CLOCK: Final = ("hour", "minute", "second")
_NUMERIC: Final = (Kind.INTEGER, Kind.NUMBER)
COMPARED: Final = (*_NUMERIC, Kind.TEXT, Kind.DATE, Kind.INSTANT, Kind.TIME)
_MOST_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Built:
    """An expression, and what its values are."""

    expression: Any  # of Django's, which have no common type
    kind: Kind
    column: models.Field[Any, Any] | None


def build(term: Term, scope: Scope) -> Built:
    """The expression of a term."""
    if isinstance(term, Value):
        raise QuestionError(f"{term.text!r} stands alone: expected a field")
    if isinstance(term, Name):
        place = scope.find(term.text)
        return Built(models.F(place.path), place.kind, place.column)
    if term.function not in FUNCTIONS:
        raise QuestionError(f"{term.function!r} is no function: expected one of {', '.join(sorted(FUNCTIONS))}")
    return FUNCTIONS[term.function](term, scope)


def _argument(call: Call, scope: Scope, kinds: tuple[Kind, ...], *, most: int = 1) -> Built:
    if not 1 <= len(call.arguments) <= most:
        raise QuestionError(f"{call.function!r} takes {'one argument' if most == 1 else f'up to {most} arguments'}")
    built = build(call.arguments[0], scope)
    if built.kind not in kinds:
        raise QuestionError(
            f"{call.function!r} does not take this: expected {' or '.join(kind.value for kind in kinds)}"
        )
    return built


def _moment(built: Built) -> Any:
    """A time that the database understands as one."""
    convert = getattr(built.column, "as_datetime", None)
    return built.expression if convert is None else convert(built.expression)


def _trunc(part: str) -> Callable[[Call, Scope], Built]:
    def made(call: Call, scope: Scope) -> Built:
        built = _argument(call, scope, (Kind.INSTANT,) if part in _CLOCK else (Kind.DATE, Kind.INSTANT))
        column: Any = models.DateField() if built.kind is Kind.DATE else models.DateTimeField()
        # Hours are UTC's: of the two equal hours of October none is lost.
        zone = {"tzinfo": UTC} if part in _CLOCK else {}
        return Built(f.Trunc(_moment(built), part, output_field=column, **zone), built.kind, column)

    return made


def _extract(part: str) -> Callable[[Call, Scope], Built]:
    def made(call: Call, scope: Scope) -> Built:
        kinds = (Kind.INSTANT, Kind.TIME) if part in _CLOCK else (Kind.DATE, Kind.INSTANT)
        built = _argument(call, scope, kinds)
        column = models.IntegerField()
        return Built(f.Extract(_moment(built), part, output_field=column), Kind.INTEGER, column)

    return made


def _decimal() -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=38, decimal_places=12)


def _round(call: Call, scope: Scope) -> Built:
    built = _argument(call, scope, _NUMERIC, most=2)
    digits = call.arguments[1] if len(call.arguments) > 1 else Value("0", is_number=True)
    if not isinstance(digits, Value) or not digits.text.isdecimal() or int(digits.text) > _MOST_DIGITS:
        raise QuestionError(f"'round' rounds to 0 to {_MOST_DIGITS} digits")
    if built.kind is Kind.INTEGER:
        return built
    # PostgreSQL rounds numbers of the kind "numeric" only.
    exact = f.Cast(built.expression, _decimal())
    return Built(f.Round(exact, precision=int(digits.text), output_field=_decimal()), Kind.NUMBER, _decimal())


def _abs(call: Call, scope: Scope) -> Built:
    built = _argument(call, scope, _NUMERIC)
    return Built(f.Abs(built.expression), built.kind, _plain(built))


def _plain(built: Built) -> models.Field[Any, Any] | None:
    """What the result of a calculation is kept in: no longer with the digits of a column."""
    if built.kind is Kind.INTEGER:
        return models.BigIntegerField()
    return _decimal() if isinstance(built.column, models.DecimalField) else built.column


def _coalesce(call: Call, scope: Scope) -> Built:
    first = _argument(call, scope, COMPARED, most=9)
    if len(call.arguments) == 1:
        raise QuestionError("'coalesce' takes two arguments or more")
    others = []
    for term in call.arguments[1:]:
        if isinstance(term, Value):
            try:
                value = read(term.text, first.kind, first.column)
            except ValueError as error:
                raise QuestionError(f"{term.text!r} will not do in 'coalesce': {error}") from None
            others.append(models.Value(value, output_field=first.column))
            continue
        other = build(term, scope)
        if other.kind is not first.kind or type(other.column) is not type(first.column):
            raise QuestionError("'coalesce' takes values of one kind")
        others.append(other.expression)
    return Built(f.Coalesce(first.expression, *others, output_field=first.column), first.kind, first.column)


def _case(function: Any) -> Callable[[Call, Scope], Built]:
    def made(call: Call, scope: Scope) -> Built:
        built = _argument(call, scope, (Kind.TEXT,))
        column = models.TextField()
        return Built(function(built.expression, output_field=column), Kind.TEXT, column)

    return made


def _cast(call: Call, scope: Scope) -> Built:
    to = call.arguments[-1]
    if len(call.arguments) != 2 or not isinstance(to, Name) or to.text not in _CASTS:
        raise QuestionError(f"'cast' takes a field and one of {', '.join(sorted(_CASTS))}")
    kinds, kind, column, make = _CASTS[to.text]
    built = _argument(call, scope, kinds, most=2)
    return Built(make(built), kind, column())


# Only what no value can make fail.
_CASTS: Final[
    dict[str, tuple[tuple[Kind, ...], Kind, Callable[[], models.Field[Any, Any]], Callable[[Built], Any]]]
] = {
    "text": ((*_NUMERIC, Kind.TEXT), Kind.TEXT, models.TextField, lambda b: f.Cast(b.expression, models.TextField())),
    "integer": (
        _NUMERIC,
        Kind.INTEGER,
        models.BigIntegerField,
        lambda b: f.Cast(f.Round(b.expression), models.BigIntegerField()),
    ),
    "number": (_NUMERIC, Kind.NUMBER, _decimal, lambda b: f.Cast(b.expression, _decimal())),
    "date": ((Kind.INSTANT,), Kind.DATE, models.DateField, lambda b: f.TruncDate(_moment(b))),
}

FUNCTIONS: Final[dict[str, Callable[[Call, Scope], Built]]] = {
    **{f"trunc_{part}": _trunc(part) for part in (*_DATES, "hour", "minute")},
    **{f"extract_{part}": _extract(part) for part in (*_DATES, "week_day", "iso_week_day", "iso_year", *_CLOCK)},
    "round": _round,
    "abs": _abs,
    "coalesce": _coalesce,
    "lower": _case(f.Lower),
    "upper": _case(f.Upper),
    "cast": _cast,
}

AGGREGATES: Final[dict[str, Any]] = {
    "count": models.Count,
    "sum": models.Sum,
    "avg": models.Avg,
    "min": models.Min,
    "max": models.Max,
    "stddev": models.StdDev,
    "variance": models.Variance,
}


def aggregate(name: str, term: Term, scope: Scope) -> Built:
    """An aggregate of a term; `distinct(term)` counts each value once."""
    is_distinct = isinstance(term, Call) and term.function == "distinct" and len(term.arguments) == 1
    inner = build(term.arguments[0] if is_distinct and isinstance(term, Call) else term, scope)
    kinds = tuple(Kind) if name == "count" else COMPARED if name in ("min", "max") else _NUMERIC
    if inner.kind not in kinds or (is_distinct and inner.kind is Kind.OTHER):
        raise QuestionError(f"{name!r} does not take this: expected {' or '.join(kind.value for kind in kinds)}")
    if is_distinct and name not in ("count", "sum", "avg"):
        raise QuestionError(f"{name!r} takes no 'distinct': expected count, sum or avg")
    made = AGGREGATES[name](inner.expression, **({"distinct": True} if is_distinct else {}))
    if name == "count":
        return Built(made, Kind.INTEGER, models.BigIntegerField())
    if name in ("min", "max"):
        return Built(made, inner.kind, inner.column)
    if name == "sum":
        return Built(made, inner.kind, _plain(inner))
    return Built(made, Kind.NUMBER, models.FloatField())
