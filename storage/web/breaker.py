"""When the meter's breaker opens: its own model as a small table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from bridge.derived.breaker import LEVEL, seconds_to_trip
from bridge.tic.identity import Identity
from storage.web.said import Said
from storage.web.shown import UNKNOWN, amount

_TIMES: Final = (1.4, 1.5, 1.75, 2.0, 2.5, 3.0)  # the cut-off power
_MINUTE: Final = 60


class Step(NamedTuple):
    """A power, and how long it is borne."""

    power: str
    rested: str  # when little was drawn before
    loaded: str  # when all that is subscribed was drawn for long


@dataclass(frozen=True, slots=True)
class Breaker:
    """For each phase, where there are three."""

    cutoff: str
    level: str  # up to here it never opens
    steps: tuple[Step, ...]
    per_phase: bool
    is_assumed: bool  # the meter does not tell its cut-off power: the subscribed power stands for it


def breaker(said: Said, identity: Identity | None) -> Breaker | None:
    """None: the power is not known, or this meter has no breaker inside."""
    cutoff = said.cutoff
    if cutoff is None and identity is not None and identity.model == "Linky":
        cutoff = said.subscribed
    if not cutoff:
        return None
    share = cutoff / (3 if said.three_phase else 1)
    level = LEVEL * share
    steps = tuple(
        Step(amount(times * share, "VA", 0), _seconds(0.0, times * share, level), _seconds(share, times * share, level))
        for times in _TIMES
    )
    return Breaker(
        amount(cutoff / 1000, "kVA"), amount(level, "VA", 0), steps, said.three_phase, is_assumed=said.cutoff is None
    )


def _seconds(before: float, power: float, level: float) -> str:
    """After `before` VA were drawn for long."""
    seconds = seconds_to_trip(before * before, power, level)
    if seconds is None:
        return UNKNOWN
    if seconds < 2 * _MINUTE:
        return amount(round(seconds), "s")
    return amount(round(seconds / _MINUTE, 1), "min")
