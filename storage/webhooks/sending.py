"""One attempt to deliver one message, bounded in time and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any, Final

import httpcore
import httpx
import yaml

from storage.webhooks.models import Webhook
from storage.webhooks.sealing import SealError
from storage.webhooks.signing import signature
from storage.webhooks.target import RefusedError, addresses_of, read_url
from storage.webhooks.transport import Deadline, Transport

AGENT: Final = "storage-webhooks/1"
_AGAIN: Final = frozenset({408, 429})  # and all from 500 on
_LONGEST: Final = timedelta(days=1)  # that a target may make us wait
_ERRORS: Final = (
    httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.HTTPError, OSError,
)  # fmt: skip


class Outcome(Enum):
    """What becomes of the message."""

    DELIVERED = auto()
    AGAIN = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it, and why."""

    outcome: Outcome
    status: int | None  # of HTTP, when there was an answer
    said: str
    wait: timedelta | None = None  # that the target asked for


def attempt(webhook: Webhook, number: str, payload: Mapping[str, Any], *, private: bool, now: datetime) -> Attempt:
    """Send once. Whatever goes wrong on the way is told and never raised."""
    deadline = Deadline(webhook.timeout)
    try:
        parts = read_url(webhook.url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        secret = webhook.secret if webhook.authentication != Webhook.Authentication.NONE else ""
        addresses = addresses_of(host, port, private=private)
        body = _written(webhook, payload)
        headers = _headers(webhook, secret, number, body, now)
        with httpx.Client(transport=Transport(addresses, deadline), trust_env=False) as client:
            request = client.build_request(webhook.method, webhook.url, content=body, headers=headers)
            answer = client.send(request, auth=_challenge(webhook, secret), stream=True)
            answer.close()
    except (RefusedError, SealError, httpx.InvalidURL) as error:
        return Attempt(Outcome.NEVER, None, str(error))
    except UnicodeError:
        return Attempt(Outcome.NEVER, None, "Digest cannot send this user name: choose one without accents")
    except _ERRORS as error:
        return Attempt(Outcome.AGAIN, None, f"{type(error).__name__}: {error}"[:200])
    return judged(answer.status_code, answer.headers, now)


def judged(status: int, headers: Mapping[str, str], now: datetime) -> Attempt:
    """What an answer means: 2xx is success; 408, 429 and 5xx may pass; anything else will not get better by itself."""
    if 200 <= status < 300:
        return Attempt(Outcome.DELIVERED, status, "")
    if status in _AGAIN or status >= 500:
        wait = _wait(headers.get("retry-after", ""), now)
        return Attempt(Outcome.AGAIN, status, f"answered {status}", wait)
    hint = "; it points elsewhere, and that is not followed: enter the new address" if 300 <= status < 400 else ""
    return Attempt(Outcome.NEVER, status, f"answered {status}{hint}")


def _wait(text: str, now: datetime) -> timedelta | None:
    """Retry-After, in seconds or as a date."""
    if text.isascii() and text.isdigit():
        return min(_LONGEST, timedelta(seconds=int(text[:9])))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(_LONGEST, max(timedelta(0), at - now))


def _written(webhook: Webhook, payload: Mapping[str, Any]) -> bytes:
    if webhook.format == Webhook.Format.YAML:
        return yaml.safe_dump(dict(payload), allow_unicode=True, sort_keys=False).encode()
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(webhook: Webhook, secret: str, number: str, body: bytes, now: datetime) -> dict[bytes, bytes]:
    kinds, stamp = Webhook.Authentication, int(now.timestamp())
    headers = {
        "Content-Type": f"application/{webhook.format}",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "Idempotency-Key": number,
        "Webhook-Id": number,
        "Webhook-Timestamp": str(stamp),
    }
    if webhook.authentication == kinds.BEARER:
        headers["Authorization"] = f"Bearer {secret}"
    elif webhook.authentication == kinds.TOKEN:
        headers["Authorization"] = f"Token {secret}"
    elif webhook.authentication == kinds.HEADER:
        headers[webhook.header] = secret
    elif webhook.authentication == kinds.HMAC:
        headers["Webhook-Signature"] = signature(secret, number, stamp, body)
    return {name.encode(): value.encode() for name, value in headers.items()}  # a secret may have accents


def _challenge(webhook: Webhook, secret: str) -> httpx.Auth | None:
    if webhook.authentication == Webhook.Authentication.BASIC:
        return httpx.BasicAuth(webhook.username, secret)
    if webhook.authentication == Webhook.Authentication.DIGEST:
        return httpx.DigestAuth(webhook.username, secret)
    return None
