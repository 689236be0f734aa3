"""The program's own settings, and the app whose models test `storage.entities`."""

from storage.settings import *  # noqa: F403  all of them
from storage.settings import INSTALLED_APPS as _OWN

INSTALLED_APPS = [*_OWN, "tests.storage.entities.library"]
