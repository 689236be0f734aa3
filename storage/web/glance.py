"""Today at a glance: energy and cost so far, against yesterday and the usual day; until when the tariff lasts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage import queries
from storage.buckets import zone_of
from storage.models import Meter
from storage.tariffs.costs import UNKNOWN as COSTS_UNKNOWN
from storage.tariffs.daily import Costs, costs
from storage.tariffs.in_force import InForce, in_force
from storage.tariffs.labels import meaning
from storage.web.shown import UNKNOWN, amount, euros, until

_USUAL: Final = timedelta(weeks=8)  # of which the usual day is made
_SAME: Final = 50  # Wh that are no difference: less than one digit of the figure


def nothing() -> dict[str, str]:
    """Of a meter that is not stored yet."""
    return {
        "until": "", "price": "", "today_energy": UNKNOWN, "today_injected": "", "against_yesterday": "",
        "against_usual": "", "today_cost": UNKNOWN, "cost_detail": gettext("Nothing of this meter is stored yet."),
    }  # fmt: skip


def glance(meter: Meter, tariff: str, now: datetime) -> dict[str, str]:
    """The texts, by their place on the page; `tariff` is what the meter calls the one in force."""
    zone = zone_of(meter.timezone)
    today = now.astimezone(zone).date()
    so_far = queries.totals(meter, _midnight(today, zone), now)
    held = in_force(meter, now)
    return {
        "until": _until(held),
        "price": _price(held, tariff),
        "today_energy": UNKNOWN if so_far.drawn is None else amount(so_far.drawn / 1000, "kWh", 1),
        "today_injected": _injected(so_far.injected),
        "against_yesterday": _yesterday(meter, so_far.drawn, now, zone),
        "against_usual": _usual(meter, so_far.drawn, now, zone),
        **_cost(meter, today, held),
    }


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _until(held: InForce) -> str:
    found = held.now()
    if found is None:
        return ""
    current, following = found
    if following is None or len(current.periods) != 1:
        return ""
    return until(datetime.fromtimestamp(current.end, UTC), held.at, held.facts.zone)


def _price(held: InForce, tariff: str) -> str:
    """The meter knows its tariff best; where its word is none of ours, the rules of the offer tell."""
    period = meaning(tariff)
    found = held.now()
    if not period and found is not None and len(found[0].periods) == 1:
        [period] = found[0].periods
    price = held.price(period)
    if price is None:
        return ""
    return gettext("{price} per kWh").format(price=euros(price, 4))


def _injected(wh: int | None) -> str:
    return "" if not wh else gettext("{energy} injected").format(energy=amount(wh / 1000, "kWh", 1))


def _yesterday(meter: Meter, drawn: int | None, now: datetime, zone: ZoneInfo) -> str:
    """To the same time on the clock, however long the days are."""
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=1)
    then = datetime.combine(day, local.time(), zone)
    before = queries.totals(meter, _midnight(day, zone), then).drawn
    if drawn is None or before is None:
        return ""
    return _against(
        drawn - before,
        (
            gettext("{energy} more than yesterday at this time"),
            gettext("{energy} less than yesterday at this time"),
            gettext("as much as yesterday at this time"),
        ),
    )


def _usual(meter: Meter, drawn: int | None, now: datetime, zone: ZoneInfo) -> str:
    """The same weekday of the last weeks, up to the same time; a part of an hour counts in proportion."""
    local = now.astimezone(zone)
    midnight = _midnight(local.date(), zone)
    cells = queries.profile(meter, midnight - _USUAL, midnight).cells[local.weekday()]
    gone = cells[: local.hour + 1]
    if drawn is None or any(cell is None or cell.hours < 2 for cell in gone):
        return ""
    hours = [cell.mean for cell in gone if cell is not None]
    usual = sum(hours[:-1]) + hours[-1] * (local.minute / 60)
    day = date_format(local, "l")
    return _against(
        round(drawn - usual),
        (
            gettext("{energy} more than on a usual {day}"),
            gettext("{energy} less than on a usual {day}"),
            gettext("as much as on a usual {day}"),
        ),
        day=day,
    )


def _against(difference: int, texts: tuple[str, str, str], **places: str) -> str:
    more, less, same = texts
    if abs(difference) < _SAME:
        return same.format(**places)
    return (more if difference > 0 else less).format(energy=amount(abs(difference) / 1000, "kWh", 1), **places)


def _cost(meter: Meter, today: date, held: InForce) -> dict[str, str]:
    so_far = costs(meter, today, today)
    if held.contract is None:
        return {"today_cost": UNKNOWN, "cost_detail": gettext("No contract is entered: what it costs is not known.")}
    if not so_far.lines:
        return {"today_cost": UNKNOWN, "cost_detail": gettext("Today's costs are not reckoned yet.")}
    lacking = [line for line in so_far.lines if line.amount is None]
    if lacking and all(line.period == COSTS_UNKNOWN and not line.wh for line in lacking):
        return {"today_cost": euros(so_far.known), "cost_detail": gettext("at least: some hours were not heard")}
    if not so_far.complete:
        return {"today_cost": UNKNOWN, "cost_detail": gettext("A price or the meaning of an index is not known.")}
    return {
        "today_cost": euros(so_far.known),
        "cost_detail": _cost_detail(costs(meter, *[today - timedelta(days=1)] * 2)),
    }


def _cost_detail(yesterday: Costs) -> str:
    if yesterday.total is None:
        return gettext("subscription included")
    return gettext("subscription included; all of yesterday: {cost}").format(cost=euros(yesterday.total))
