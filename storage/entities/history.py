"""Each state that an entity was in, with who and why; and the way back.

django-simple-history writes one row of history for each save, deletion and change of many-to-many links, in the
transaction of the change itself. What it lacks is here: the reason and user of `acting`, links changed from the other
side, the difference to the row before, and `restore`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from simple_history.utils import get_change_reason_from_object

from storage.entities.acting import current_reason, current_user

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.entities.bases import Entity

# Fields that say who wrote a row and when: they change with every row, and no restore brings them back.
BOOKKEEPING: Final = frozenset({"modification_date", "current_user"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after; of links to many, their sorted keys."""

    field: str
    old: Any  # a value of the field's own type
    new: Any


class Record(models.Model):
    """One row of history: the whole entity as it was after one change."""

    restored_from = models.BigIntegerField(_("restored from"), null=True, editable=False)  # another row's history_id
    unlinked = models.JSONField(
        null=True, editable=False, encoder=DjangoJSONEncoder
    )  # of a deletion: whose links to it became empty

    # simple-history adds these
    history_id: int
    history_type: str
    history_date: models.DateTimeField[Any, Any]
    history_user: Any
    history_change_reason: str | None
    tracked_fields: ClassVar[list[models.Field[Any, Any]]]
    _history_m2m_fields: ClassVar[list[models.ManyToManyField[Any, Any]]]
    instance_type: ClassVar[type[Entity]]
    instance: Entity

    class Meta:
        abstract = True

    @property
    def entity_pk(self) -> Any:
        """The primary key of the entity."""
        return getattr(self, self.instance_type._meta.pk.attname)

    def siblings(self) -> models.QuerySet[Any]:
        """The whole history of the same entity, newest first."""
        same = {self.instance_type._meta.pk.attname: self.entity_pk}
        rows: models.QuerySet[Any] = type(self)._default_manager.filter(**same).order_by("-history_id")
        return rows

    def previous(self) -> Any:
        """The row before this one, None at the first. By number: two rows may bear the same microsecond."""
        return self.siblings().filter(history_id__lt=self.history_id).first()

    def links(self, name: str) -> list[Any]:
        """The keys that a many-to-many field held; a deletion's row holds those of the row before."""
        holder = self.previous() if self.history_type == "-" else self
        if holder is None:
            return []
        field = self.instance_type._meta.get_field(name)
        assert isinstance(field, models.ManyToManyField)
        return sorted(getattr(holder, name).values_list(f"{field.m2m_reverse_field_name()}_id", flat=True))

    def differences(self) -> tuple[Difference, ...]:
        """What this row changed, field by field; nothing for the first row, a deletion or a return from one."""
        before = self.previous()
        if before is None or "-" in (self.history_type, before.history_type):
            return ()
        plain = (
            Difference(field.name, getattr(before, field.attname), getattr(self, field.attname))
            for field in self.tracked_fields
            if field.name not in BOOKKEEPING | self.instance_type.bookkeeping
        )
        many = (Difference(f.name, before.links(f.name), self.links(f.name)) for f in self._history_m2m_fields)
        return tuple(found for found in (*plain, *many) if found.old != found.new)

    def restore(
        self,
        *,
        fields: Iterable[str] | None = None,
        rollback: bool = False,
        _current_user: Any = None,
        _reason: str | None = None,
    ) -> Entity | None:
        """Bring the entity back to this row, or some of its fields; the return is a row of history too.

        A deleted entity comes back with its keys, and what lost its link to it is linked again. `rollback` undoes
        the restore that this row is, or the last one that was made from it; None when that deletes the entity again.
        """
        from storage.entities.restoring import restore, roll_back  # noqa: PLC0415  it needs entities

        if rollback:
            return roll_back(self, user=_current_user, reason=_reason)
        return restore(self, fields=fields, user=_current_user, reason=_reason)


class History(HistoricalRecords):  # type: ignore[misc]  # simple-history has no types
    """simple-history's records, for every model below the one that has it, with all its many-to-many fields."""

    def get_m2m_fields_from_model(self, model: type[models.Model]) -> list[models.ManyToManyField[Any, Any]]:
        """All of them: a field that is not named anywhere would be forgotten in silence."""
        return list(model._meta.many_to_many)

    def get_history_user(self, instance: models.Model) -> Any:
        """As `acting` or the request says."""
        return current_user() or super().get_history_user(instance)

    def get_change_reason_for_object(self, instance: models.Model, history_type: str, using: str | None) -> str | None:
        """As `acting` says."""
        return current_reason() or get_change_reason_from_object(instance)

    def m2m_changed(
        self, instance: Any, action: str, attr: str, pk_set: set[Any] | None, reverse: bool, **given: Any
    ) -> None:
        """A row for each entity whose links changed, from whichever side."""
        if not reverse:
            super().m2m_changed(instance, action, attr, pk_set, reverse, **given)
            return
        owner = given["model"]  # seen from the other side, the model that has the field
        if action == "pre_clear":  # afterwards nobody knows whose links they were
            pk_set = set(owner._base_manager.filter(**{attr: instance}).values_list("pk", flat=True))
            instance.__dict__.setdefault("_clearing", {})[attr] = pk_set
        elif action in ("post_add", "post_remove", "post_clear"):
            touched = instance._clearing.pop(attr) if action == "post_clear" else pk_set
            for entity in owner._base_manager.filter(pk__in=touched):
                self.create_historical_record(entity, "~")


HISTORY: Final = History(
    bases=[Record],
    inherit=True,
    history_change_reason_field=models.TextField(_("reason"), null=True),
)


def remember(entity: Entity, history_type: str) -> None:
    """Write a row of history for what was changed past `save`."""
    HISTORY.create_historical_record(entity, history_type)
