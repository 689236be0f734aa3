"""When a condition is raised and when it is cleared. Pure: values and instants in, a standing out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Any, Final

SILENCE: Final = timedelta(minutes=15)  # between two readings; over a longer one nothing is known to have lasted
Scalar = bool | int | float | str


class Operator(StrEnum):
    """How a value is compared with a rule's."""

    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    EQ = "="
    NE = "!="


ORDERED: Final = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})
_UPWARD: Final = frozenset({Operator.GT, Operator.GE})
_COMPARE: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = MappingProxyType(
    {Operator.GT: gt, Operator.GE: ge, Operator.LT: lt, Operator.LE: le, Operator.EQ: eq, Operator.NE: ne}
)


class Change(StrEnum):
    """What an alert is told of; also the words of the topic `alert`."""

    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold: `value operator threshold`, and for how long.

    It is raised at the first value at which it has held for `duration` seconds: the value that began it, and all since.
    Once raised it lasts while the value is on the same side of the threshold moved back by `hysteresis`, and is cleared
    at the first value at which it has not lasted for `calm` seconds. With 0 seconds the one value decides.
    """

    operator: Operator
    threshold: Scalar
    hysteresis: float = 0
    duration: int = 0
    calm: int = 0

    def begins(self, value: Scalar | None) -> bool:
        """Whether a value holds that was not raised before. None, which is not announced now, never does."""
        return value is not None and _COMPARE[self.operator](value, self.threshold)

    def lasts(self, value: Scalar | None) -> bool:
        """Whether a value keeps raised what was."""
        if value is None or not self.hysteresis or self.operator not in ORDERED:
            return self.begins(value)
        back = -self.hysteresis if self.operator in _UPWARD else self.hysteresis
        return _COMPARE[self.operator](value, float(self.threshold) + back)

    def further(self, one: Scalar, other: Scalar) -> Scalar:
        """The one of two values that lies further on the watched side; the newer one where there is no side."""
        if self.operator not in ORDERED or isinstance(one, str) or isinstance(other, str):
            return other
        return max(one, other) if self.operator in _UPWARD else min(one, other)


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition that holds, or was raised and is not cleared yet. Where there is none, it is calm."""

    since: datetime  # of the value that began it
    seen: datetime  # of the newest value
    value: Scalar  # the newest that held
    peak: Scalar  # the one furthest beyond the threshold
    is_raised: bool = False
    calm_since: datetime | None = None  # of the first value that did not hold any more


def step(
    condition: Condition, standing: Standing | None, at: datetime, value: Scalar | None, began: datetime | None = None
) -> tuple[Standing | None, Change | None]:
    """Where the condition stands after a value, and what changed with it.

    What is not raised begins anew after a silence of more than 15 minutes, and when the clock was set back. What is
    raised outlives both. `began` is when a value that holds began, if that was before `at`.
    """
    is_torn = standing is not None and not timedelta(0) <= at - standing.seen <= SILENCE
    if standing is not None and standing.is_raised:
        return _last(condition, standing, at, value, is_torn=is_torn)
    if value is None or not condition.begins(value):
        return None, None
    if standing is None or is_torn:
        standing = Standing(began or at, at, value, value)
    peak = condition.further(standing.peak, value)
    standing = replace(standing, seen=at, value=value, peak=peak)
    if at - standing.since >= timedelta(seconds=condition.duration):
        return replace(standing, is_raised=True), Change.RAISED
    return standing, None


def _last(
    condition: Condition, standing: Standing, at: datetime, value: Scalar | None, *, is_torn: bool
) -> tuple[Standing | None, Change | None]:
    if value is not None and condition.lasts(value):
        peak = condition.further(standing.peak, value)
        return replace(standing, seen=at, value=value, peak=peak, calm_since=None), None
    calm_since = at if standing.calm_since is None or is_torn else standing.calm_since
    if at - calm_since >= timedelta(seconds=condition.calm):
        return None, Change.CLEARED
    return replace(standing, seen=at, calm_since=calm_since), None
