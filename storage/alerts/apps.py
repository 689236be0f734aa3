"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """Rules, alerts and their messages."""

    name = "storage.alerts"
    label = "alerts"
    verbose_name = _("Alerts")
