"""An owner, a token of his, and a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from storage.tokens.models import Token


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is said is compared here in the language of the sources."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    """The real hash takes half a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password="correct horse battery")


def program(text: str, word: str = "Bearer") -> Client:
    """It has no cookies and no password."""
    return Client(headers={"authorization": f"{word} {text}", "accept-language": "en"})


def issued(owner: User, *scopes: str, **given: Any) -> tuple[Token, Client]:
    """A new token, and a program that has it."""
    token, text = Token.issue(owner, "program", list(scopes), **given)
    return token, program(text)
