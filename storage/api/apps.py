"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """No tables: the page of the documentation and its script."""

    name = "storage.api"
    label = "api"
