"""What stands at the alerts: questions of whoever shows them, and sees some meters or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet

from storage.alerts.models import Alert, AlertRule, Delivery
from storage.rights import Rights


def raised(rights: Rights) -> QuerySet[Alert]:
    """Those that go on, newest first."""
    rows = rights.of(Alert.objects.filter(cleared__isnull=True, state=Alert.State.RAISED))
    return rows.select_related("rule", "meter").order_by("-raised", "-pk")


def over(rights: Rights) -> QuerySet[Alert]:
    """Those that are over, newest first."""
    return (
        rights.of(Alert.objects.filter(cleared__isnull=False))
        .select_related("rule", "meter")
        .order_by("-cleared", "-pk")
    )


def rules(rights: Rights) -> Sequence[Any]:  # rules, with `raised_now`
    """Every rule by name, with the alerts of it that go on."""
    rows = rights.of(AlertRule.objects.select_related("meter").order_by("name"))
    return list(rows.prefetch_related(Prefetch("alerts", raised(rights), to_attr="raised_now")))


def deliveries(count: int, rights: Rights) -> list[Delivery]:
    """The newest messages."""
    rows = rights.of(Delivery.objects.select_related("alert__rule", "alert__meter"))
    return list(rows.order_by("-pk")[:count])
