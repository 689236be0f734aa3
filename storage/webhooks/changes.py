"""Changes of entities to messages: each row of history is one change, however it was made.

So `update()`, `bulk_create` and links changed from the other side are told like a save, and what has no history, such
as tables of many rows a minute, can never be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from simple_history.signals import post_create_historical_record

from storage.entities.history import Difference, Record
from storage.entities.registry import entity_models
from storage.webhooks.models import Change, Webhook
from storage.webhooks.outbox import active_webhooks, envelope, put


def choosable() -> list[str]:
    """The labels of the models that webhooks may choose; not their own, whose history holds secrets."""
    return sorted(model._meta.label_lower for model in entity_models() if model is not Webhook)


def connect() -> None:
    """Listen to the history of each of them."""
    for label in choosable():
        model: Any = apps.get_model(label)  # of entities, which have a history
        post_create_historical_record.connect(_changed, sender=model.history.model, dispatch_uid="webhooks")


def _changed(instance: Any, history_instance: Record, **_: Any) -> None:
    label = history_instance.instance_type._meta.label_lower
    webhooks = [webhook for webhook in active_webhooks() if label in webhook.types]
    if not webhooks:
        return
    differences = history_instance.differences()
    change = _kind(history_instance, differences)
    webhooks = [webhook for webhook in webhooks if change in webhook.events]
    if change is None or not webhooks:
        return
    message = envelope(
        change,
        _data(instance),
        subject=instance,
        previous={found.field: found.old for found in differences},
        current={found.field: found.new for found in differences},
    )
    put(webhooks, change, message)


def _kind(record: Record, differences: Sequence[Difference]) -> Change | None:
    """None: a save that changed nothing."""
    if record.history_type == "-":
        return Change.DELETED
    if record.restored_from is not None:
        return Change.RESTORED
    if record.history_type == "+":
        return Change.CREATED
    many = {field.name for field in record._history_m2m_fields}
    if not differences:
        return None
    return Change.M2M if all(found.field in many for found in differences) else Change.UPDATED


def _data(instance: Any) -> Any:
    own = getattr(instance, "get_webhook_data", None)
    return own() if own is not None else instance.to_dict(**settings.NOTIFY_OPTIONS)
