"""Secrets that must be sent again later: kept encrypted, under a key that follows from SECRET_KEY.

So a copy of the database, its history and its dumps tell none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:  # 5 MB, for those alone who have a secret
    from cryptography.fernet import MultiFernet


class SealError(Exception):
    """What was kept cannot be read with the key of this installation."""


def seal(secret: str) -> str:
    """The secret as it may be kept."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  as above

    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise SealError(
            "its secret cannot be read: it was entered under another secret_key (bridge.state_dir); enter it again"
        ) from None


def _box() -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415  as above

    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str | bytes) -> bytes:
    return hmac.digest(key if isinstance(key, bytes) else key.encode(), b"storage.webhooks.sealing", hashlib.sha256)
