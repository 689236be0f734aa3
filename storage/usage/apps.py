"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """Calls and their limits."""

    name = "storage.usage"
    label = "usage"
    verbose_name = _("Who polls the API")
