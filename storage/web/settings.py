"""The settings of the web process: as all others', but threads share connections."""

from __future__ import annotations

from storage import settings
from storage.database import pooled
from storage.settings import *  # noqa: F403  Django's way to build upon settings

DATABASES = {"default": pooled(settings.DATABASES["default"])}
