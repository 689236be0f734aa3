"""Notes on any object: a key, any JSON value, perhaps a date on which it expires. One table for all models.

The object is named by its type and its primary key as text, without a constraint: a note outlives its object, and is
there again when the object is restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Cast, Replace
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storage.entities.merging import merge_dict
from storage.entities.when import When, as_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

ANY: Final = object()  # no value in particular; None is a value


class SortedEncoder(DjangoJSONEncoder):
    """Keys in one order: SQLite compares JSON as text."""

    def __init__(self, **options: Any) -> None:  # those of json.JSONEncoder
        super().__init__(**{**options, "sort_keys": True})


def _key_text(pk: Any) -> str:
    """A primary key as text, the same from Python and from every database."""
    if pk is None:
        raise ValueError("an object that is not saved has no metadata yet: save it first")
    return pk.hex if isinstance(pk, UUID) else str(pk)


def owner_key(model: type[models.Model]) -> models.expressions.Combinable:
    """The same for the rows of an outer query."""
    text = Cast(models.OuterRef("pk"), models.CharField())
    return Replace(text, Value("-"), Value("")) if isinstance(model._meta.pk, models.UUIDField) else text


def _same(value: Any) -> Q:
    """Equal, on every database: a whole number is the same with and without a point."""
    if value is None:
        return Q(value__isnull=True)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        return Q(value=value)
    return Q(value=int(value)) | Q(value=float(value))


class MetadataQuerySet(models.QuerySet["Metadata"]):
    """Of notes."""

    def valid(self, at: datetime | None = None) -> MetadataQuerySet:
        """Those that have not expired."""
        return self.filter(Q(expires__isnull=True) | Q(expires__gt=at or timezone.now()))

    def of(self, owner: models.Model) -> MetadataQuerySet:
        """Those on one object, of any model."""
        return self.filter(content_type=ContentType.objects.get_for_model(owner), object_id=_key_text(owner.pk))

    def search(
        self,
        key: str | None = None,
        value: Any = ANY,
        type: type[models.Model] | None = None,  # noqa: A002  the word of the feature
        *,
        expired: bool = False,
    ) -> MetadataQuerySet:
        """Those with this key, this value (text, number, list, dictionary: compared whole), on objects of this type."""
        found: MetadataQuerySet = self.all() if expired else self.valid()
        if key is not None:
            found = found.filter(key=key)
        if value is not ANY:
            found = found.filter(_same(value))
        if type is not None:
            found = found.filter(content_type=ContentType.objects.get_for_model(type))
        return found


class Metadata(models.Model):
    """One note on one object."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+", verbose_name=_("type"))
    object_id = models.CharField(_("object"), max_length=255)
    key = models.CharField(_("key"), max_length=255)
    value = models.JSONField(_("value"), null=True, encoder=SortedEncoder)  # NULL is JSON's null
    expires = models.DateTimeField(_("expires"), null=True, blank=True, db_index=True)

    objects = MetadataQuerySet.as_manager()

    class Meta:
        verbose_name = _("metadata")
        verbose_name_plural = _("metadata")
        constraints = (
            models.UniqueConstraint(fields=("content_type", "object_id", "key"), name="entities_metadata_once"),
        )

    def __str__(self) -> str:
        return f"{self.content_type_id}/{self.object_id} {self.key}"

    @property
    def owner(self) -> models.Model | None:
        """The object; None when it is gone."""
        model = self.content_type.model_class()
        return None if model is None else model._base_manager.filter(pk=self.object_id).first()


def get_metadata(owner: models.Model, key: str | None = None, *, expired: bool = False) -> Any:
    """The value under a key, None if there is none; without a key, all of them as a dictionary."""
    rows = Metadata.objects.of(owner)
    rows = rows if expired else rows.valid()
    if key is None:
        return dict(rows.order_by("key").values_list("key", "value"))
    return rows.filter(key=key).values_list("value", flat=True).first()


def notes_of(owners: Iterable[models.Model]) -> dict[Any, dict[str, Any]]:
    """The metadata of many objects of one model, by primary key, in one query; of those that have any."""
    keys = {_key_text(owner.pk): owner for owner in owners}
    if not keys:
        return {}
    kind = ContentType.objects.get_for_model(next(iter(keys.values())))
    found: dict[Any, dict[str, Any]] = {}
    for row in Metadata.objects.filter(content_type=kind, object_id__in=keys).valid().order_by("key"):
        found.setdefault(keys[row.object_id].pk, {})[row.key] = row.value
    return found


def set_metadata(owner: models.Model, key: str, value: Any, date: When = None) -> None:
    """Note a value; with a date, it expires then."""
    Metadata.objects.update_or_create(
        content_type=ContentType.objects.get_for_model(owner),
        object_id=_key_text(owner.pk),
        key=key,
        defaults={"value": value, "expires": None if date is None else as_instant(date)},
    )


def add_metadata(owner: models.Model, key: str, value: Any, date: When = None) -> Any:
    """Extend what is noted: lists grow, dictionaries merge, anything else is replaced. Returns what is noted then.

    What has expired is not extended but replaced. Without a date the old one stays.
    """
    with transaction.atomic():
        row = Metadata.objects.of(owner).select_for_update().valid().filter(key=key).first()
        if row is None:
            set_metadata(owner, key, value, date)
            return value
        if isinstance(row.value, list):
            row.value = [*row.value, *(value if isinstance(value, (list, tuple)) else [value])]
        elif isinstance(row.value, dict) and isinstance(value, dict):
            row.value = merge_dict(row.value, value)
        else:
            row.value = value
        row.expires = row.expires if date is None else as_instant(date)
        row.save(update_fields=["value", "expires"])
        return row.value


def del_metadata(owner: models.Model, key: str | None = None) -> bool:
    """Forget the note under a key, or all; whether there was any."""
    rows = Metadata.objects.of(owner)
    return bool((rows if key is None else rows.filter(key=key)).delete()[0])


def copy_metadata(source: models.Model, target: models.Model) -> None:
    """Note on one object what is noted on another, with the same dates."""
    kind, key = ContentType.objects.get_for_model(target), _key_text(target.pk)
    Metadata.objects.bulk_create(
        Metadata(content_type=kind, object_id=key, key=row.key, value=row.value, expires=row.expires)
        for row in Metadata.objects.of(source)
    )
