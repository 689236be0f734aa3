"""What can be asked of many entities at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from storage.entities.acting import current_user
from storage.entities.dictionaries import to_dict
from storage.entities.history import remember
from storage.entities.metadata import ANY, Metadata, owner_key
from storage.entities.natural import NaturalQuerySet
from storage.entities.serializing import Serialized, serialize
from storage.entities.when import When, as_instant

if TYPE_CHECKING:
    from storage.entities.bases import CommonModel, Entity
    from storage.entities.perishable import PerishableEntity

C = TypeVar("C", bound="CommonModel")
E = TypeVar("E", bound="Entity")
P = TypeVar("P", bound="PerishableEntity")


class CommonQuerySet(NaturalQuerySet[C]):
    """Of models with metadata."""

    def to_dict(self, **options: Any) -> list[dict[str, Any]]:  # those of dictionaries.Options
        """Each as a dictionary."""
        return [to_dict(row, **options) for row in self]

    def serialize(self, format: str = "json", **options: Any) -> Serialized:  # noqa: A002  Django's word
        """All in one of Django's formats."""
        return serialize(self, format, **options)

    def filter_metadata(self, key: str | None = None, value: Any = ANY, *, expired: bool = False) -> CommonQuerySet[C]:
        """Those that have such metadata, as `Metadata.objects.search` finds it."""
        found = Metadata.objects.search(key, value, self.model, expired=expired)
        return self.filter(Exists(found.filter(object_id=owner_key(self.model))))

    def update(self, **values: Any) -> int:
        """Django's, and the change is dated and signed."""
        return super().update(**self._signed(values))

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[C], *args: Any, **options: Any) -> list[C]:
        """Django's, signed."""
        rows, user = list(objs), current_user()
        for row in rows:
            row.current_user = user or row.current_user
        return super().bulk_create(rows, *args, **options)

    def _signed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        signed = {"modification_date": timezone.now(), **values}
        user = current_user()
        return signed if user is None else {"current_user": user, **signed}


class EntityQuerySet(CommonQuerySet[E]):
    """Of models with history. `update`, `bulk_update` and `bulk_create` write it too, so the library's own
    `bulk_..._with_history` would write it twice.
    """

    def update(self, **values: Any) -> int:
        """Django's, with a row of history for each row changed, in the same transaction."""
        with transaction.atomic(using=self._writer, savepoint=False):
            # Held first: what history tells is then exactly what is changed, whoever else writes meanwhile.
            held = self.using(self._writer).order_by().select_for_update(of=("self",)).only("pk")
            keys = [entity.pk for entity in held]
            changed = super(EntityQuerySet, self.filter(pk__in=keys)).update(**values)
            for entity in self.model._base_manager.using(self._writer).filter(pk__in=keys):
                remember(entity, "~")
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[E], *args: Any, **options: Any) -> list[E]:
        """Django's, with a row of history for each."""
        if options.get("ignore_conflicts") or options.get("update_conflicts"):
            raise ValueError("bulk_create cannot tell which entities are new when it may meet conflicts; use save()")
        with transaction.atomic(using=self._writer, savepoint=False):
            made = super().bulk_create(objs, *args, **options)
            for entity in made:
                remember(entity, "+")
        return made

    @property
    def _writer(self) -> str:
        query: Any = self._chain()  # type: ignore[attr-defined]  # as Django's own update() does
        query._for_write = True
        return str(query.db)


class PerishableQuerySet(EntityQuerySet[P]):
    """Of models whose rows hold for a time."""

    def select_valid(self, date: When = None, valid: bool | None = True) -> PerishableQuerySet[P]:
        """Those that hold at an instant (now, if none is given); False: those that do not; None: all."""
        if valid is None:
            return self.all()
        at = as_instant(date)
        holds = Q(start_date__lte=at) & (Q(end_date__isnull=True) | Q(end_date__gt=at))
        return self.filter(holds if valid else ~holds)

    def delete(self, *, force: bool = False) -> tuple[int, dict[str, int]]:
        """Close them; `force` deletes them in truth. What is said is how many were deleted in truth."""
        if force:
            return super().delete()
        total, each = 0, dict[str, int]()
        with transaction.atomic(using=self._writer, savepoint=False):
            for row in self:
                number, models_ = row.delete()
                total += number
                each = {name: each.get(name, 0) + models_.get(name, 0) for name in {*each, *models_}}
        return total, each

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]
