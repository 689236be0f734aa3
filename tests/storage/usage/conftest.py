"""An owner whose calls are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is said is compared here in the language of the sources."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def counting(settings: Any) -> Any:
    """A test that wants the defaults says so."""
    settings.SERVICE_USAGE = True
    return settings


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner")
