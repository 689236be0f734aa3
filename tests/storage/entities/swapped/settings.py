"""Its settings."""

import os

SECRET_KEY = "of a test"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "simple_history", "storage.entities",
    "tests.storage.entities.swapped",
]  # fmt: skip
AUTH_USER_MODEL = "swapped.Person"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SWAPPED_DATABASE"]}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
