"""What a file of Enedis holds, whatever its layout: a curve, days, daily maxima or indexes of one delivery point."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from fractions import Fraction


class Direction(Enum):
    """Which way the energy went."""

    DRAWN = "consumption"
    INJECTED = "production"


class Layout(Enum):
    """What was recognised; the text is for the owner, and kept with the import."""

    CURVE = "CSV load curve"
    FLAT = "CSV load curve, one line a step"
    INDEXES = "CSV indexes"
    PEAKS = "daily maximum power"
    DAYS = "daily energy"
    SPANS = "load curve from-to"
    INDEX_VIEW = "daily indexes by period"
    STAMPS = "load curve in a workbook"


@dataclass(frozen=True, slots=True)
class Curve:
    """Energies of steps of one length, in order; a step that is not known is not there."""

    step: int  # seconds
    points: list[tuple[datetime, Fraction]]  # its beginning, Wh
    stamps_end: bool = False  # whether the file dates a step by its end


@dataclass(frozen=True, slots=True)
class Days:
    """Energies of civil days."""

    points: list[tuple[date, int]]  # Wh


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest power of civil days."""

    points: list[tuple[date, int]]  # VA


@dataclass(frozen=True, slots=True)
class Indexes:
    """Indexes at instants; `periods` are the supplier's names of the registers, where the file tells them."""

    points: list[tuple[datetime, dict[str, int]]]  # column of Data -> Wh
    periods: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """One table of a file."""

    layout: Layout
    where: str
    prm: str  # empty where the file does not say it
    direction: Direction
    content: Curve | Days | Peaks | Indexes
    gaps: int = 0  # rows without a value
    doubtful: int = 0  # rows in the hour that comes twice, of which nothing tells which it is
