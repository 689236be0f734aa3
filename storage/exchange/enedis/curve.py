"""Rows with times to a curve; a curve to the energies of half hours, hours and days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from math import floor
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from storage.buckets import HOUR
from storage.exchange.enedis.blocks import Curve
from storage.exchange.enedis.cells import Row
from storage.exchange.localtime import Doubt, unfold

T = TypeVar("T", datetime, date)

HALF_HOUR: Final = 1800
DAY: Final = 86400
STEPS: Final = (300, 600, 900, HALF_HOUR, HOUR)
_RUN: Final = 4  # equal distances that are no coincidence of holes
MOST_WATTS: Final = 1_000_000  # no delivery point that these files are of reaches it


class Timed(NamedTuple):
    """A row, its time as it stands, and its value in the file's unit."""

    row: Row
    at: datetime
    value: Decimal | None


class Bucket(NamedTuple):
    """Energy of a half hour, an hour or a civil day."""

    step: int
    start: datetime
    seconds: int
    value: int  # Wh


def in_order(rows: list[tuple[Row, T, Decimal | None]]) -> list[tuple[Row, T, Decimal | None]]:
    """Rows that rise in time; a file that has the newest first is turned round, a row that stands twice is one."""
    if len(rows) > 1 and rows[0][1] > rows[-1][1]:
        rows = rows[::-1]
    kept = rows[:1]
    for row in rows[1:]:
        if row[1] > kept[-1][1]:
            kept.append(row)
        elif row[1] < kept[-1][1]:
            raise row[0].refuse(f"{row[1].isoformat()} stands after {kept[-1][1].isoformat()}")
        elif row[2] != kept[-1][2]:
            raise row[0].refuse(f"{row[1].isoformat()} stands twice, with two values")
    return kept


def instants(rows: list[Timed], zone: ZoneInfo) -> tuple[list[Timed], int]:
    """Rows at instants, in order; and how many were in an hour of which nothing tells which it is."""
    local = [row for row in rows if row.at.tzinfo is None]
    if not local:
        rows = [row._replace(at=row.at.astimezone(UTC)) for row in rows]
        return [Timed(*row) for row in in_order(list(rows))], 0
    if len(local) < len(rows):
        raise local[0].row.refuse("times with an offset and times without stand in one table")
    if len(rows) > 1 and rows[0].at > rows[-1].at:
        rows = rows[::-1]
    known = []
    for at, row in unfold(((row.at, None, row) for row in rows), zone, timedelta(0)):
        if at is Doubt.NEVER:
            raise row.row.refuse(f"{row.at.isoformat()} is {Doubt.NEVER.value}")
        if isinstance(at, datetime):
            known.append(row._replace(at=at))
    return [Timed(*row) for row in in_order(list(known))], len(rows) - len(known)


def curve(rows: list[Timed], said: int | None, unit: tuple[str, Decimal], zone: ZoneInfo) -> tuple[Curve, int]:
    """A curve of rows that carry one time each; with the number of doubtful rows.

    Enedis dates a step by its end, but for files that begin at midnight: these date it by its beginning.
    """
    rows, doubtful = instants(rows, zone)
    if not rows:
        return Curve(said or HALF_HOUR, []), doubtful
    step = _step(rows, said)
    ends = rows[0].at.astimezone(zone).time() != time()
    back = timedelta(seconds=step if ends else 0)
    return Curve(step, [*_energies((row._replace(at=row.at - back) for row in rows), step, unit)], ends), doubtful


def _step(rows: list[Timed], said: int | None) -> int:
    """The one length of all steps; rows that are missing make longer distances, which are multiples of it."""
    distances = [int((b.at - a.at).total_seconds()) for a, b in pairwise(rows)]
    step = said or max(set(distances), key=distances.count, default=0)
    if step not in STEPS:
        raise rows[0].row.refuse(f"steps of {step / 60:g} minutes; expected 5, 10, 15, 30 or 60")
    for number, distance in enumerate(distances, 1):
        if distance % step:
            raise rows[number].row.refuse(f"irregular: {distance / 60:g} minutes after the row before it")
        if distance > step and distances[number - 1 : number + _RUN - 1] == [distance] * _RUN:
            raise rows[number].row.refuse(f"steps change from {step // 60} to {distance // 60} minutes here")
    return step


