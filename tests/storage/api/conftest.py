"""Those who ask, and what they may."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import translation
from rest_framework.test import APIClient

from storage.api import docs  # noqa: F401  spectacular is loaded once, not within a test that counts


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is said is compared here in the language of the sources."""
    with translation.override("en"):
        yield


@lru_cache
def _handler() -> Any:  # of Django's tests
    """One for all: what is made anew for each looks through all static files first."""
    return APIClient().handler


def client_of(user: User | None) -> APIClient:
    """Logged in by a session, as a browser is; English."""
    client = APIClient(headers={"accept-language": "en"})
    client.handler = _handler()
    if user is not None:
        client.force_login(user)
    return client


@pytest.fixture
def nobody(db: None) -> APIClient:
    """Not logged in."""
    return client_of(None)


@pytest.fixture
def owner(db: None) -> APIClient:
    """May do everything."""
    return client_of(User.objects.create(username="owner", is_superuser=True))


@pytest.fixture
def viewer(db: None) -> APIClient:
    """May look at everything."""
    user = User.objects.create(username="viewer")
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return client_of(user)


@pytest.fixture
def stranger(db: None) -> APIClient:
    """Is logged in, and may do nothing."""
    return client_of(User.objects.create(username="stranger"))
