"""What stands at the alerts: questions of whoever shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet

from storage.alerts.models import Alert, AlertRule, Delivery


def raised() -> QuerySet[Alert]:
    """Those that go on, newest first."""
    rows = Alert.objects.filter(cleared__isnull=True, state=Alert.State.RAISED)
    return rows.select_related("rule", "meter").order_by("-raised", "-pk")


def over() -> QuerySet[Alert]:
    """Those that are over, newest first."""
    return Alert.objects.filter(cleared__isnull=False).select_related("rule", "meter").order_by("-cleared", "-pk")


def rules() -> Sequence[Any]:  # rules, with `raised_now`
    """Every rule by name, with the alerts of it that go on."""
    rows = AlertRule.objects.select_related("meter").order_by("name")
    return list(rows.prefetch_related(Prefetch("alerts", raised(), to_attr="raised_now")))


def deliveries(count: int) -> list[Delivery]:
    """The newest messages."""
    return list(Delivery.objects.select_related("alert__rule", "alert__meter").order_by("-pk")[:count])
