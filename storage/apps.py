"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """The models of the store."""

    name = "storage"
    verbose_name = "ticbridge"

    def ready(self) -> None:
        """Have Django know our checks, and webhooks hear of events."""
        import storage.checks  # noqa: F401, PLC0415  it registers them; models are not there before
        from storage import telling  # noqa: PLC0415  as above

        telling.connect()
