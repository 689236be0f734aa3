"""Entities that hold for a time: a price, a contract. What held once is closed and kept, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date, datetime
from typing import Any, ClassVar, Final, Self
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import Q
from django.db.models.base import ModelBase, ModelState
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storage.entities.acting import acting
from storage.entities.bases import Entity
from storage.entities.history import BOOKKEEPING
from storage.entities.metadata import copy_metadata
from storage.entities.querysets import PerishableQuerySet
from storage.entities.when import When, as_instant

_OWN: Final = BOOKKEEPING | {"uuid", "creation_date", "start_date", "end_date"}  # they say nothing of the content


class PerishableEntity(Entity):
    """Valid in [start_date, end_date); without an end it still holds.

    A model names its series, those rows of which one at most holds at any instant, by
    `constraints = periods("field", ...)` in its Meta.
    """

    start_date = models.DateTimeField(_("valid from"), default=timezone.now, db_index=True)
    end_date = models.DateTimeField(_("valid until"), null=True, blank=True, db_index=True)

    objects: ClassVar[Any] = PerishableQuerySet.as_manager()

    is_corrected: bool = False  # of an object: its saves correct in place, as with `force_update`

    class Meta:
        abstract = True

    def save(
        self,
        *args: Any,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        _current_user: Any = None,
        _reason: str | None = None,
        **kwargs: Any,
    ) -> None:
        """A change of the content closes the stored version and opens the next: this object is then the next one.

        It begins now, or at `start_date` if that was moved on. With an end date it only closes. What has not begun
        yet is corrected in place; `force_update` corrects in place whatever it is.
        """
        for name in ("start_date", "end_date"):
            given = self.__dict__.get(name)
            if isinstance(given, (date, str)):  # a datetime is a date
                setattr(self, name, as_instant(given))
        with acting(_current_user, _reason):
            names = kwargs.get("update_fields")
            at = None if force_insert or force_update else self._next_begins(names)
            if at is None:
                super().save(*args, force_insert=force_insert, force_update=force_update, **kwargs)
                return
            next_ = self if names is None else self._stored({name: getattr(self, name) for name in names})
            self._become(next_._open_next(at))

    save.alters_data = True  # type: ignore[attr-defined]

    def revise(self, at: When = None, *, _current_user: Any = None, _reason: str | None = None, **changes: Any) -> Self:
        """Close this version at an instant (None: now); the one that follows is as stored, with the changes."""
        content = {field.name for field in self._meta.concrete_fields if not field.primary_key} - _OWN
        for name in set(changes) - content:
            raise ValueError(f"{name!r} cannot be revised: expected a field that holds content")
        with acting(_current_user, _reason):
            opened = self._stored(changes)._open_next(as_instant(at))
        self.refresh_from_db(fields=["end_date", "modification_date", "current_user"])
        return opened

    revise.alters_data = True  # type: ignore[attr-defined]

    def delete(
        self,
        *args: Any,
        force: bool = False,
        _current_user: Any = None,
        _reason: str | None = None,
        **kwargs: Any,
    ) -> tuple[int, dict[str, int]]:
        """Close it now. What has not begun yet is deleted in truth, as is everything with `force`."""
        now = timezone.now()
        if force or self.start_date >= now:
            return super().delete(*args, _current_user=_current_user, _reason=_reason, **kwargs)
        with acting(_current_user, _reason):
            self._close(now)
        self.refresh_from_db(fields=["end_date", "modification_date", "current_user"])
        return 0, {}

    delete.alters_data = True  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Refuse what `save` would refuse, so that a form can say it."""
        super().clean()
        self._next_begins(None)

    def _next_begins(self, names: Any) -> datetime | None:
        """When the next version begins; None if this save is to be done in place."""
        adding = self._state.adding or self.is_corrected
        stored = None if adding else type(self)._base_manager.filter(pk=self.pk).first()
        if stored is None or not self._differs(stored, names):
            return None
        if stored.end_date is not None or self.end_date is not None:
            raise ValidationError(
                _("A version that ends only takes its end: change the version that follows it, or correct this one.")
            )
        now = timezone.now()
        if stored.start_date > now:
            return None
        at: datetime = self.start_date if self.start_date != stored.start_date else now
        if at <= stored.start_date:
            raise ValidationError(_("The next version begins after the one that it follows."))
        return at

    def _stored(self, changes: Mapping[str, Any]) -> Self:
        """The version as the database has it, with changes that are not saved."""
        row: Self = type(self)._base_manager.get(pk=self.pk)
        for name, value in changes.items():
            setattr(row, name, value)
        return row

    def _differs(self, stored: Self, names: Any) -> bool:
        given = self.__dict__  # what is deferred was not changed
        return any(
            hasattr(given[f.attname], "resolve_expression")  # as F("price") * 2
            or getattr(stored, f.attname) != f.to_python(given[f.attname])
            for f in self._meta.concrete_fields
            if not f.primary_key and f.name not in _OWN and f.attname in given and (names is None or f.name in names)
        )

    def _open_next(self, at: datetime) -> Self:
        using = router.db_for_write(type(self), instance=self)
        if deferred := self.get_deferred_fields():
            self.refresh_from_db(fields=deferred)
        opened = copy(self)
        opened._state = ModelState()
        opened.pk, opened.uuid, opened.creation_date = None, uuid4(), timezone.now()
        opened.start_date, opened.end_date = at, None
        with transaction.atomic(using=using):
            if not self._close(at, only_open=True):
                raise ValidationError(
                    _("This version was closed meanwhile, or begins later than its end: load it again.")
                )
            super(PerishableEntity, opened).save(force_insert=True, using=using)
            copy_metadata(self, opened)
            for field in self._meta.many_to_many:
                getattr(opened, field.name).set(getattr(self, field.name).all())
        return opened

    def _close(self, at: datetime, *, only_open: bool = False) -> bool:
        """Set the end, in one conditional statement; False when it does not hold then."""
        holds = Q(end_date__isnull=True) if only_open else Q(end_date__isnull=True) | Q(end_date__gt=at)
        rows: Any = PerishableQuerySet(type(self)).filter(holds, pk=self.pk, start_date__lt=at)
        return bool(rows.update(end_date=at))

    def _become(self, other: Self) -> None:
        self.__dict__.clear()
        self.__dict__.update(other.__dict__)