def spans(rows: list[tuple[Timed, datetime]], unit: tuple[str, Decimal], zone: ZoneInfo) -> tuple[Curve, int]:
    """A curve of rows that tell where their step begins and where it ends."""
    local = [int((end - begin.at).total_seconds()) for begin, end in rows]
    step = max(set(local), key=local.count, default=HALF_HOUR)
    if step not in STEPS:
        raise rows[0][0].row.refuse(f"steps of {step / 60:g} minutes; expected 5, 10, 15, 30 or 60")
    ends = {id(begin.row): end for begin, end in rows}
    begins, doubtful = instants([begin for begin, _ in rows], zone)
    for begin in begins:
        end = ends[id(begin.row)]
        is_right = (begin.at + timedelta(seconds=step)).astimezone(zone).replace(tzinfo=None) == end
        if end.tzinfo is None and not is_right:
            raise begin.row.refuse(f"a step that ends at {end.isoformat()}, where all others have {step // 60} minutes")
    return Curve(step, [*_energies(begins, step, unit)]), doubtful


def _energies(rows: Iterable[Timed], step: int, unit: tuple[str, Decimal]) -> Iterator[tuple[datetime, Fraction]]:
    kind, factor = unit
    for row in rows:
        if int(row.at.timestamp()) % step:
            raise row.row.refuse(f"irregular: not on a step of {step // 60} minutes")
        if row.value is None:
            continue
        value = Fraction(row.value) * Fraction(factor)
        energy = value * step / HOUR if kind == "power" else value
        if energy * HOUR > MOST_WATTS * step:
            raise row.row.refuse(f"{row.value} is more than any household draws: is the unit right?")
        yield row.at, energy


def require(unit: tuple[str, Decimal], kinds: tuple[str, ...], row: Row) -> None:
    """Refuse a unit that cannot be meant."""
    if unit[0] not in kinds:
        raise row.refuse(f"a unit of {unit[0]}; expected one of {' or '.join(kinds)}")


def buckets(curve: Curve, zone: ZoneInfo) -> Iterator[Bucket]:
    """The half hours, hours and civil days of which each step is known.

    Each is a difference of the whole Wh since midnight: so the half hours of an hour, and the hours of a day, add up.
    """
    for day, points in groupby(curve.points, key=lambda point: point[0].astimezone(zone).date()):
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        known = dict(points)
        total = Fraction(0)
        sums: list[Fraction] = [total]  # up to each boundary of a step
        holes = [0]
        for number in range(int((end - begin).total_seconds()) // curve.step):
            energy = known.get(begin + timedelta(seconds=number * curve.step))
            total += energy or 0
            sums.append(total)
            holes.append(holes[-1] + (energy is None))
        yield from _whole(begin, int((end - begin).total_seconds()), curve.step, sums, holes)


def _whole(begin: datetime, length: int, step: int, sums: list[Fraction], holes: list[int]) -> Iterator[Bucket]:
    sizes = [(HALF_HOUR, HALF_HOUR)] if step <= HALF_HOUR else []
    for kind, seconds in (*sizes, (HOUR, HOUR), (DAY, length)):
        for first in range(0, length, seconds):
            low, high = first // step, (first + seconds) // step
            if holes[high] == holes[low]:
                value = floor(sums[high]) - floor(sums[low])
                yield Bucket(kind, begin + timedelta(seconds=first), seconds, value)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a civil day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def check_days(rows: list[tuple[Row, date, Decimal | None]], most: Decimal) -> list[tuple[date, Decimal]]:
    """Values of days, in order."""
    kept = []
    for row, day, value in in_order(rows):
        if value is not None and value >= most:
            raise row.refuse(f"{value} is more than any household draws: is the unit right?")
        if value is not None:
            kept.append((day, value))
    return kept
