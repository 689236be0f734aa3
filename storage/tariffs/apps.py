"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TariffsConfig(AppConfig):
    """Contracts and prices."""

    name = "storage.tariffs"
    label = "tariffs"
    verbose_name = _("Contracts and prices")

    def ready(self) -> None:
        """Hear what changes costs."""
        from storage.tariffs import marks  # noqa: PLC0415  models must be loaded first

        marks.connect()
