"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """The models of the store."""

    name = "storage"
    verbose_name = "ticbridge"
