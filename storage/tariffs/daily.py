"""Costs of days in the database: what is marked is computed again, and asked for by range."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.db import transaction

from storage.buckets import HOUR, ceiling, midnights, zone_of
from storage.models import Data, Meter
from storage.tariffs import loading, plans
from storage.tariffs.calendars import Facts, by_rules
from storage.tariffs.costs import UNKNOWN, Bucket, Day, Known, Row, Told, price_day
from storage.tariffs.learning import learn
from storage.tariffs.models import DayCost, DirtyDays
from storage.tariffs.observing import observe
from storage.turns import alone

_DAYS: Final = 31  # of one transaction: a writer of readings waits no longer than these take
_READINGS: Final = 20_000  # whose labels are looked at in one transaction; if there are more, it takes a day


def reckon() -> Iterator[int]:
    """Bring the costs up to date; yields after each transaction how many days it computed."""
    for pk in list(DirtyDays.objects.values_list("meter_id", flat=True)):
        while days := _turn(pk):
            yield days


@transaction.atomic
def _turn(pk: int) -> int:
    """Work off the oldest marked days of a meter; how many."""
    if not alone(pk):
        return 0
    mark = DirtyDays.objects.select_for_update().filter(meter=pk).first()
    if mark is None:
        return 0
    span = loading.span(pk)
    first, end = _bounds(mark, span)
    if first >= end:
        mark.delete()
        return 0
    meter = Meter.objects.get(pk=pk)
    where = zone_of(meter.timezone)
    days = midnights(first, min(end, first + _DAYS * 86_400), where)
    if _are_many(pk, first, days[-1]):
        days = midnights(first, min(end, first + 86_400), where)
    learn(pk, loading.moment(first), loading.moment(days[-1]))
    facts = Facts(where, loading.known(pk), plans.slots(pk), lambda hour: plans.pieces(pk, hour))
    hours = loading.hours(pk, days[0], days[-1])  # whole days, though a mark may begin in the middle of one
    observe(meter, hours, facts)
    marked = mark.first, mark.last
    mark.refresh_from_db()
    if (mark.first, mark.last) != marked:
        return 1  # what was learned marks as well: begin again
    _write(pk, days, hours, facts, end if span is None else span[1])
    mark.first = loading.moment(days[-1])
    if days[-1] >= end:
        mark.delete()
    else:
        mark.save(update_fields=["first"])
    return len(days) - 1


def _are_many(pk: int, start: int, end: int) -> bool:
    rows = Data.objects.filter(meter=pk, dateTime__gte=loading.moment(start), dateTime__lt=loading.moment(end))
    return rows.order_by("dateTime")[_READINGS : _READINGS + 1].exists()


def _bounds(mark: DirtyDays, span: tuple[int, int] | None) -> tuple[int, int]:
    if span is None:
        return 0, 0
    first, last = int(mark.first.timestamp()), span[1] if mark.last is None else int(mark.last.timestamp())
    return max(first, span[0]), min(last, span[1])


def _write(pk: int, edges: list[int], hours: list[Bucket], facts: Facts, heard_until: int) -> None:
    told = by_rules(plans.own_plans(pk), facts)
    whole = {bucket.start: bucket for bucket in loading.days(pk, edges[0], edges[-1])}
    there = DayCost.objects.filter(
        meter=pk, day__gte=loading.moment(edges[0]), day__lt=loading.moment(edges[-1])
    ).order_by("day", "direction", "period")
    stored = {day: list(rows) for day, rows in groupby(there, key=lambda row: int(row.day.timestamp()))}
    for start, end in pairwise(edges):
        mine = [bucket for bucket in hours if start <= bucket.start < end]
        rows = _priced(
            Day(start, end, _of_year(start, facts.zone)), mine, whole.get(start), facts.known, told, heard_until
        )
        old = stored.get(start, [])
        if rows != [Row(row.direction, row.period, row.wh, row.amount, row.estimated) for row in old]:
            DayCost.objects.filter(pk__in=[row.pk for row in old]).delete()
            DayCost.objects.bulk_create(
                DayCost(
                    meter_id=pk, day=loading.moment(start), direction=row.direction, period=row.period, wh=row.wh,
                    amount=row.amount, estimated=row.estimated,
                )
                for row in rows
            )  # fmt: skip


def _of_year(start: int, where: ZoneInfo) -> int:
    return 366 if isleap(datetime.fromtimestamp(start, UTC).astimezone(where).year) else 365


def _priced(
    day: Day, hours: list[Bucket], whole: Bucket | None, known: Known, told: Told, heard_until: int
) -> list[Row]:
    if whole is not None and not loading.starts(hours):
        return price_day(day, [replace(whole, end=day.end)], known, told=told)
    due = set(range(ceiling(day.start, HOUR), min(day.end, heard_until), HOUR))  # of what is to come nothing is missing
    return price_day(day, hours, known, lacks=not due <= loading.starts(hours), told=told)


# --- questions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A price period over some days, or the subscription (an empty period). None: not known, or not all of it."""

    direction: str
    period: str
    wh: int | None
    amount: Decimal | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """What some days cost, first and last included."""

    first: date
    last: date
    lines: tuple[Line, ...]
    known: Decimal  # the sum of what is known; what is injected is taken off
    complete: bool  # each day was computed, and nothing of it is unknown

    @property
    def total(self) -> Decimal | None:
        """None unless it is complete."""
        return self.known if self.complete else None


