"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WebConfig(AppConfig):
    """The pages."""

    name = "storage.web"
    label = "web"

    def ready(self) -> None:
        """Keep the groups of accounts up to date."""
        from storage.web.roles import refresh  # noqa: PLC0415  models must be loaded first

        post_migrate.connect(refresh, sender=self, dispatch_uid="roles")
