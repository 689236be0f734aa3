"""The signature of a message, as the Standard Webhooks specification has it: libraries that check it are there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

_PREFIX: Final = "whsec_"


def signature(secret: str, number: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 over number, Unix time and body, so that neither can be changed, nor an old message sent again."""
    signed = f"{number}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    """Of `whsec_...` the bytes that the rest stands for; else the text itself."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # it only looks like one
    return secret.encode()
