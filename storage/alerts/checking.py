"""Rules that the clock decides, not a single reading: silence, production, standby, cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from storage.alerts.book import Book
from storage.alerts.conditions import Scalar
from storage.alerts.deliveries import forget_old
from storage.alerts.meanings import AMOUNTS, OF_READINGS, Kind, number_of
from storage.alerts.models import Alert, AlertRule, Place
from storage.alerts.watching import lock, usable
from storage.buckets import zone_of
from storage.events import Event, tell
from storage.events import Kind as EventKind
from storage.models import Meter, Register, Rollup
from storage.queries.index import index_at
from storage.queries.profile import standby
from storage.tariffs.daily import costs

SILENT: Final = 300.0  # seconds after which an event says that a meter is silent
_RETIRED: Final = timedelta(days=7)  # a meter that was silent for so long is in use no more
_SLOW_EVERY: Final = 300.0  # seconds between two looks at what changes by the hour
_PRODUCES: Final = timedelta(days=30)  # a meter that injected nothing in this time has no panels


@dataclass(slots=True)
class _Heard:
    """How much news of a meter there was, and when that was seen to rise; at first, when we began to look."""

    count: int
    at: float
    has_risen: bool = False


class Checks:
    """Of one process. Silence is counted by its own monotonic clock, from its start: neither a restart nor a clock
    that is set makes a meter silent."""

    def __init__(
        self, *, clock: Callable[[], float] = monotonic, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._clock = clock
        self._now = now
        self._heard: dict[int, _Heard] = {}  # by meter
        self._slow_due = clock()

    def run(self) -> Iterator[int]:
        """All that is due; yields after each transaction."""
        rules = usable(AlertRule.objects.filter(enabled=True).exclude(kind__in=OF_READINGS))
        is_slow = self._clock() >= self._slow_due
        if is_slow:
            self._slow_due = self._clock() + _SLOW_EVERY
            yield from forget_old()
        yield from self._close_orphans()
        for place in list(Place.objects.select_related("meter").order_by("meter")):
            silence = self._silence(place)
            mine = [rule for rule in rules if rule.meter_id in (None, place.meter_id)]
            if not is_slow:
                mine = [rule for rule in mine if rule.kind == Kind.SILENT]
            found = [(rule, value) for rule in mine if (value := self._value(rule, place, silence)) is not None]
            if found or (silence >= SILENT and not place.is_silent):
                yield self._apply(place.meter_id, found, silence)

    def _silence(self, place: Place) -> float:
        """Seconds since we last saw that there was news of a meter."""
        heard = self._heard.setdefault(place.meter_id, _Heard(place.heard, self._clock()))
        if heard.count != place.heard:
            heard.count, heard.at, heard.has_risen = place.heard, self._clock(), True
        return self._clock() - heard.at

    def _value(self, rule: AlertRule, place: Place, silence: float) -> Scalar | None:
        """What the rule compares; None: nothing can be said now, and the alert stays as it is."""
        if rule.kind == Kind.SILENT:
            minutes = int(silence // 60)
            if minutes < number_of(rule.value):
                return minutes if self._heard[place.meter_id].has_risen else None  # it may be silent since long before
            is_retired = place.at is None or self._now() - place.at > _RETIRED
            return None if is_retired else minutes
        if rule.kind == Kind.PRODUCTION:
            hour = number_of(rule.value) if rule.value else AMOUNTS[Kind.PRODUCTION].default
            return injected_today(place.meter, self._now(), int(hour or 0))
        if rule.kind == Kind.STANDBY:
            found = standby(place.meter, self._today(place.meter))
            return None if found is None else round(found.power)
        today = self._today(place.meter)
        return float(round(costs(place.meter, today, today).known, 2))

    def _today(self, meter: Meter) -> date:
        return self._now().astimezone(zone_of(meter.timezone)).date()

    @transaction.atomic
    def _apply(self, pk: int, found: list[tuple[AlertRule, Scalar]], silence: float) -> int:
        (place,) = lock([pk])
        if place.heard != self._heard[pk].count:
            return 0  # it was heard a moment ago
        now = self._now()
        book = Book.of([pk], [rule for rule, _ in found])
        for rule, value in found:
            began = now - timedelta(seconds=silence) if rule.kind == Kind.SILENT else None
            book.step(rule, rule.condition, place.meter, now, value, began)
        book.save()
        if silence >= SILENT and not place.is_silent:
            place.is_silent = True
            place.save(update_fields=["is_silent"])
            tell(Event(EventKind.METER_SILENT, place.meter, now, {"minutes": int(silence // 60)}))
        return 1

    def _close_orphans(self) -> Iterator[int]:
        """Alerts of rules that their owner disabled, or turned to something else."""
        is_other = Q(rule__enabled=False) | (Q(rule__meter__isnull=False) & ~Q(rule__meter=F("meter")))
        for alert in list(Alert.objects.filter(is_other, cleared__isnull=True)):
            yield self._close(alert)

    @transaction.atomic
    def _close(self, alert: Alert) -> int:
        lock([alert.meter_id])
        found = Alert.objects.select_related("rule", "meter").filter(pk=alert.pk, cleared__isnull=True).first()
        if found is not None:
            Book([found]).close(found, found.rule, found.meter, self._now(), None)
        return 1


def injected_today(meter: Meter, now: datetime, hour: int) -> int | None:
    """Wh that a meter injected since its midnight.

    None: it does not produce (nothing in thirty days), or it is not `hour` o'clock yet and nothing came, or it was not
    heard since then. What was injected at any hour of the day counts at once.
    """
    zone = zone_of(meter.timezone)
    local = now.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), zone)
    register = Register.objects.filter(meter=meter, name="eait").first()
    if register is None or register.at < midnight:
        return None
    before = index_at(meter, midnight).injected
    injected = max(0, register.value - before.value) if before is not None else 0
    if injected:
        return injected
    due = datetime.combine(local.date(), time(hour), zone)
    is_known = before is not None and due <= register.at
    return 0 if is_known and _produces(meter, midnight) else None


def _produces(meter: Meter, midnight: datetime) -> bool:
    days = Rollup.objects.filter(meter=meter, step=Rollup.Step.DAY, start__gte=midnight - _PRODUCES, start__lt=midnight)
    return days.filter(eait__gt=0).exists()
