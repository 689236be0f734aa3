"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EntitiesConfig(AppConfig):
    """The tables that every entity shares, and the signals that entities need."""

    name = "storage.entities"
    label = "entities"
    verbose_name = _("Entities")

    def ready(self) -> None:
        """Every model is known by now: connect what follows deletions, and the checks."""
        from storage.entities import checks, fields, links  # noqa: PLC0415  models must be loaded first

        links.connect()
        checks.connect()
        fields.teach_serializers()
