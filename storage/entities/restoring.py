"""The way back: from a row of history to the entity, and from a restore to what was before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from storage.entities.acting import acting, current_user
from storage.entities.history import BOOKKEEPING, Record, remember

if TYPE_CHECKING:
    from storage.entities.bases import Entity


def restore(
    record: Record, *, fields: Iterable[str] | None = None, user: Any = None, reason: str | None = None
) -> Entity:
    """See `Record.restore`."""
    model = record.instance_type
    with acting(user, reason), transaction.atomic():
        living = model._base_manager.select_for_update().filter(pk=record.entity_pk).first()
        if living is None and fields is not None:
            raise ValidationError(_("It is deleted: restore it as a whole first."))
        entity = record.instance if living is None else living
        names = _names(record, fields)
        for field in record.tracked_fields:
            if field.name in names:
                setattr(entity, field.attname, _reachable(field, getattr(record, field.attname)))
        user_field = model._meta.get_field("current_user")
        entity.current_user_id = getattr(current_user(), "pk", None) or _reachable(user_field, entity.current_user_id)
        entity.validate_unique()
        entity.validate_constraints()
        _write(entity, record, names, is_new=living is None)
    return entity


def roll_back(record: Record, *, user: Any = None, reason: str | None = None) -> Entity | None:
    """See `Record.restore`. Only what the restore changed goes back: what was edited since in other fields stays."""
    is_restore = record.restored_from is not None
    done: Any = record if is_restore else record.siblings().filter(restored_from=record.history_id).first()
    before = None if done is None else done.previous()
    if before is None:
        raise ValidationError(_("Nothing was restored from this version: there is nothing to undo."))
    if before.history_type != "-":
        changed = None if done.history_type == "-" else [found.field for found in done.differences()]
        return restore(before, fields=changed, user=user, reason=reason)
    entity = record.instance_type._base_manager.filter(pk=record.entity_pk).first()
    if entity is not None:
        entity._restored_from = before.history_id
        with acting(user, reason):
            entity.delete(force=True)
    return None


def _names(record: Record, fields: Iterable[str] | None) -> set[str]:
    own = {field.name for field in record.tracked_fields if not field.primary_key}
    own -= BOOKKEEPING | record.instance_type.bookkeeping
    own |= {field.name for field in record._history_m2m_fields}
    if fields is None:
        return own
    wanted = set(fields)
    if unknown := wanted - own:
        raise ValueError(f"fields={sorted(unknown)} cannot be restored: expected some of {', '.join(sorted(own))}")
    return wanted


def _reachable(field: models.Field[Any, Any], key: Any) -> Any:
    """A value of history; a key whose object is gone becomes empty where it may."""
    if not isinstance(field, models.ForeignKey) or key is None:
        return key
    related = field.related_model
    if related._base_manager.filter(**{field.target_field.attname: key}).exists():
        return key
    if field.null:
        return None
    raise ValidationError(
        _("“%(field)s” was %(model)s %(key)s, which is deleted: restore that first."),
        params={"field": field.verbose_name, "model": related._meta.verbose_name, "key": key},
    )


def _write(entity: Entity, record: Record, names: set[str], *, is_new: bool) -> None:
    """The entity, its links to many and the links to it, under one row of history."""
    entity.skip_history_when_saving = True  # simple-history's mark
    try:
        models.Model.save(entity, force_insert=is_new, force_update=not is_new)
        for field in record._history_m2m_fields:
            if field.name in names:
                keys = record.links(field.name)
                getattr(entity, field.name).set(field.related_model._base_manager.filter(pk__in=keys))
    finally:
        del entity.skip_history_when_saving
    entity._restored_from = record.history_id
    try:
        remember(entity, "+" if is_new else "~")
    finally:
        del entity._restored_from
    if is_new:
        _link_again(entity, record)


def _link_again(entity: Entity, record: Record) -> None:
    deletion = record.siblings().filter(history_type="-").first()
    for path, keys in ((deletion and deletion.unlinked) or {}).items():
        label, _dot, name = path.rpartition(".")
        rows = apps.get_model(label)._default_manager.filter(pk__in=keys, **{f"{name}__isnull": True})
        rows.update(**{name: entity})  # what was linked elsewhere since stays there
