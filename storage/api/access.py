"""Who may do what: Django's permissions on models, `view` among them. Who somebody is stands in the settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from rest_framework import authentication, permissions
from rest_framework.request import Request

_VIEW = ["%(app_label)s.view_%(model_name)s"]


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's own login; whoever has none is answered 401 and not 403."""

    def authenticate_header(self, request: Request) -> str:
        """What the client is told to come with."""
        return "Session"


class ModelPermissions(permissions.DjangoModelPermissions):
    """Reading needs the permission to view, restoring that to change."""

    perms_map = {  # noqa: RUF012  as DRF has it
        **permissions.DjangoModelPermissions.perms_map,
        "GET": _VIEW,
        "HEAD": _VIEW,
        "OPTIONS": _VIEW,
    }
    _by_action: ClassVar[dict[str, list[str]]] = {
        "restore": ["change"],
        "restore_fields": ["change"],
        "deletion": ["view", "delete"],
    }

    def has_permission(self, request: Request, view: Any) -> bool:  # any of DRF's views
        """As the method needs, or the action that is no plain method."""
        needed = self._by_action.get(str(getattr(view, "action", "")))
        if needed is None or not request.user.is_authenticated:
            return super().has_permission(request, view)
        return all(may(request.user, verb, view.resource.model) for verb in needed)


def may(user: Any, verb: str, model: type[models.Model]) -> bool:  # of whatever user model there is
    """Whether a user may view, add, change or delete rows of a model."""
    return bool(user.has_perm(f"{model._meta.app_label}.{verb}_{model._meta.model_name}"))
