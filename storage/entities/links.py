"""What a deletion does to others: whose links it empties is written down, so that a restore can link them again."""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from simple_history.signals import pre_create_historical_record

from storage.entities.bases import Entity
from storage.entities.history import Record, remember

# Since Django 6.1 the database itself may empty a link.
_EMPTYING: Final = tuple(getattr(models, name) for name in ("SET_NULL", "DB_SET_NULL") if hasattr(models, name))


def connect() -> None:
    """Listen to each model of entities, and to no other: a listener makes Django load all that it deletes."""
    for model in apps.get_models():
        if issubclass(model, Entity):
            pre_delete.connect(_note_links, sender=model, dispatch_uid="entities")
            post_delete.connect(_tell_linked, sender=model, dispatch_uid="entities")
            pre_create_historical_record.connect(_mark_record, sender=model.history.model, dispatch_uid="entities")


def _note_links(instance: Any, using: str, **_: Any) -> None:
    found = {}
    for relation in instance._meta.get_fields(include_hidden=True):  # hidden: related_name="+"
        if getattr(relation, "on_delete", None) in _EMPTYING and relation.auto_created:
            field = relation.field
            target = getattr(instance, field.target_field.attname)
            rows = relation.related_model._base_manager.using(using).filter(**{field.name: target})
            keys = list(rows.order_by("pk").values_list("pk", flat=True))
            if keys:
                found[f"{relation.related_model._meta.label}.{field.name}"] = keys
    instance._unlinked = found or None


def _tell_linked(instance: Any, using: str, **_: Any) -> None:
    """Entities that lost a link get a row of history: Django empties links without a signal."""
    for path, keys in (instance.__dict__.pop("_unlinked", None) or {}).items():
        label, _dot, name = path.rpartition(".")
        model = apps.get_model(label)
        if not issubclass(model, Entity):
            continue
        for entity in model._base_manager.using(using).filter(pk__in=keys):
            if getattr(entity.history.first(), f"{name}_id", None) is not None:  # else it was written already
                remember(entity, "~")


def _mark_record(instance: Any, history_instance: Record, **_: Any) -> None:
    history_instance.restored_from = getattr(instance, "_restored_from", None)
    if history_instance.history_type == "-":
        history_instance.unlinked = getattr(instance, "_unlinked", None)
