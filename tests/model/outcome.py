"""What Spin's verifier printed, as a verdict."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

HOLDS: Final = "holds"
STUCK: Final = "never empties"

_STATES: Final = re.compile(r"^ *([0-9.e+]+) states, stored", re.MULTILINE)
_DEPTH: Final = re.compile(r"depth reached (\d+), errors: (\d+)")
_BROKEN: Final = re.compile(r"^pan:\d+: assertion violated +!\((\w+)\) \(at depth (\d+)\)", re.MULTILINE)
_CYCLE: Final = re.compile(r"^pan:\d+: acceptance cycle \(at depth (\d+)\)", re.MULTILINE)
# Whatever makes a search less than exhaustive, or is no verdict on the model.
_NOT_ALL: Final = (
    "max search depth too small", "out of memory", "Search not completed", "VECTORSZ", "pan: error",
    "Bit statespace search", "hash-compact",
)  # fmt: skip


class Outcome(NamedTuple):
    """`verdict`: it holds, or what is broken; steps to that, or None."""

    verdict: str
    states: int
    steps: int | None = None


class UnclearError(Exception):
    """The output is no verdict: the search was cut short, or did not run."""


def read(output: str) -> Outcome:
    """Read the output of `pan`; only a complete search is believed when it finds nothing."""
    stored, ended = _STATES.search(output), _DEPTH.search(output)
    if stored is None or ended is None:
        raise UnclearError("the verifier did not end")
    states = int(float(stored[1]))
    if broken := _BROKEN.search(output):
        return Outcome(broken[1], states, int(broken[2]))
    if cycle := _CYCLE.search(output):
        return Outcome(STUCK, states, int(cycle[1]))
    if reason := next((reason for reason in _NOT_ALL if reason in output), None):
        raise UnclearError(reason)
    if ended[2] != "0":
        raise UnclearError(f"errors: {ended[2]}")
    return Outcome(HOLDS, states)
