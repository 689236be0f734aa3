"""What a day, a month or a year cost, ready to be shown: parts, bars, changes of prices, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from storage.models import Meter
from storage.queries import zone_of
from storage.tariffs import loading
from storage.tariffs.costs import INJECTED, SUBSCRIPTION, UNKNOWN
from storage.tariffs.daily import Costs, Line, costs, costs_by
from storage.tariffs.forecast import Forecast, Silence
from storage.tariffs.models import Contract, TariffPrice
from storage.tariffs.naming import period_names
from storage.web.foretelling import foretell
from storage.web.periods import mark, place
from storage.web.shown import energy, euros, number

Kind = Literal["day", "month", "year"]
KINDS: Final[tuple[Kind, ...]] = ("day", "month", "year")


class Span(NamedTuple):
    """A day, a month or a year, by its first day."""

    kind: Kind
    first: date

    @property
    def last(self) -> date:
        return self.next - timedelta(days=1)

    @property
    def next(self) -> date:
        """The first day of the span after it."""
        if self.kind == "day":
            return self.first + timedelta(days=1)
        months = 1 if self.kind == "month" else 12
        return date(
            self.first.year + (self.first.month - 1 + months) // 12, (self.first.month - 1 + months) % 12 + 1, 1
        )

    @property
    def previous(self) -> date:
        """The first day of the span before it."""
        return Span.of(self.kind, self.first - timedelta(days=1)).first

    @property
    def name(self) -> str:
        if self.kind == "day":
            return date_format(self.first, "DATE_FORMAT")
        return f"{MONTHS[self.first.month]} {self.first.year}" if self.kind == "month" else str(self.first.year)

    @classmethod
    def of(cls, kind: Kind, day: date) -> Span:
        """The one in which a day lies."""
        return cls(kind, day.replace(month=1 if kind == "year" else day.month, day=day.day if kind == "day" else 1))


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table: a price period, or the subscription."""

    name: str
    mark: str
    energy: str
    price: str  # EUR per kWh, on average
    cost: str


@dataclass(frozen=True, slots=True)
class Row:
    """A day or month of a longer span."""

    name: str
    address: str
    energy: str
    cost: str
    note: str


@dataclass(frozen=True, slots=True)
class Bill:
    """Everything that a span's page says."""

    span: Span
    total: str
    is_whole: bool  # nothing of it is unknown
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    chart: Mapping[str, Any]  # for plot.js
    changes: tuple[tuple[date, str], ...]
    lacks: tuple[str, ...]
    foretold: Forecast | Silence | None
    may_foretell: bool  # the span goes on


def known_days(meter: Meter) -> tuple[date, date] | None:
    """The first and the last day of which an energy may be known."""
    span = loading.span(meter.pk)
    if span is None:
        return None
    zone = zone_of(meter.timezone)
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in (span[0], span[1] - 1))
    return first, last


def bill(meter: Meter, span: Span, today: date, known: tuple[date, date]) -> Bill:
    """Of those days of the span of which something may be known."""
    first, last = max(span.first, known[0]), min(span.last, known[1])
    whole = costs(meter, first, last)
    steps = costs_by(meter, first, last, "day" if span.kind == "month" else "month") if span.kind != "day" else ()
    names = period_names(meter)
    changes = tuple(_changes(meter, first, last))
    running = span.kind == "month" and span.first <= today <= span.last
    return Bill(
        span, euros(whole.known), whole.complete, tuple(_parts(whole, names)), tuple(_rows(steps, span, changes)),
        _chart(steps, span, names, zone_of(meter.timezone), changes), changes, tuple(_lacks(whole)),
        foretell(meter, span.first, span.last, today) if running else None, running,
    )  # fmt: skip


def _sorted(lines: tuple[Line, ...]) -> list[Line]:
    """Energy as on a bill, then the subscription, then what is not known."""
    last = {SUBSCRIPTION: 90, INJECTED: 95, UNKNOWN: 99}

    def order(line: Line) -> tuple[str, int, str]:
        return line.direction, last.get(line.period, place(line.period)), line.period

    return sorted(lines, key=order)


def _parts(found: Costs, names: Mapping[str, str]) -> Iterator[Part]:
    for line in _sorted(found.lines):
        if not line.wh and not line.amount and line.period not in (UNKNOWN, SUBSCRIPTION):
            continue  # an index that did not run
        per = abs(line.amount) * 1000 / line.wh if line.amount is not None and line.wh else None
        name = names.get(line.period, line.period)
        if line.direction == INJECTED and line.period != INJECTED:
            name = _("%(name)s (injected)") % {"name": name}
        yield Part(
            name, mark(line.period), "" if line.period == SUBSCRIPTION else energy(line.wh),
            "" if per is None else number(float(round(per, 4)), 4), euros(line.amount),
        )  # fmt: skip


