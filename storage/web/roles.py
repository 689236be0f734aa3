"""What an account may do, in three words: everything, change things, or only look."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import Group, Permission, User
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """As pages name them."""

    OWNER = "owner", _("owner: may do everything")
    CHANGE = "change", _("may change contracts, prices, alerts and meters, and import")
    LOOK = "look", _("may only look")


_GROUPS: Final = {Role.CHANGE: "ticbridge: may change", Role.LOOK: "ticbridge: may only look"}
_ROOMS: Final = ("storage", "tariffs", "alerts")
_OF_STORAGE: Final = (
    "change_meter", "add_data", "add_import", "add_metergroup", "change_metergroup", "delete_metergroup",
)  # fmt: skip
_OWN: Final = Q(content_type__app_label="storage", codename__in=_OF_STORAGE)
_ENTERED: Final = Q(content_type__app_label__in=("tariffs", "alerts"))
_TOKENS: Final = Q(content_type__app_label="tokens", content_type__model="token")


def role_of(user: User) -> Role | None:
    """None: somebody gave him permissions of his own, under Administration."""
    if user.is_superuser:
        return Role.OWNER
    names = {group.name for group in user.groups.all()}
    return next((role for role, name in _GROUPS.items() if name in names), None)


@transaction.atomic
def give(user: User, role: Role) -> None:
    """This role and no other of ours; what else was given to him stays."""
    user.is_superuser = user.is_staff = role is Role.OWNER
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.remove(*Group.objects.filter(name__in=_GROUPS.values()))
    if role is not Role.OWNER:
        user.groups.add(_group(role))


def refresh(**_: Any) -> None:
    """What a newer version brings is in the groups that are there; after each migration."""
    for role, name in _GROUPS.items():
        if Group.objects.filter(name=name).exists():
            _group(role)


def _group(role: Role) -> Group:
    group, _made = Group.objects.get_or_create(name=_GROUPS[role])
    allowed = Q(content_type__app_label__in=_ROOMS, codename__startswith="view_")
    if role is Role.CHANGE:
        allowed |= _OWN | _ENTERED | _TOKENS
    group.permissions.set(Permission.objects.filter(allowed))
    return group
