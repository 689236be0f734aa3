"""Offers with hours of their own, a minute at a time in plain loops. Nothing here is imported from `storage`.

Each function says in which periods a minute may lie; `events` are days of which it is known whether they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
HOLIDAYS = (date(2025, 11, 1), date(2025, 11, 11))  # those of the weeks that the tests take
Events = dict[date, bool]
Minute = Callable[[datetime, Events], list[str]]


def in_slot(wall: datetime) -> bool:
    """Off-peak 22:30-6:30."""
    clock = wall.hour * 100 + wall.minute
    return clock >= 2230 or clock < 630


def weekend(wall: datetime, events: Events) -> list[str]:
    """Saturdays, Sundays and holidays; and off-peak hours."""
    if wall.isoweekday() in (6, 7) or wall.date() in HOLIDAYS:
        return ["weekend"]
    return ["hc"] if in_slot(wall) else ["hp"]


def chosen(wall: datetime, events: Events) -> list[str]:
    """Week-ends and the Wednesday that the household chose, one price for all hours; off-peak hours else."""
    if wall.isoweekday() in (3, 6, 7):
        return ["choisi"]
    return ["hc"] if in_slot(wall) else ["hp"]


def super_off_peak(wall: datetime, events: Events) -> list[str]:
    """2:00-6:20 dearly cheap in winter only, off-peak hours cheap."""
    if wall.month in (11, 12, 1, 2, 3) and 200 <= wall.hour * 100 + wall.minute < 620:
        return ["super"]
    return ["hc"] if in_slot(wall) else ["hp"]


def flex(wall: datetime, events: Events) -> list[str]:
    """Days of sobriety, peak 8-13 and 18-20."""
    hours = "hp" if 8 <= wall.hour < 13 or 18 <= wall.hour < 20 else "hc"
    if wall.date() not in events:
        return [f"sobriete_{hours}", f"eco_{hours}"]
    return [f"sobriete_{hours}"] if events[wall.date()] else [f"eco_{hours}"]


def shares(
    rule: Minute, hours: list[tuple[int, int, list[int] | None]], events: Events
) -> list[tuple[int, list[str], int]]:
    """(start of the hour, periods that it may be, Wh)."""
    found = []
    for start, wh, minutes in hours:
        kinds = [rule(datetime.fromtimestamp(start + 60 * n, UTC).astimezone(PARIS), events) for n in range(60)]
        if all(kind == kinds[0] for kind in kinds):
            found.append((start, kinds[0], wh))
        elif minutes is not None:
            found += [(start, kind, part) for kind, part in zip(kinds, minutes, strict=True)]
        else:
            found.append((start, sorted({period for kind in kinds for period in kind}), wh))
    return found


def bounds(shared: list[tuple[int, list[str], int]], prices: dict[str, str]) -> tuple[Decimal, Decimal]:
    low = high = Decimal(0)
    for _, periods, wh in shared:
        paid = [wh * Decimal(prices[period]) / 1000 for period in periods]
        low, high = low + min(paid), high + max(paid)
    return low, high
