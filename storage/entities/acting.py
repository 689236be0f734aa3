"""Who changes entities just now, and why: said once, heard by every save, deletion and link inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from simple_history.models import HistoricalRecords

_user: Final[ContextVar[Any]] = ContextVar("user", default=None)  # of whatever user model the project has
_reason: Final[ContextVar[str | None]] = ContextVar("reason", default=None)


@contextmanager
def acting(user: Any = None, reason: str | None = None) -> Iterator[None]:
    """Inside, history names this user and this reason; what is not given stays as it was outside."""
    user_before = _user.set(user if user is not None else _user.get())
    reason_before = _reason.set(reason if reason is not None else _reason.get())
    try:
        yield
    finally:
        _user.reset(user_before)
        _reason.reset(reason_before)


def current_user() -> Any:
    """Who acts: as `acting` says, else the user of the request, by session or by token; None when nobody is known."""
    user = _user.get()
    if user is None:  # the middleware of simple-history keeps the request
        user = getattr(getattr(HistoricalRecords.context, "request", None), "user", None)
    return user if user is not None and user.is_authenticated else None


def current_reason() -> str | None:
    """Why, as `acting` says."""
    return _reason.get()
