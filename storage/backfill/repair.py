"""What Home Assistant's hours lack, and what to write so that each says what the meter counted. Pure.

An hour of Home Assistant is a row: the index at its end (`state`), and all that was counted since it knows the meter
(`sum`). While it is away there are no rows, and the sum makes up for it in the hour of its return: a peak that never
was. Rows that continue state and sum of the last right one take the peak away by themselves, because the hour of return
then differs from them by what it counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

HOUR: Final = 3600
_LATE: Final = 50  # Wh that Home Assistant may hear late: publishing waits some seconds,
_SHARE: Final = 12  # and what an hour takes in five minutes: nothing is published more seldom
_ROUNDED: Final = 1  # Wh
_EQUAL: Final = 0.5  # Wh; sums are floats, of kWh perhaps


class Hour(NamedTuple):
    """What the database knows of an hour: the index at its ends, Wh."""

    first: int
    last: int
    is_estimated: bool


class Row(NamedTuple):
    """What Home Assistant says of an hour, Wh. `start`: seconds since 1970."""

    start: int
    state: float
    sum: float


@dataclass(frozen=True, slots=True)
class Shift:
    """What to add to every sum from a row on, so that it continues the rows before it."""

    start: int
    wh: float


@dataclass(frozen=True, slots=True)
class Repair:
    """One hole: rows to write, by time, and what follows it."""

    rows: tuple[Row, ...]
    estimated: int  # of these hours: they were not heard here either, only what they took together is known
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one index."""

    repairs: tuple[Repair, ...] = ()
    unfit: tuple[int, ...] = ()  # starts of holes whose ends do not fit the database: an index began anew
    unknown: int = 0  # hours that are missing there and not known here


def plan(rows: Sequence[Row], hours: Mapping[int, Hour], end: int, newest: Row | None = None) -> Plan:
    """What to write so that the hours up to `end` are right.

    `rows` are Home Assistant's, by time; before the first of them nothing is missing. `newest` is a row after the last
    hour (one of five minutes): the running hour continues it.
    """
    if not rows:
        return Plan()
    return _Planner(rows, hours, end, newest).plan()


class _Planner:
    """Goes through the holes by time; what one changes is what the next one continues."""

    def __init__(self, rows: Sequence[Row], hours: Mapping[int, Hour], end: int, newest: Row | None) -> None:
        self._rows = {row.start: row for row in rows}
        self._hours = hours
        self._first, self._end = rows[0].start, end
        self._newest = newest

    def plan(self) -> Plan:
        asked = range(self._first + HOUR, self._end, HOUR)
        newest = max(self._hours, default=self._first)  # nothing is known yet of what is later
        unknown = sum(start not in self._rows and start not in self._hours for start in asked if start < newest)
        repairs, unfit = [], []
        for hole in self._holes([start for start in asked if self._is_wrong(start)]):
            repair = self._repair(hole)
            if repair is None:
                unfit.append(hole[0])
            else:
                repairs.append(repair)
                self._apply(repair)
        return Plan(tuple(repairs), tuple(unfit), unknown)

    def _is_wrong(self, start: int) -> bool:
        hour, row = self._hours.get(start), self._rows.get(start)
        if hour is None or row is None:
            return hour is not None
        if hour.is_estimated:
            return False  # it may have heard what we did not
        # At its return it writes the hours that it missed as if nothing had been counted.
        late = _ROUNDED if self._stands_still(start) else _LATE + (hour.last - hour.first) / _SHARE
        return abs(row.state - hour.last) > late

    def _holes(self, wrong: Sequence[int]) -> Iterator[list[int]]:
        """Wrong hours that follow each other, and what before them was heard in part."""
        hole: list[int] = []
        for start in wrong:
            if hole and start != hole[-1] + HOUR:
                yield self._from_its_beginning(hole)
                hole = []
            hole.append(start)
        if hole:
            yield self._from_its_beginning(hole)

    def _from_its_beginning(self, hole: list[int]) -> list[int]:
        while self._is_short(before := hole[0] - HOUR):
            hole = [before, *hole]
            if not self._stands_still(before):
                break
        return hole

    def _is_short(self, start: int) -> bool:
        """Whether an hour's end was not heard."""
        hour, row = self._hours.get(start), self._rows.get(start)
        if hour is None or row is None or hour.is_estimated or start - HOUR not in self._rows:
            return False
        return hour.last - row.state >= _EQUAL

    def _stands_still(self, start: int) -> bool:
        before = self._rows.get(start - HOUR)
        return before is not None and self._rows[start].state == before.state

    def _repair(self, hole: Sequence[int]) -> Repair | None:
        before = self._rows[max(start for start in self._rows if start < hole[0])]
        after = min((start for start in self._rows if start > hole[-1]), default=None)
        follower = self._newest if after is None else self._rows[after]
        index = [self._hours[start].last for start in hole]
        ends = [before.state, *index, *([follower.state] if follower else [])]
        if any(b < a - _ROUNDED for a, b in pairwise(ends)):
            return None
        rows: list[Row] = []
        for start, wh in zip(hole, index, strict=True):
            state = max(float(wh), rows[-1].state if rows else before.state)
            rows.append(Row(start, state, before.sum + state - before.state))
        shift = None
        if follower is not None:
            missing = rows[-1].sum + max(0.0, follower.state - rows[-1].state) - follower.sum
            shift = Shift(follower.start, missing) if abs(missing) >= _EQUAL else None
        return Repair(tuple(rows), sum(self._hours[start].is_estimated for start in hole), shift)

    def _apply(self, repair: Repair) -> None:
        for row in repair.rows:
            self._rows[row.start] = row
        if repair.shift is None:
            return
        later = [row for row in self._rows.values() if row.start >= repair.shift.start]
        for row in later:
            self._rows[row.start] = row._replace(sum=row.sum + repair.shift.wh)
        if self._newest is not None:
            self._newest = self._newest._replace(sum=self._newest.sum + repair.shift.wh)
