"""What a process takes, time after time, and what a line through it says."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """What the system says of a process."""

    memory: float  # resident megabytes
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    """Of a process that runs."""
    status = Path(f"/proc/{pid}/status").read_text()
    held = [_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return Usage(
        int(status.partition("VmRSS:")[2].split()[0]) / 1000,
        # SQLite closes the descriptor of a connection that was closed only once the others let go of their locks, and
        # uses it again meanwhile: how many there are tells of the busiest moment. A connection that is open has a -wal.
        sum(bool(target) and not target.endswith(".sqlite3") for target in held),
        int(status.partition("Threads:")[2].split()[0]),
    )


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed since
        return ""


@dataclass(frozen=True, slots=True)
class Sample:
    """All of it at one moment."""

    seconds: float
    frames: int  # on the lines so far
    usage: dict[str, Usage]  # by program
    waiting: int  # readings in the spool
    spool: float  # megabytes
    database: float
    rows: int  # readings in the database
    minutes: int  # roll-ups of minutes in it
    is_calm: bool  # no fault now, nor shortly before


def growth(samples: Sequence[Sample], program: str) -> float:
    """Megabytes for each 100 000 frames, by a straight line (least squares) through the samples."""
    frames = [sample.frames / 100_000 for sample in samples]
    return statistics.linear_regression(frames, [sample.usage[program].memory for sample in samples]).slope


def calm_ends(samples: Sequence[Sample], number: int = 5) -> tuple[list[Sample], list[Sample]]:
    """The first and the last few in which nothing was broken."""
    calm = [sample for sample in samples if sample.is_calm]
    return calm[:number], calm[-number:]
