"""Any entity by its uuid, without knowing its model."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.apps import apps

from storage.entities.bases import Entity


@dataclass(frozen=True, slots=True)
class Found:
    """An entity with its model; of one that is deleted, the last state, not saved."""

    model: type[Entity]
    entity: Entity
    is_deleted: bool


def entity_models() -> list[type[Entity]]:
    """Every model of entities: Django's own registry knows them, so no list of ours goes stale."""
    return [model for model in apps.get_models() if issubclass(model, Entity)]


def find_by_uuid(uuid: UUID | str) -> Found | None:
    """The entity with this uuid, of whatever model; deleted ones are found in history. None: there never was one."""
    try:
        wanted = uuid if isinstance(uuid, UUID) else UUID(uuid)
    except ValueError:
        return None
    for model in entity_models():
        entity = model._base_manager.filter(uuid=wanted).first()
        if entity is not None:
            return Found(model, entity, is_deleted=False)
    for model in entity_models():
        record = model.history.filter(uuid=wanted).order_by("-history_id").first()
        if record is not None:
            return Found(model, record.instance, is_deleted=True)
    return None
