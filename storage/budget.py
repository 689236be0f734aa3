"""What the database takes on the disk, against what its owner gave it: said before it is too late."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connection

_WARN: Final = 0.8  # of the budget
_LEFT: Final = 200_000_000  # bytes of the disk


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes: of the database, of its budget, and what is left on the disk (None: another machine's)."""

    used: int
    budget: int
    left: int | None

    @property
    def is_tight(self) -> bool:
        """Whether the budget is nearly reached."""
        return self.used >= _WARN * self.budget

    @property
    def warning(self) -> str | None:
        """What its owner should know, and can do about it."""
        if self.is_tight:
            share = 100 * self.used // self.budget
            return (
                f"The database takes {_mb(self.used)}, {share} % of storage.budget ({_mb(self.budget)}): "
                "shorten storage.keep, raise reading.interval, or raise storage.budget"
            )
        if self.left is not None and self.left < _LEFT:
            left = _mb(self.left)
            return (
                f"The disk of the database has {left} left: make room, shorten storage.keep or raise reading.interval"
            )
        return None


def measure(budget: int) -> Room:
    """Ask the database how large it is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return Room(int(cursor.fetchone()[0]), budget, None)
    file = Path(str(connection.settings_dict["NAME"]))
    files = [file, file.with_name(f"{file.name}-wal")]
    used = sum(part.stat().st_size for part in files if part.exists())
    return Room(used, budget, shutil.disk_usage(file.parent).free if file.exists() else None)


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
