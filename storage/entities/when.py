"""What callers give as a date, made an instant."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final, TypeAlias

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

When: TypeAlias = datetime | date | str | None
_EXPECTED: Final = "expected an ISO date such as 2026-11-28 or 2026-11-28T10:00:00+01:00"


def as_instant(when: When) -> datetime:
    """An aware datetime; None is now, a day its first instant in the current time zone; so is a time without one."""
    if when is None:
        return timezone.now()
    if isinstance(when, str):
        when = _parsed(when.strip())
    if not isinstance(when, datetime):
        when = datetime.combine(when, time.min)
    return timezone.make_aware(when) if timezone.is_naive(when) else when


def _parsed(text: str) -> datetime | date:
    try:
        found = parse_date(text) if len(text) <= len("2026-11-28") else parse_datetime(text)
    except ValueError as error:  # the right shape, but no such day
        raise ValueError(f"{text!r} is no date ({error}): {_EXPECTED}") from None
    if found is None:
        raise ValueError(f"{text!r} is no date: {_EXPECTED}")
    return found
