"""What was found, in lines for its owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from storage.backfill.filling import Found
from storage.backfill.repair import HOUR, Repair


def lines(found: Found, zone: tzinfo) -> Iterator[str]:
    """Of an index: each hole, and what is left as it is."""
    entity = found.statistic.entity_id
    for repair in found.plan.repairs:
        yield f"{entity}: {_hole(repair, zone)}"
    for start in found.plan.unfit:
        yield (
            f"{entity}: the hours from {_local(start, zone)} on are left as they are: what Home Assistant counted "
            "before and after them does not fit the database. Did the index begin anew?"
        )
    if found.plan.unknown:
        one = found.plan.unknown == 1
        yield f"{entity}: {_hours(found.plan.unknown)} {'is' if one else 'are'} missing, and not known here either"
    if not found.plan.repairs and not found.plan.unfit:
        yield f"{entity}: no hour to give back"


def waiting(number: int) -> str:
    """Of hours that come later."""
    return f"{_hours(number)} not rolled up yet: run this again in some minutes"


def summary(hours: int, statistics: int, *, writes: bool) -> str:
    """The last line."""
    if not statistics:
        return (
            "Home Assistant keeps no index of these meters: did it see them (homeassistant.enabled), for an hour at "
            "least?"
        )
    if not hours:
        return "Nothing to write" if not writes else "Nothing was to write"
    return f"{_hours(hours)} written" if writes else f"{_hours(hours)} would be written: --write writes them"


def _hole(repair: Repair, zone: tzinfo) -> str:
    first, last = repair.rows[0], repair.rows[-1]
    text = f"{_hours(len(repair.rows))} from {_local(first.start, zone)} to {_local(last.start + HOUR, zone)}"
    text += f", index {last.state / 1000:.3f} kWh at their end"
    if repair.estimated:
        text += f"; {repair.estimated} of them estimated, not heard here either"
    if repair.shift is not None:
        text += f"; sums after them move by {repair.shift.wh / 1000:+.3f} kWh"
    return text


def _hours(number: int) -> str:
    return f"{number} {'hour' if number == 1 else 'hours'}"


def _local(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M%z}"
