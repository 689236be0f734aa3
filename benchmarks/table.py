"""The rows that `make bench` prints, and instruction counts by callgrind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One figure: `lower` is better, or higher. None measured: it could not be, and `note` says why."""

    what: str
    bar: float
    aim: float
    measured: float | None
    unit: str
    lower: bool = True
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bar holds."""
        if self.measured is None:
            return False
        return self.measured <= self.bar if self.lower else self.measured >= self.bar

    def __str__(self) -> str:
        measured = "-" if self.measured is None else f"{self.measured:.4g}"
        verdict = "ok" if self.holds else "BELOW"
        sign = "<=" if self.lower else ">="
        bars = f"{sign} {self.bar:<8g} aim {self.aim:<8g}"
        return f"{self.what:72} {bars} {measured:>9} {self.unit:14} {verdict} {self.note}"


def instructions(module: str, *arguments: str, few: int, many: int) -> float | None:
    """Instructions for each repetition of `python -m module N arguments`; None without valgrind.

    The difference of two runs leaves out what Python's start and the imports take.
    """
    if shutil.which("valgrind") is None:
        return None
    counts = [_count(module, str(number), *arguments) for number in (few, many)]
    return (counts[1] - counts[0]) / (many - few)


def _count(*command: str) -> int:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(  # noqa: S603  our own modules
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m", *command],  # noqa: S607
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr[-500:]
    return int(found[1])


def fastest(action: Callable[[], object], repetitions: int = 5) -> float:
    """Seconds of the fastest of some repetitions: the one that the machine's other work disturbed least."""
    from time import perf_counter  # noqa: PLC0415  measuring only

    best = float("inf")
    for _ in range(repetitions):
        began = perf_counter()
        action()
        best = min(best, perf_counter() - began)
    return best
