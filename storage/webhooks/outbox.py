"""What is to be told goes here, in the transaction of what happened: rolled back with it, and never lost after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from storage.entities.dictionaries import plain
from storage.webhooks.models import Delivery, Webhook


def emit(
    event: str, data: Mapping[str, Any], *, subject: models.Model | None = None, at: datetime | None = None
) -> int:
    """Tell of something that happened to whoever chose that event; how many will be told.

    `subject` is what it happened to. Nothing is sent here: the rows wait for the courier.
    """
    webhooks = [webhook for webhook in active_webhooks() if event in webhook.events]
    if webhooks:
        put(webhooks, event, envelope(event, data, subject=subject, at=at))
    return len(webhooks)


def active_webhooks() -> list[Webhook]:
    """Those that are told something; none while NOTIFY_CHANGES is off."""
    return list(Webhook.objects.filter(is_active=True).order_by("pk")) if settings.NOTIFY_CHANGES else []


def envelope(
    status: str,
    data: Any,
    *,
    subject: models.Model | None = None,
    previous: Mapping[str, Any] | None = None,
    current: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """The message: what, when, about what, what changed, and how it is now; all of it as JSON knows it."""
    uuid = getattr(subject, "uuid", None)
    return {
        "id": str(uuid4()),
        "date": (at or timezone.now()).isoformat(),
        "meta": {
            "type": subject._meta.label_lower if subject is not None else None,
            "id": plain(subject.pk) if subject is not None else None,
            "uuid": str(uuid) if uuid is not None else None,
            "status": status,
        },
        "changes": {"previous": plain(previous or {}), "current": plain(current or {})},
        "data": plain(data),
    }


def put(webhooks: list[Webhook], event: str, message: dict[str, Any]) -> None:
    """A row for each webhook, under one number."""
    Delivery.objects.bulk_create(
        Delivery(webhook=webhook, event_id=message["id"], event=event, payload=message) for webhook in webhooks
    )


def told_of(events: Collection[str]) -> list[Webhook]:
    """The webhooks that are told of some of these events."""
    return [webhook for webhook in active_webhooks() if not set(events).isdisjoint(webhook.events)]


def newest_of(events: Collection[str], count: int) -> list[Delivery]:
    """The newest messages about these events."""
    rows = Delivery.objects.filter(event__in=events).select_related("webhook")
    return list(rows.order_by("-pk")[:count])