def costs(meter: Meter, first_day: date, last_day: date) -> Costs:
    """Everything between two days, both included."""
    found = _stored(meter, first_day, last_day)
    return _sum(first_day, last_day, [row for _, row in found], {day for day, _ in found})


def costs_by(meter: Meter, first_day: date, last_day: date, step: Literal["day", "month"]) -> tuple[Costs, ...]:
    """The same for each day or calendar month of the range that it touches; the first and last may be cut short."""
    found = {day: list(rows) for day, rows in groupby(_stored(meter, first_day, last_day), key=lambda one: one[0])}
    answers = []
    first = first_day
    while first <= last_day:
        last = first if step == "day" else min(last_day, _month_end(first))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        rows = [row for day in days for _, row in found.get(day, ())]
        answers.append(_sum(first, last, rows, found.keys() & days))
        first = last + timedelta(days=1)
    return tuple(answers)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _stored(meter: Meter, first: date, last: date) -> list[tuple[date, Row]]:
    where = zone_of(meter.timezone)
    start, end = (datetime.combine(day, time(), where) for day in (first, last + timedelta(days=1)))
    rows = DayCost.objects.filter(meter=meter, day__gte=start, day__lt=end).order_by("day")
    names = ("day", "direction", "period", "wh", "amount", "estimated")
    return [(day.astimezone(where).date(), Row(*row)) for day, *row in rows.values_list(*names)]


def _sum(first: date, last: date, rows: Iterable[Row], days: Collection[date]) -> Costs:
    rows = sorted(rows, key=lambda row: (row.direction, row.period))
    lines = tuple(_line(key, list(same)) for key, same in groupby(rows, key=lambda row: (row.direction, row.period)))
    known = sum((row.amount for row in rows if row.amount is not None), Decimal())
    there = len(days) == (last - first).days + 1
    return Costs(first, last, lines, known, there and all(line.amount is not None for line in lines))


def _line(key: tuple[str, str], rows: list[Row]) -> Line:
    """Sums in Python: SQLite would add decimals as floating-point numbers."""
    whs, amounts = [row.wh for row in rows], [row.amount for row in rows]
    return Line(
        *key,
        wh=None if None in whs else sum(wh for wh in whs if wh is not None),
        amount=None if None in amounts else sum((a for a in amounts if a is not None), Decimal()),
        estimated=any(row.estimated for row in rows),
    )


__all__ = ["UNKNOWN", "Costs", "Line", "costs", "costs_by", "reckon"]
