"""Stored readings to events and alerts: each batch in one transaction, behind the one that stored it.

A meter's row of `Place` is locked meanwhile, so that several workers of one database take turns, and remembers up to
which reading was looked at. Killed before the commit nothing was said, and the next reading is compared with the same.

News is what is at most an hour old and not older than what was looked at already. Anything else is only learned from:
it tells no event, and neither raises nor clears. A reading from more than an hour ahead is a wrong clock: it is not
looked at. One that is no replay and lies more than two minutes behind tells that the clock was set back: it is news.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import django.db
from django.db import connection, transaction

from storage.alerts.book import Book
from storage.alerts.meanings import OF_READINGS, TRIP_FIELD, Absent, Kind, value_in
from storage.alerts.models import AlertRule, Place
from storage.events import Event, Memory, tell
from storage.ingest import Stored

log = logging.getLogger("ticbridge.alerts")

_OLD: Final = timedelta(hours=1)
_DISORDER: Final = timedelta(minutes=2)
_LOOKED_AT: Final = ("at", "heard", "is_silent", "memory")
_ROWS: Final = 5000  # of one statement: SQLite takes 32 766 parameters


class Watcher:
    """Looks at what was stored. Whatever fails here never keeps a reading from being stored."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._said = ""

    def take(self, readings: Sequence[Stored]) -> None:
        """Look at the readings of a batch, which are committed."""
        if not readings:
            return
        try:
            with transaction.atomic():
                look(readings, self._now())
            self._said = ""
        except django.db.Error as error:
            if str(error) != self._said:
                self._said = str(error)
                log.error("Alerts could not be looked at (%s); they are with the next readings", self._said.strip())
            connection.close()
        except Exception:
            log.exception("Alerts could not be looked at")
            connection.close()


def look(readings: Iterable[Stored], now: datetime) -> None:
    """In the caller's transaction."""
    by_meter: dict[int, list[Stored]] = {}
    for reading in readings:
        by_meter.setdefault(reading.meter, []).append(reading)
    places = lock(by_meter)
    rules = usable(AlertRule.objects.filter(enabled=True, kind__in=OF_READINGS))
    alerts = Book.of(by_meter, rules) if rules else None
    for place in places:
        _look_at(place, by_meter[place.meter_id], rules, alerts, now)
    for start in range(0, len(places), _ROWS):
        _write(places[start : start + _ROWS])
    if alerts is not None:
        alerts.save()


def _write(places: Sequence[Place]) -> None:
    """One statement for all meters. Their rows are there: INSERT, since it knows what type each value has to become.

    `bulk_create` hands PostgreSQL arrays, whose texts Python escapes: that took a third of all that a reading takes.
    """
    fields = Place._meta.concrete_fields
    row = f"({', '.join(['%s'] * len(fields))})"
    statement = (
        f"INSERT INTO {Place._meta.db_table} ({', '.join(str(field.column) for field in fields)}) "  # noqa: S608  names only
        f"VALUES {', '.join([row] * len(places))} ON CONFLICT (meter_id) DO UPDATE SET "
        f"{', '.join(f'{name} = excluded.{name}' for name in _LOOKED_AT)}"
    )
    values = [field.get_db_prep_save(getattr(place, field.attname), connection) for place in places for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def usable(rules: Iterable[AlertRule]) -> list[AlertRule]:
    """Without those that no form let through; the administration shows them."""
    return [rule for rule in rules if not rule.problems]


def lock(meters: Iterable[int]) -> list[Place]:
    """The places of meters, made at first sight, and nobody else's until the transaction ends."""
    wanted = sorted(meters)
    there = Place.objects.select_for_update(of=("self",)).select_related("meter").filter(meter__in=wanted)
    found = list(there.order_by("meter"))
    if len(found) < len(wanted):
        known = {place.meter_id for place in found}
        new = [Place(meter_id=pk) for pk in wanted if pk not in known]
        Place.objects.bulk_create(new, ignore_conflicts=True)  # nothing in it can be refused
        found = list(there.order_by("meter"))
    return found


def _look_at(place: Place, readings: list[Stored], rules: list[AlertRule], alerts: Book | None, now: datetime) -> None:
    memory = Memory(place.memory)
    mine = [(rule, rule.condition) for rule in rules if rule.meter_id in (None, place.meter_id)]
    for reading in sorted(readings, key=lambda one: one.columns["dateTime"]):
        at = reading.columns["dateTime"]
        if at > now + _OLD or not _is_next(place, reading, at, now):
            continue
        happened = memory.take(reading, place.meter.timezone)
        place.at = at
        if now - at > _OLD:
            continue
        place.heard += 1
        place.is_silent = False
        for kind, attributes in happened:
            tell(Event(kind, place.meter, at, attributes))
        if alerts is not None:
            for rule, condition in mine:
                value = _watched(rule, reading)
                if value is not Absent:
                    alerts.step(rule, condition, place.meter, at, value)
    place.memory = memory.keep()


def _is_next(place: Place, reading: Stored, at: datetime, now: datetime) -> bool:
    """Whether it is not older than what was looked at; a mark that lies ahead of us was made by a wrong clock."""
    if place.at is None or at >= place.at or place.at > now + _DISORDER:
        return True
    return not reading.envelope.replay and place.at - at > _DISORDER


def _watched(rule: AlertRule, reading: Stored) -> Any:  # any JSON value, or `Absent`
    slug = TRIP_FIELD if rule.kind == Kind.TRIP else rule.field
    value = value_in(slug, reading.columns, reading.envelope.values, reading.envelope.derived)
    if value is Absent or value is None or isinstance(value, bool | int | float | str):
        return value
    return Absent
