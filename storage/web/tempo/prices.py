"""The prices of a contract: what holds, since when and until when, who said so, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage.tariffs.grids import PARIS
from storage.tariffs.in_force import InForce, prices_of
from storage.tariffs.models import TariffPrice
from storage.web.shown import euros
from storage.web.tempo.hours import period_name


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A line of the table."""

    name: str
    price: str
    since: str
    until: str
    source: str


def price_lines(held: InForce, names: Mapping[str, str]) -> list[PriceLine]:
    """Subscription first, then each period as the offer orders them."""
    if held.contract is None:
        return []
    order = list(names)
    rows = prices_of(held.contract, held.at)
    groups = [(key, list(same)) for key, same in groupby(rows, lambda row: (row.kind, row.period))]
    groups.sort(key=lambda group: (group[0][0] == "energy", _rank(group[0][1], order)))
    return [_line(series, held, names) for _, series in groups]


def _rank(period: str, order: list[str]) -> int:
    return order.index(period) if period in order else len(order)


def _line(series: list[TariffPrice], held: InForce, names: Mapping[str, str]) -> PriceLine:
    now = next((row for row in series if row.start_date <= held.at), None)
    following = next((row for row in series if row.start_date > held.at), None)
    told = now or series[0]
    return PriceLine(
        name=period_name(told.period, names) if told.period else _subscription(held),
        price=_price(now) if now is not None else gettext("not known"),
        since=_day(now.start_date) if now is not None else "–",
        until=_until(now, following),
        source=_source(told),
    )


def _subscription(held: InForce) -> str:
    power = held.contract.power if held.contract is not None else None
    if power is None:
        return gettext("Subscription")
    return gettext("Subscription, {power} kVA").format(power=power)


def _price(row: TariffPrice) -> str:
    if row.kind == TariffPrice.Kind.SUBSCRIPTION:
        return gettext("{price} a year").format(price=euros(row.amount))
    return gettext("{price} per kWh").format(price=euros(row.amount, 4))


def _until(now: TariffPrice | None, following: TariffPrice | None) -> str:
    if following is not None:
        return gettext("{day}, then {price}").format(day=_day(following.start_date), price=_price(following))
    if now is not None and now.end_date is not None:
        return gettext("{day}, then not known").format(day=_day(now.end_date))
    return gettext("no end known")


def _source(row: TariffPrice) -> str:
    parts = [row.source or row.get_origin_display()]
    if row.checked_on is not None:
        parts.append(gettext("checked on {day}").format(day=date_format(row.checked_on, "DATE_FORMAT")))
    return ", ".join(parts)


def _day(at: datetime) -> str:
    """Prices change at midnight in Paris, whatever the zone of a meter."""
    return date_format(at.astimezone(PARIS), "DATE_FORMAT")
