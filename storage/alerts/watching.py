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

from storage.alerts.conditions import Change, Scalar, Standing, step
from storage.alerts.meanings import OF_READINGS, TRIP_FIELD, Absent, Kind, value_in
from storage.alerts.models import Alert, AlertRule, Place
from storage.events import Event, Memory, tell
from storage.events import Kind as EventKind
from storage.ingest import Stored
from storage.models import Meter

log = logging.getLogger("ticbridge.alerts")

_OLD: Final = timedelta(hours=1)
_DISORDER: Final = timedelta(minutes=2)
_AGAIN: Final = 3  # tries when another worker makes the same row


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
        place.save(update_fields=["at", "heard", "is_silent", "memory"])
    if alerts is not None:
        alerts.save()


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


class Book:
    """The open alerts of some meters while they are looked at; `save` writes what became of them."""

    def __init__(self, alerts: Iterable[Alert]) -> None:
        self._open = {(alert.rule_id, alert.meter_id): alert for alert in alerts}
        self._moved: dict[tuple[int, int], Alert] = {}

    @classmethod
    def of(cls, meters: Iterable[int], rules: Iterable[AlertRule]) -> Book:
        """Those of rules at meters, whose places are locked."""
        rows = Alert.objects.filter(cleared__isnull=True, meter__in=list(meters), rule__in=[rule.pk for rule in rules])
        return cls(rows)

    def is_open(self, rule: AlertRule, meter: Meter) -> bool:
        """Whether it was raised and not cleared."""
        alert = self._open.get((rule.pk, meter.pk))
        return alert is not None and alert.state == Alert.State.RAISED

    def step(
        self, rule: AlertRule, condition: Any, meter: Meter, at: datetime, value: Scalar | None,
        began: datetime | None = None,
    ) -> None:  # fmt: skip
        """A value of a rule at a meter: open, move, raise or clear its alert, and tell."""
        key = rule.pk, meter.pk
        alert = self._open.get(key)
        if alert is None and not condition.begins(value):
            return
        if alert is not None and alert.subject != rule.subject:
            self.close(alert, rule, meter, at, None)
            alert = None
        standing, change = step(condition, None if alert is None else _standing(alert), at, value, began)
        if standing is None:
            if change is Change.CLEARED and alert is not None:
                self.close(alert, rule, meter, at, value)
            elif alert is not None:
                self._drop(key, alert)
            return
        if alert is None:
            alert = self._open[key] = Alert(rule=rule, meter=meter, subject=rule.subject)
        alert.since, alert.seen, alert.calm_since = standing.since, standing.seen, standing.calm_since
        alert.value, alert.peak = standing.value, standing.peak
        self._moved[key] = alert
        if change is Change.RAISED:
            alert.state, alert.raised = Alert.State.RAISED, at
            alert.save()
            self._tell(EventKind.ALERT_RAISED, alert, rule, meter, at, value)

    def close(self, alert: Alert, rule: AlertRule, meter: Meter, at: datetime, value: Scalar | None) -> None:
        """Clear what was raised, and tell; forget what was not."""
        key = alert.rule_id, alert.meter_id
        if alert.state != Alert.State.RAISED:
            self._drop(key, alert)
            return
        alert.state, alert.cleared, alert.seen = Alert.State.CLEARED, at, at
        alert.save()
        self._forget(key)
        self._tell(EventKind.ALERT_CLEARED, alert, rule, meter, at, value)

    def save(self) -> None:
        """Write what moved and was not told."""
        for alert in self._moved.values():
            moved = None if alert.pk is None else ["since", "seen", "calm_since", "value", "peak"]
            alert.save(update_fields=moved)

    def _drop(self, key: tuple[int, int], alert: Alert) -> None:
        self._forget(key)
        if alert.pk is not None:
            alert.delete()

    def _forget(self, key: tuple[int, int]) -> None:
        self._open.pop(key, None)
        self._moved.pop(key, None)

    @staticmethod
    def _tell(
        kind: EventKind, alert: Alert, rule: AlertRule, meter: Meter, at: datetime, value: Scalar | None
    ) -> None:  # fmt: skip
        about = {"alert": alert.pk, "rule": rule.name, "value": value, "since": alert.since.isoformat()}
        tell(Event(kind, meter, at, about))


def _standing(alert: Alert) -> Standing:
    return Standing(
        alert.since, alert.seen, alert.value, alert.peak, alert.state == Alert.State.RAISED, alert.calm_since
    )
