"""Metadata of users and groups: one JSON dictionary each, there as soon as somebody asks.

What a group says is the default of its members.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from storage.entities.merging import merge_dict
from storage.entities.metadata import SortedEncoder


class _Preferences(models.Model):
    """One dictionary of one owner."""

    data = models.JSONField(_("data"), default=dict, blank=True, encoder=SortedEncoder)

    class Meta:
        abstract = True

    @classmethod
    def _owned(cls, **owner: Any) -> Self:
        row, _made = cls._default_manager.get_or_create(**owner)
        return row

    def get(self, key: str, default: Any = None) -> Any:
        """One value."""
        return self.merged().get(key, default)

    def merged(self) -> dict[str, Any]:
        """All values that hold."""
        return dict(self.data)

    def set(self, **values: Any) -> None:
        """Write values, and keep what others wrote meanwhile."""
        with transaction.atomic():
            fresh = type(self)._default_manager.select_for_update().get(pk=self.pk)
            self.data = {**fresh.data, **values}
            self.save(update_fields=["data"])

    def remove(self, key: str) -> None:
        """Forget one value."""
        with transaction.atomic():
            fresh = type(self)._default_manager.select_for_update().get(pk=self.pk)
            self.data = {name: value for name, value in fresh.data.items() if name != key}
            self.save(update_fields=["data"])


class GroupMetadata(_Preferences):
    """What a group's members get as defaults."""

    group = models.OneToOneField("auth.Group", models.CASCADE, related_name="+", verbose_name=_("group"))

    class Meta:
        verbose_name = _("metadata of a group")
        verbose_name_plural = _("metadata of groups")

    def __str__(self) -> str:
        return str(self.group)

    @classmethod
    def of(cls, group: models.Model) -> Self:
        """This group's, made if it is not there."""
        return cls._owned(group=group)


class UserMetadata(_Preferences):
    """What a user prefers."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))

    class Meta:
        verbose_name = _("metadata of a user")
        verbose_name_plural = _("metadata of users")

    def __str__(self) -> str:
        return str(self.user)

    @classmethod
    def of(cls, user: Any) -> Self:
        """This user's, made if it is not there; of whatever user model the project has."""
        return cls._owned(user=user)

    def merged(self) -> dict[str, Any]:
        """The user's own values over those of the groups; of several groups, the later in the alphabet wins."""
        groups = getattr(self.user, "groups", None)  # a user model need not know groups
        rows = [] if groups is None else GroupMetadata.objects.filter(group__in=groups.all()).order_by("group__name")
        return merge_dict(*(row.data for row in rows), self.data)
