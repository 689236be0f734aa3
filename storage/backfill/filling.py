"""Meter by meter and index by index: what Home Assistant lacks, and how it gets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from storage.backfill.client import UNITS, Hass, HassError, Statistic
from storage.backfill.known import Known
from storage.backfill.repair import HOUR, Plan, Row, plan
from storage.models import Meter
from storage.window import REGISTERS

SETTLED: Final = 900  # seconds after an hour's end: until then Home Assistant may still make its row itself
_PATIENCE: Final = 60.0  # seconds that it may take to write
_ROWS: Final = 1000  # of one message
_SAME: Final = 0.01  # Wh


@dataclass(frozen=True, slots=True)
class Found:
    """An index that Home Assistant keeps, and what is wrong with its hours."""

    statistic: Statistic
    plan: Plan

    @property
    def rows(self) -> list[Row]:
        """All that is to be written."""
        return [row for repair in self.plan.repairs for row in repair.rows]


class UnitError(Exception):
    """Home Assistant keeps an index in a unit that is no energy of ours."""


def unique_id(meter: str, register: str) -> str:
    """By which Home Assistant knows an index for ever, as discovery announces it."""
    return f"linky_{meter}_{register}"


def look(hass: Hass, meter: Meter, known: Known, now: int, since: int | None = None) -> Iterator[Found]:
    """Each index of a meter of which Home Assistant keeps sums; `since`: hours before are left as they are."""
    first = known.since()
    if first is None:
        return
    entities = hass.entities()
    names = {entities[key]: name for name in REGISTERS if (key := unique_id(meter.meter_id, name)) in entities}
    end = (now - SETTLED) // HOUR * HOUR
    for entity_id, statistic in hass.statistics(list(names)).items() if names else ():
        if statistic.unit not in UNITS:
            expected = ", ".join(UNITS)
            raise UnitError(
                f"{entity_id} is kept in {statistic.unit}; expected one of {expected}: choose one on the entity's page"
            )
        # One hour more: what the first hole continues.
        rows = hass.hours(statistic, max(first, since or first) // HOUR * HOUR - HOUR, end)
        newest = hass.newest(statistic, end)
        yield Found(statistic, plan(rows, known.hours(names[entity_id], end), end, newest))


def write(hass: Hass, found: Found) -> None:
    """Write it, and see that it is there.

    Sums that follow a hole are moved first: cut off in between, the hole is still there, and the next run fills it.
    """
    for repair in found.plan.repairs:
        if repair.shift is not None:
            hass.shift(found.statistic, repair.shift)
        for n in range(0, len(repair.rows), _ROWS):
            hass.write(found.statistic, repair.rows[n : n + _ROWS])
    _wait_until_written(hass, found)


def _wait_until_written(hass: Hass, found: Found) -> None:
    wanted = {row.start: row for row in _final(found.plan)}
    until, pause = monotonic() + _PATIENCE, threading.Event()
    while monotonic() < until:
        there = {row.start: row for row in hass.hours(found.statistic, min(wanted), max(wanted) + HOUR)}
        if all(start in there and _are_equal(there[start], row) for start, row in wanted.items()):
            return
        pause.wait(0.2)
    raise HassError(
        f"Home Assistant did not write all hours of {found.statistic.entity_id} within {_PATIENCE:.0f} s: look at its "
        "log, and try again"
    )


def _final(of: Plan) -> Iterator[Row]:
    """The rows as they stand at last: a later shift is not for them, it begins after them."""
    for repair in of.repairs:
        yield from repair.rows


def _are_equal(a: Row, b: Row) -> bool:
    return abs(a.state - b.state) < _SAME and abs(a.sum - b.sum) < _SAME
