"""Whose turn it is, where several workers of one database do the same work."""

from __future__ import annotations

from typing import Final

from django.db import connection

_LOCK: Final = 0x71CC  # PostgreSQL advisory lock, with the meter's key


def alone(meter: int) -> bool:
    """Whether no other worker looks after this meter; so until the caller's transaction ends.

    On SQLite the transaction itself holds the others off.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, meter % 2**31])
        return bool(cursor.fetchone()[0])
