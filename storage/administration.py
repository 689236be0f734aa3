"""Django's administration, as it is here: for whoever sees every meter, for its tables know no limits."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest


class AdministrationConfig(AdminConfig):
    """Django's, with our site."""

    default_site = "storage.administration.Administration"


class Administration(AdminSite):
    """Django's site."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may come in at all."""
        from storage.rights import rights_of  # noqa: PLC0415  models are not there before

        return super().has_permission(request) and rights_of(request).is_whole
