"""Django's name for the room."""

from __future__ import annotations

import logging

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    """Who is told what, and what became of it."""

    name = "storage.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        """Hear what changes entities."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes whole addresses, which may be secrets
        from storage.webhooks import changes  # noqa: PLC0415  models must be loaded first

        changes.connect()
