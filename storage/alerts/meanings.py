"""What the parts of a rule mean: which fields may be watched, which values fit, and the condition that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bridge.tic.catalogue import BY_SLUG, FIELDS, Field, Quantity
from storage.alerts.conditions import ORDERED, Condition, Operator, Scalar

TRIP_FIELD: Final = "breaker_seconds_to_trip"
_CALM: Final = 60  # s without a risk until it is over: a load at the edge comes and goes
_NOON: Final = 12
_MOST_SECONDS: Final = 86_400
_MOST: Final = 2**31 - 1

_WORDS: Final = frozenset({Quantity.WORD, Quantity.TEXT})
_NEVER: Final = frozenset({
    Quantity.IDENTIFIER, Quantity.INSTANT, Quantity.STATUS_REGISTER, Quantity.RELAYS, Quantity.PHASE_LOSS,
    Quantity.DAY_PROFILE,
})  # fmt: skip
# Said of the line, not in readings.
_NOT_STORED: Final = frozenset({"last_frame", "refused_groups"})
_FACTS: Final[Mapping[str, bool]] = MappingProxyType({"ON": True, "OFF": False})


class Kind(models.TextChoices):
    """What a rule watches."""

    THRESHOLD = "threshold", _("a field's value")
    SILENT = "silent", _("meter silent for so many minutes")
    PRODUCTION = "production", _("nothing injected by that hour")
    STANDBY = "standby", _("standby power above")
    COST = "cost", _("cost of the day above")
    TRIP = "trip", _("breaker about to open")


OF_READINGS: Final = frozenset({Kind.THRESHOLD, Kind.TRIP})  # decided by each reading; the others by the clock


class Amount(NamedTuple):
    """The one number of a rule that is no threshold."""

    unit: str
    low: float
    high: float
    default: float | None  # None: it must be given
    is_whole: bool = True


AMOUNTS: Final[Mapping[str, Amount]] = MappingProxyType({
    Kind.SILENT: Amount("min", 1, 10_080, None),
    Kind.PRODUCTION: Amount("h", 6, 20, _NOON),
    Kind.STANDBY: Amount("VA", 1, 36_000, None),
    Kind.COST: Amount("€", 0.01, 10_000, None, is_whole=False),
    Kind.TRIP: Amount("s", 1, 3_600, 3_600),
})  # fmt: skip

# canonical slug -> the slugs of a reading that say it
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {row.canonical: tuple(other.slug for other in FIELDS if other.canonical == row.canonical) for row in FIELDS}
)


def is_watchable(slug: str) -> bool:
    """Whether a rule may watch this field: canonical, in readings, and comparable."""
    row = BY_SLUG.get(slug)
    return (
        row is not None and not row.same_as and not row.personal and row.quantity not in _NEVER
        and slug not in _NOT_STORED
    )  # fmt: skip


WATCHABLE: Final = tuple(dict.fromkeys(row.slug for row in FIELDS if is_watchable(row.slug)))


class Absent:
    """The reading does not speak of the field: nothing is known."""


def value_in(slug: str, columns: Mapping[str, Any], values: Mapping[str, Any], derived: Mapping[str, Any]) -> Any:
    """A canonical field in a reading: its value, None when it is not announced now, `Absent` when nothing is said."""
    if slug in columns:
        return columns[slug]
    for spelling in _SPELLINGS[slug]:
        if spelling in values:
            return values[spelling]
    return derived.get(slug, Absent)


def operators(field: Field) -> frozenset[Operator]:
    """Those that make sense of a field."""
    if field.quantity in _WORDS or field.quantity is Quantity.FACT:
        return frozenset({Operator.EQ, Operator.NE})
    return frozenset(Operator)


def typed(field: Field, text: str) -> Scalar:
    """The value that a rule's text means; ValueError: none of this field's."""
    if field.quantity is Quantity.FACT:
        if text.upper() not in _FACTS:
            raise ValueError(text)
        return _FACTS[text.upper()]
    if field.quantity in _WORDS:
        words = {word for word in (field.words or {}).values() if word is not None}
        if not text or (words and text not in words):
            raise ValueError(text)
        return text
    number = number_of(text)
    low, high = field.limits or (0 if field.digits else -_MOST, 10**field.digits - 1 if field.digits else _MOST)
    if not low <= number <= high:
        raise ValueError(text)
    return number


def number_of(text: str) -> float:
    """A number as the owner writes it, with point or comma; a whole one is an integer."""
    number = float(text.strip().replace(",", "."))
    if not -_MOST <= number <= _MOST:  # no NaN either
        raise ValueError(text)
    return int(number) if number == int(number) else number


def condition(
    kind: str, field: str, operator: str, value: str, *, hysteresis: float = 0, duration: int = 0
) -> Condition:
    """The condition of a rule that `problems` found none with."""
    if kind == Kind.THRESHOLD:
        return Condition(Operator(operator), typed(BY_SLUG[field], value), hysteresis, duration)
    amount = AMOUNTS[kind].default if not value else number_of(value)
    assert amount is not None, "`problems` asks for it"
    if kind == Kind.TRIP:
        return Condition(Operator.LE, amount, calm=_CALM)
    if kind == Kind.PRODUCTION:
        return Condition(Operator.LE, 0)  # Wh since midnight
    if kind == Kind.SILENT:
        return Condition(Operator.GE, amount)
    return Condition(Operator.GT, amount, hysteresis)


def problems(
    kind: str, field: str, operator: str, value: str, *, hysteresis: float = 0, duration: int = 0
) -> dict[str, str | Promise]:
    """What is wrong with a rule, by the name of its part; empty when nothing is."""
    if kind == Kind.THRESHOLD:
        found = _of_threshold(field, operator, value)
        if hysteresis and operator not in ORDERED:
            found["hysteresis"] = _("Only a limit that is compared by size has one.")
    else:
        found = _of_amount(kind, value)
        given = {"field": field, "operator": operator, "duration": duration}
        found |= {name: _("Leave it empty: this kind of rule has none.") for name, part in given.items() if part}
        if hysteresis and kind != Kind.STANDBY:
            found["hysteresis"] = _("Leave it empty: this kind of rule has none.")
    if hysteresis < 0:
        found["hysteresis"] = _("Expected a number from 0 up.")
    if duration > _MOST_SECONDS:
        found["duration"] = _("Expected at most a day, 86400 seconds.")
    return found


def _of_threshold(field: str, operator: str, value: str) -> dict[str, str | Promise]:
    if not is_watchable(field):
        return {"field": _("Expected the name of a field, as the list of labels gives it, such as sinsts.")}
    row = BY_SLUG[field]
    if not operator:
        return {"operator": _("Expected an operator.")}
    if operator not in operators(row):
        return {"operator": _("This field has no sizes to compare: expected = or !=.")}
    try:
        typed(row, value)
    except ValueError:
        return {"value": _expected(row)}
    return {}


def _expected(row: Field) -> str | Promise:
    if row.quantity is Quantity.FACT:
        return _("Expected ON or OFF.")
    if row.quantity in _WORDS:
        words = ", ".join(sorted(word for word in (row.words or {}).values() if word))
        return _("Expected one of: %(words)s") % {"words": words or "..."}
    return _("Expected a number that this field can show%(unit)s.") % {"unit": f" ({row.unit})" if row.unit else ""}


def _of_amount(kind: str, value: str) -> dict[str, str | Promise]:
    amount = AMOUNTS[kind]
    if not value and amount.default is not None:
        return {}
    try:
        number = number_of(value)
    except ValueError:
        number = float("nan")
    if not amount.low <= number <= amount.high or (amount.is_whole and number != int(number)):
        span = {"low": f"{amount.low:g}", "high": f"{amount.high:g}", "unit": amount.unit}
        return {"value": _("Expected a number from %(low)s to %(high)s (%(unit)s).") % span}
    return {}


def unit_of(kind: str, field: str) -> str:
    """The unit of the values that a rule compares."""
    if kind == Kind.THRESHOLD:
        return BY_SLUG[field].unit if field in BY_SLUG else ""
    return "Wh" if kind == Kind.PRODUCTION else AMOUNTS[kind].unit
