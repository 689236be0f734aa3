"""A span cut into bars: hours of a day, days of up to two months, else months. As a chart and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext

from storage import queries
from storage.models import Meter
from storage.queries import Energy
from storage.tariffs.daily import costs_by
from storage.web.history.layers import Layer, layers
from storage.web.history.spans import Span
from storage.web.shown import UNKNOWN, euros, number

DAYS: Final = 62  # of which each is a bar of its own
_KWH: Final = 1000


class Row(NamedTuple):
    """One line of the table under the bars."""

    name: str
    address: str  # of the page that shows it; empty: none does
    parts: list[str]
    total: str
    cost: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Pieces:
    """The bars of a span."""

    step: str  # hour, day or month
    energies: tuple[Energy, ...]
    layers: list[Layer]
    costs: tuple[Decimal | None, ...]  # EUR of each; empty: of hours nothing is computed
    zone: tzinfo

    @property
    def drawn(self) -> int | None:
        """Wh altogether, of what is known."""
        known = [one.drawn for one in self.energies if one.drawn is not None]
        return sum(known) if known else None

    @property
    def injected(self) -> int | None:
        """Wh altogether, of what is known."""
        known = [one.injected for one in self.energies if one.injected is not None]
        return sum(known) if known else None

    @property
    def has_costs(self) -> bool:
        """Whether any of them has a price."""
        return any(cost is not None for cost in self.costs)

    def rows(self, addresses: Sequence[str]) -> list[Row]:
        """For the table."""
        found = []
        for n, one in enumerate(self.energies):
            cost = euros(self.costs[n] if self.costs else None)
            parts = [kwh(layer.values[n]) for layer in self.layers]
            address = addresses[n] if addresses else ""
            found.append(Row(self.name(one), address, parts, kwh(one.drawn), cost, one.estimated))
        return found

    def name(self, one: Energy) -> str:
        """A bar in full."""
        start = one.start.astimezone(self.zone)
        if self.step == "hour":
            winter = gettext("winter time")  # within the f-string Babel finds no text before Python 3.12
            return f"{start:%H:%M}" if start.fold == 0 else f"{start:%H:%M} ({winter})"
        return date_format(start, "F Y" if self.step == "month" else "D j N")

    def as_json(self, addresses: Sequence[str]) -> dict[str, Any]:
        """For plot.js."""
        return {
            "unit": "kWh",
            "decimals": 1,
            "buckets": [
                {
                    "from": int(one.start.timestamp()), "to": int(one.end.timestamp()), "label": self._label(one),
                    "name": self.name(one), "estimated": one.estimated,
                }
                for one in self.energies
            ],
            "layers": [
                {
                    "name": layer.name, "mark": layer.mark, "below": layer.below,
                    "values": [None if value is None else round(value / _KWH, 3) for value in layer.values],
                }
                for layer in self.layers
            ],
            "fine": list(addresses),
        }  # fmt: skip

    def _label(self, one: Energy) -> str:
        start = one.start.astimezone(self.zone)
        if self.step == "hour":
            return f"{start.hour}"
        return date_format(start, "M" if self.step == "month" else "j")


def pieces(meter: Meter, span: Span, now: datetime) -> Pieces:
    """Ask the database; time to come is left out."""
    zone = queries.zone_of(meter.timezone)
    last = min(span.last, now.astimezone(zone).date())
    if span.kind == "day":
        energies = tuple(one for one in queries.hours(meter, span.first, last) if one.start < now)
        return Pieces("hour", energies, _layers(meter, energies), (), zone)
    if span.days <= DAYS:
        energies = queries.days(meter, span.first, last) if last >= span.first else ()
        costs = costs_by(meter, span.first, last, "day") if energies else ()
        return Pieces("day", energies, _layers(meter, energies), tuple(one.total for one in costs), zone)
    energies = queries.months(meter, span.first, last) if last >= span.first else ()
    costs = costs_by(meter, span.first.replace(day=1), last, "month") if energies else ()  # as `months` has them
    return Pieces("month", energies, _layers(meter, energies), tuple(one.total for one in costs), zone)


def _layers(meter: Meter, energies: Sequence[Energy]) -> list[Layer]:
    at = energies[-1].start + timedelta(minutes=30) if energies else datetime.now().astimezone()
    return layers(meter, energies, at)


def kwh(watt_hours: int | None) -> str:
    """A number of the table, without its unit."""
    return UNKNOWN if watt_hours is None else number(watt_hours / _KWH, 1)
