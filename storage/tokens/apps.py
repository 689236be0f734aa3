"""Django's name for the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TokensConfig(AppConfig):
    """Who may come in, beside those with a password."""

    name = "storage.tokens"
    label = "tokens"
    verbose_name = _("Access")

    def ready(self) -> None:
        """Hear of logins, which end a count of wrong guesses."""
        from storage.tokens import guesses, schema  # noqa: F401, PLC0415  models must be loaded first

        guesses.connect()