def _wh(found: Costs) -> int | None:
    whs = [line.wh for line in found.lines if line.direction != INJECTED and line.period != SUBSCRIPTION]
    return None if not whs or None in whs else sum(wh for wh in whs if wh is not None)


def _rows(steps: tuple[Costs, ...], span: Span, changes: tuple[tuple[date, str], ...]) -> Iterator[Row]:
    inner: Kind = "day" if span.kind == "month" else "month"
    for step in steps:
        notes = [text for day, text in changes if step.first <= day <= step.last]
        if not step.complete:
            notes.append(_("not all of it is known"))
        yield Row(
            Span.of(inner, step.first).name, address(Span.of(inner, step.first)), energy(_wh(step)),
            euros(step.known if step.lines else None), "; ".join(notes),
        )  # fmt: skip


def address(span: Span) -> str:
    """Its part of an address."""
    length = {"day": 10, "month": 7, "year": 4}[span.kind]
    return f"{span.kind}={span.first.isoformat()[:length]}"


def _chart(
    steps: tuple[Costs, ...], span: Span, names: Mapping[str, str], zone: Any, changes: tuple[tuple[date, str], ...]
) -> dict[str, Any]:  # a zone; JSON
    def at(day: date) -> int:
        return int(datetime.combine(day, time(), zone).timestamp())

    inner: Kind = "day" if span.kind == "month" else "month"
    buckets = []
    for step in steps:
        one = Span.of(inner, step.first)
        changed = [text for day, text in changes if step.first <= day <= step.last]
        label = str(one.first.day) if inner == "day" else date_format(one.first, "M")
        buckets.append({
            "from": at(one.first), "to": at(one.next), "label": f"{label} ▲" if changed else label,
            "name": " · ".join([one.name, *changed]), "estimated": any(line.estimated for line in step.lines),
        })  # fmt: skip
    keys = {(line.direction, line.period): line for step in steps for line in step.lines if line.amount}
    layers = [
        {
            "name": names.get(key.period, key.period),
            "mark": mark(key.period),
            "below": key.direction == INJECTED,
            "values": [_of(step, key) for step in steps],
        }
        for key in _sorted(tuple(keys.values()))
    ]
    return {"unit": "€", "decimals": 2, "buckets": buckets, "layers": layers}


def _of(step: Costs, key: Line) -> float | None:
    found = [line.amount for line in step.lines if (line.direction, line.period) == (key.direction, key.period)]
    if not step.lines or None in found:
        return None
    return abs(float(round(sum((a for a in found if a is not None), Decimal()), 2)))


def _changes(meter: Meter, first: date, last: date) -> Iterator[tuple[date, str]]:
    """Days in the span on which a contract or its prices are other ones."""
    zone = zone_of(meter.timezone)
    begin, end = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    found = set()
    for contract in Contract.objects.filter(meter=meter).select_related("offer"):
        if begin < contract.start_date < end:
            found.add((contract.start_date.astimezone(zone).date(), _("new contract: %s") % contract.offer))
        low = max(begin, contract.start_date)
        high = end if contract.end_date is None else min(end, contract.end_date)
        rows: Any = TariffPrice.objects.filter(offer=contract.offer_id, power__in=(0, contract.power or 0), taxed=True)
        for start in rows.filter(start_date__gt=low, start_date__lt=high).values_list("start_date", flat=True):
            found.add((start.astimezone(zone).date(), _("new prices: %s") % contract.offer))
    yield from sorted(found)


def _lacks(found: Costs) -> Iterator[str]:
    for line in found.lines:
        if line.amount is None and line.period == UNKNOWN:
            if line.wh:
                yield _(
                    "Of %(energy)s no price is known: a contract, a price or the meaning of an index is missing."
                ) % {"energy": energy(line.wh)}
            else:
                yield _("Some hours were not heard, so what they drew is not counted.")
        elif line.amount is None:
            yield (
                _("The subscription is not known, of all days or some.")
                if line.period == SUBSCRIPTION
                else _("What %(period)s cost is not known.") % {"period": line.period}
            )
    if not found.complete and all(line.amount is not None for line in found.lines):
        yield _("Some days are not computed yet, or nothing is known of them.")
