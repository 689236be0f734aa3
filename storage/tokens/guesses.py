"""A limit for guesses at passwords: for each address and each account, in the database, and never for long.

It stands in the authentication itself, so every form that asks for a password has it, the administration's too. A guess
is counted before the password is looked at: of many at once no more than the limit are.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest
from django.utils import timezone

from storage.tokens.client import get_client_ip
from storage.tokens.models import Guesses

PER_ADDRESS: Final = 30
PER_ACCOUNT: Final = 10
WINDOW: Final = timedelta(minutes=5)


class GuardedBackend(ModelBackend):
    """Django's own, with the limit. What is refused leaves `login_wait` (seconds) on the request, for pages to say."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Django's own, unless there were too many."""
        name = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if request is not None and name is not None and password is not None:
            self._count(request, name)
        found: User | None = super().authenticate(request, username, password, **kwargs)
        return found

    async def aauthenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> User | None:
        """The same: Django's own would go past the limit."""
        return await sync_to_async(self.authenticate)(request, *args, **kwargs)

    def _count(self, request: HttpRequest, name: str) -> None:
        now = timezone.now()
        limits = {_account(name): PER_ACCOUNT, _address(get_client_ip(request)): PER_ADDRESS}
        waits = [wait for key, limit in limits.items() if (wait := take(key, limit, now)) is not None]
        state: Any = request  # it has no such attribute of its own
        if waits:
            state.login_wait = max(1, round(max(waits).total_seconds()))
            raise PermissionDenied
        state.login_counted = tuple(limits)


def take(key: str, limit: int, now: datetime) -> timedelta | None:
    """Count one, in one statement; None when it was within the limit, else how long to wait."""
    for _ in range(2):
        rows = Guesses.objects.filter(Q(until__lte=now) | Q(count__lt=limit), key=key)
        is_over = Q(until__lte=now)
        taken = rows.update(
            count=Case(When(is_over, then=Value(1)), default=F("count") + 1),
            until=Case(When(is_over, then=Value(now + WINDOW)), default=F("until")),
        )
        if taken:
            return None
        row = Guesses.objects.filter(key=key).first()
        if row is not None:
            return row.until - now
        Guesses.objects.filter(until__lte=now).delete()
        try:
            with transaction.atomic():
                Guesses.objects.create(key=key, until=now + WINDOW)
        except IntegrityError:
            continue  # somebody else made the row meanwhile
        return None
    return WINDOW


def connect() -> None:
    """Listen to logins."""
    user_logged_in.connect(_forget, dispatch_uid="tokens")


def _forget(request: HttpRequest | None, **_: Any) -> None:
    """A right password ends the account's count; the address only gets its guess back, for it may guess at others."""
    counted = getattr(request, "login_counted", None)
    if counted is None:
        return
    account, address = counted
    Guesses.objects.filter(key=account).delete()
    Guesses.objects.filter(key=address, count__gt=0).update(count=F("count") - 1)


def _account(name: str) -> str:
    return _key("account", User.normalize_username(name).casefold())


def _address(text: str) -> str:
    """Of IPv6 the /64 that one customer has: its addresses are as many as one likes."""
    address = ip_address(text) if text else None
    if isinstance(address, IPv6Address):
        text = str(IPv6Network((address, 64), strict=False))
    return _key("address", text)


def _key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()
