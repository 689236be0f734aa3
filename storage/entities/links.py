"""What a deletion does to others: whose links it empties is written down, so that a restore can link them again."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import pre_delete
from simple_history.signals import pre_create_historical_record

from storage.entities.bases import Entity
from storage.entities.history import Record


def connect() -> None:
    """Listen to each model of entities, and to no other: a listener makes Django load all that it deletes."""
    for model in apps.get_models():
        if issubclass(model, Entity):
            pre_delete.connect(_note_links, sender=model, dispatch_uid="entities")
            pre_create_historical_record.connect(_mark_record, sender=model.history.model, dispatch_uid="entities")


def _note_links(instance: Any, using: str, **_: Any) -> None:
    """Django then empties them through `EntityQuerySet.update`, so that they are in history too."""
    found = {}
    for relation in instance._meta.get_fields(include_hidden=True):  # hidden: related_name="+"
        if getattr(relation, "on_delete", None) is models.SET_NULL and relation.auto_created:
            field = relation.field
            target = getattr(instance, field.target_field.attname)
            rows = relation.related_model._base_manager.using(using).filter(**{field.name: target})
            keys = list(rows.order_by("pk").values_list("pk", flat=True))
            if keys:
                found[f"{relation.related_model._meta.label}.{field.name}"] = keys
    instance._unlinked = found or None


def _mark_record(instance: Any, history_instance: Record, **_: Any) -> None:
    history_instance.restored_from = getattr(instance, "_restored_from", None)
    if history_instance.history_type == "-":
        history_instance.unlinked = getattr(instance, "_unlinked", None)
