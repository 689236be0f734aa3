"""The open alerts of some meters, while values are compared: opened, moved, raised, cleared and told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from storage.alerts.conditions import Change, Condition, Scalar, Standing, step
from storage.alerts.models import Alert, AlertRule
from storage.events import Event, Kind, tell
from storage.models import Meter


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

    def step(
        self, rule: AlertRule, condition: Condition, meter: Meter, at: datetime, value: Scalar | None,
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
            self._tell(Kind.ALERT_RAISED, alert, rule, meter, at, value)

    def close(self, alert: Alert, rule: AlertRule, meter: Meter, at: datetime, value: Scalar | None) -> None:
        """Clear what was raised, and tell; forget what was not."""
        key = alert.rule_id, alert.meter_id
        if alert.state != Alert.State.RAISED:
            self._drop(key, alert)
            return
        alert.state, alert.cleared, alert.seen = Alert.State.CLEARED, at, at
        alert.save()
        self._forget(key)
        self._tell(Kind.ALERT_CLEARED, alert, rule, meter, at, value)

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
        kind: Kind, alert: Alert, rule: AlertRule, meter: Meter, at: datetime, value: Scalar | None
    ) -> None:  # fmt: skip
        about = {"alert": alert.pk, "rule": rule.name, "value": value, "since": alert.since.isoformat()}
        tell(Event(kind, meter, at, about))


def _standing(alert: Alert) -> Standing:
    return Standing(
        alert.since, alert.seen, alert.value, alert.peak, alert.state == Alert.State.RAISED, alert.calm_since
    )
