"""Calls without a limit are counted in memory and written together: a read must not cost a write."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import django.db
from django.db import IntegrityError, transaction
from django.db.models import F

from storage.usage.models import Usage

log = logging.getLogger("ticbridge.usage")

EVERY: Final = timedelta(seconds=10)
_MOST: Final = 1000  # callers and routes that wait; more than any household has
_MOST_NAMES: Final = 50  # of what was sent, in one row


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with a session, or a token."""

    user: int | None
    token: int | None

    @property
    def key(self) -> str:
        """As in `Usage.caller`."""
        return f"user:{self.user}" if self.token is None else f"token:{self.token}"


@dataclass
class _Calls:
    """Of one caller and route; none, of those whose limit counts them and only names are noted here."""

    last: datetime
    address: str | None
    number: int = 0
    names: Counter[str] = field(default_factory=Counter)


class Tally:
    """What was called since it was last written. A process that is killed takes ten seconds of it along, no limits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[tuple[Caller, str], _Calls] = {}
        self._written: datetime | None = None

    def add(
        self, caller: Caller, route: str, address: str | None, names: Counter[str], now: datetime, *, number: int = 1
    ) -> None:
        """Count; written at once when nothing was for a while, so that a single call does not wait for the next."""
        with self._lock:
            calls = self._calls.setdefault((caller, route), _Calls(now, address))
            calls.last, calls.address = now, address
            calls.number += number
            calls.names += names
            is_due = self._written is None or now - self._written >= EVERY or len(self._calls) >= _MOST
            if is_due:
                self._written = now
        if is_due:
            self.write()

    def write(self) -> None:
        """Write all of it; what cannot be written just now stays for the next time."""
        with self._lock:
            calls, self._calls = self._calls, {}
        try:
            try:
                _write_all(calls)
            except IntegrityError:  # of somebody who was deleted meanwhile, whose calls go with him; of nobody else
                for key, made in calls.items():
                    with contextlib.suppress(IntegrityError):
                        _write_all({key: made})
        except django.db.Error as error:
            log.warning("Calls could not be written (%s); trying again soon", str(error).strip())
            self._take_back(calls)

    def _take_back(self, calls: dict[tuple[Caller, str], _Calls]) -> None:
        with self._lock:
            for key, made in calls.items():
                newer = self._calls.get(key)
                if newer is None:
                    self._calls[key] = made
                else:
                    newer.number += made.number
                    newer.names += made.names


def _write_all(calls: Mapping[tuple[Caller, str], _Calls]) -> None:
    with transaction.atomic():
        for (caller, route), made in calls.items():
            _write(caller, route, made)


def _write(caller: Caller, route: str, made: _Calls) -> None:
    rows = Usage.objects.filter(caller=caller.key, route=route)
    changed = rows.update(calls=F("calls") + made.number, last=made.last, address=made.address)
    if not changed:
        try:
            with transaction.atomic():
                Usage.objects.create(
                    user_id=caller.user, token_id=caller.token, route=route, calls=made.number, last=made.last,
                    address=made.address,
                )  # fmt: skip
        except IntegrityError:  # another process made the row meanwhile
            rows.update(calls=F("calls") + made.number, last=made.last, address=made.address)
    if made.names:
        row = rows.select_for_update().first()
        if row is not None:
            rows.update(data=merged(row.data, made.names))


def merged(known: dict[str, int], names: Counter[str]) -> dict[str, int]:
    """How often each name was sent; names that come late to a long list are left out."""
    found = dict(known)
    for name, number in sorted(names.items()):
        if name in found or len(found) < _MOST_NAMES:
            found[name] = found.get(name, 0) + number
    return found
