"""Django's name for it."""

from __future__ import annotations

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "tests.storage.entities.library"
    label = "library"
