"""The abstract models: with metadata, with history. Those with a time of validity are in `perishable`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storage.entities import metadata
from storage.entities.acting import acting, current_user
from storage.entities.dictionaries import to_dict
from storage.entities.history import HISTORY
from storage.entities.querysets import CommonQuerySet, EntityQuerySet
from storage.entities.serializing import Serialized, serialize
from storage.entities.when import When


class CommonModel(models.Model):
    """Dated, signed, with a uuid and metadata; without history, and `find_by_uuid` does not look here."""

    uuid = models.UUIDField(_("UUID"), default=uuid4, unique=True, editable=False)
    creation_date = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    modification_date = models.DateTimeField(_("changed"), auto_now=True)
    current_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("last changed by"),
    )

    objects: ClassVar[Any] = CommonQuerySet.as_manager()  # of the concrete model

    class Meta:
        abstract = True
        base_manager_name = "objects"  # `author.book_set.add(book)` updates through it, and is dated and in history

    def save(self, *args: Any, _current_user: Any = None, _reason: str | None = None, **kwargs: Any) -> None:
        """Django's, as this user and for this reason; without them, as `acting` and the request say."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with acting(_current_user, _reason), transaction.atomic(using=using, savepoint=False):
            user = current_user()
            if user is not None:
                self.current_user = user
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "modification_date", "current_user"}
            super().save(*args, **kwargs)

    save.alters_data = True  # type: ignore[attr-defined]

    def delete(
        self, *args: Any, force: bool = False, _current_user: Any = None, _reason: str | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Django's, as this user and for this reason. `force` counts where a deletion only closes (`perishable`)."""
        with acting(_current_user, _reason):
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def get_model_type(cls) -> ContentType:
        """The type of the model, from memory."""
        return ContentType.objects.get_for_model(cls)

    @property
    def model_type(self) -> ContentType:
        """The type of the model, from memory."""
        return self.get_model_type()

    def get_metadata(self, key: str | None = None, *, expired: bool = False) -> Any:
        """As `metadata.get_metadata`."""
        return metadata.get_metadata(self, key, expired=expired)

    def set_metadata(self, key: str, value: Any, date: When = None) -> None:
        """As `metadata.set_metadata`."""
        metadata.set_metadata(self, key, value, date)

    set_metadata.alters_data = True  # type: ignore[attr-defined]

    def add_metadata(self, key: str, value: Any, date: When = None) -> Any:
        """As `metadata.add_metadata`."""
        return metadata.add_metadata(self, key, value, date)

    add_metadata.alters_data = True  # type: ignore[attr-defined]

    def del_metadata(self, key: str | None = None) -> bool:
        """As `metadata.del_metadata`."""
        return metadata.del_metadata(self, key)

    del_metadata.alters_data = True  # type: ignore[attr-defined]

    def to_dict(self, **options: Any) -> dict[str, Any]:  # those of dictionaries.Options
        """As `dictionaries.to_dict`."""
        return to_dict(self, **options)

    def serialize(self, format: str = "json", **options: Any) -> Serialized:  # noqa: A002  Django's word
        """As `serializing.serialize`."""
        return serialize([self], format, **options)


class Entity(CommonModel):
    """With history, restore, and to be found by its uuid."""

    history = HISTORY
    bookkeeping: ClassVar[frozenset[str]] = frozenset()  # fields of the program's own: no restore brings them back

    skip_history_when_saving: bool  # while it is there; simple-history's mark
    _restored_from: int  # while a restore writes its row of history

    objects: ClassVar[Any] = EntityQuerySet.as_manager()

    class Meta:
        abstract = True
