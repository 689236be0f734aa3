"""Roll-ups in plain loops over everything at once: what `storage.rollups` must come to, whatever it did on the way.

Nothing here is imported from `storage`. Slow and obvious; times are milliseconds, buckets (start, end) in seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

REGISTERS = ("east", *(f"easf{n:02}" for n in range(1, 11)), "eait")
HEARD = 300_000
DAYS_400 = 400 * 86_400_000


@dataclass
class Reading:
    ms: int
    values: dict[str, int] = field(default_factory=dict)


def plausible(v0: int, v1: int, ms: int) -> bool:
    if ms > DAYS_400:
        return False
    return v1 - v0 >= -10 and v1 - v0 <= 100 + 43_200 * ms // 3_600_000


def pieces(readings: list[Reading], name: str) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int]]]:
    """Steps of a register (from, to, value before, value after), and where it began anew."""
    samples = [(r.ms, r.values[name]) for r in readings if name in r.values]
    steps, resets = [], []
    last = None
    k = 0
    while k < len(samples):
        at, value = samples[k]
        if last is None:
            last = (at, value)
            k += 1
            continue
        if plausible(last[1], value, at - last[0]):
            steps.append((last[0], at, last[1], value))
            last = (at, value)
            k += 1
            continue
        returns = None
        for j in range(k + 1, len(samples)):
            if samples[j][0] - at > HEARD:
                break
            if plausible(last[1], samples[j][1], samples[j][0] - last[0]):
                returns = j
                break
        if returns is not None:
            k = returns
            continue
        resets.append((last[0], at))
        last = (at, value)
        k += 1
    return steps, resets


def part(step: tuple[int, int, int, int], at: int) -> int:
    """What a step had counted at a moment, rounded down."""
    begins, ends, before, after = step
    if at <= begins:
        return 0
    if at >= ends:
        return after - before
    return (after - before) * (at - begins) // (ends - begins)


def touched(buckets: list[tuple[int, int]], begins: int, ends: int) -> list[int]:
    """Positions of the buckets (they follow each other, with holes) that a stretch of milliseconds reaches into."""
    starts = [start * 1000 for start, _ in buckets]
    first = max(0, bisect_right(starts, begins) - 1)
    last = bisect_left(starts, ends)
    return [n for n in range(first, last) if begins < buckets[n][1] * 1000 and ends > buckets[n][0] * 1000]


def energies(readings: list[Reading], buckets: list[tuple[int, int]], tight: int) -> list[dict[str, Any]]:
    """Of each bucket: Wh by register, `estimated`, `has_reset`."""
    found: list[dict[str, Any]] = [{"estimated": False, "has_reset": False} for _ in buckets]
    for name in REGISTERS:
        steps, resets = pieces(readings, name)
        for step in steps:
            begins, ends, before, after = step
            for n in touched(buckets, begins, ends):
                a, b = buckets[n][0] * 1000, buckets[n][1] * 1000
                found[n][name] = found[n].get(name, 0) + part(step, b) - part(step, a)
                is_cut = begins < a < ends or begins < b < ends
                if is_cut and ends - begins > tight and before != after:
                    found[n]["estimated"] = True
        for begins, ends in resets:
            for n in touched(buckets, begins, ends):
                found[n]["has_reset"] = True
    return found


def heard(readings: list[Reading], buckets: list[tuple[int, int]]) -> dict[int, int]:
    """Milliseconds of each bucket in which readings came, by its start."""
    found: dict[int, int] = {}
    for r, s in pairwise(readings):
        if s.ms - r.ms <= HEARD:
            for n in touched(buckets, r.ms, s.ms):
                start, end = buckets[n]
                found[start] = found.get(start, 0) + min(s.ms, end * 1000) - max(r.ms, start * 1000)
    return found


def power(readings: list[Reading]) -> dict[str, int | None]:
    drawn = [r.values["sinsts"] for r in readings if "sinsts" in r.values]
    injected = [r.values["sinsti"] for r in readings if "sinsti" in r.values]
    return {
        "readings": len(drawn),
        "sinsts_sum": sum(drawn) if drawn else None,
        "sinsts_min": min(drawn) if drawn else None,
        "sinsts_max": max(drawn) if drawn else None,
        "sinsti_readings": len(injected),
        "sinsti_sum": sum(injected) if injected else None,
        "sinsti_max": max(injected) if injected else None,
    }


def civil_days(first: int, last: int, zone: str) -> list[tuple[int, int]]:
    where = ZoneInfo(zone)

    def midnight(day: date) -> int:
        return int(datetime.combine(day, clock_time(), where).timestamp())

    day = datetime.fromtimestamp(first, UTC).astimezone(where).date()
    days = []
    while midnight(day) <= last:
        days.append((midnight(day), midnight(day + timedelta(days=1))))
        day += timedelta(days=1)
    return days


def heard_minutes(readings: list[Reading]) -> list[tuple[int, int]]:
    found = {r.ms // 60_000 * 60 for r in readings}
    for r, s in pairwise(readings):
        if s.ms - r.ms <= HEARD:
            found |= set(range(r.ms // 60_000 * 60, (s.ms - 1) // 60_000 * 60 + 60, 60))
    return [(minute, minute + 60) for minute in sorted(found)]


def rollups(readings: list[Reading], zone: str) -> dict[tuple[int, int], dict[str, Any]]:
    """(step, start) -> the columns of the row; what is not known is left out or None."""
    if not readings:
        return {}
    first, last = readings[0].ms // 1000, readings[-1].ms // 1000
    hours = [(h, h + 3600) for h in range(first // 3600 * 3600, last + 1, 3600)]
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for step, buckets, tight in (
        (60, heard_minutes(readings), 60_000),
        (3600, hours, HEARD),
        (86_400, civil_days(first, last, zone), HEARD),
    ):
        seconds = heard(readings, buckets)
        moments = [r.ms for r in readings]
        for (start, end), energy in zip(buckets, energies(readings, buckets, tight), strict=True):
            own = readings[bisect_left(moments, start * 1000) : bisect_left(moments, end * 1000)]
            row = {**energy, **power(own), "covered": seconds.get(start, 0) // 1000}
            if step == 86_400:
                row["has_reset"] = any(
                    rows[3600, h]["has_reset"] for h, _ in hours if start <= h < end and (3600, h) in rows
                )
                row["covered"] = sum(
                    rows[3600, h]["covered"] for h, _ in hours if start <= h < end and (3600, h) in rows
                )
            if row["readings"] or row["covered"] or any(name in row for name in REGISTERS):
                rows[step, start] = row
    return rows
