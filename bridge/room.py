"""How much the spool may hold: so many readings, and no more than the disk can bear."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger("ticbridge.spool")

_LEAST: Final = 1_000  # readings kept when the disk is nearly full
_LOOK: Final = 1.0  # seconds between two looks at the disk


class Room:
    """`most` readings; once less than `min_free` bytes are free beside `path`, no more than there are."""

    def __init__(self, path: Path, most: int, min_free: int, clock: Callable[[], float]) -> None:
        self._path = path
        self._most = most
        self._min_free = min_free
        self._clock = clock
        self._looked_at = float("-inf")
        self._is_short = False

    def limit(self, before: int, most: int) -> int:
        """How many readings the disk may hold, `most` at most; when it is nearly full, as many as `before`."""
        now = self._clock()
        if self._min_free and now - self._looked_at >= _LOOK:
            self._looked_at = now
            with suppress(OSError):
                is_short = shutil.disk_usage(self._path.parent).free < self._min_free
                if is_short and not self._is_short:
                    log.warning("Less than spool.min_free_disk is free beside %s: it grows no more", self._path)
                self._is_short = is_short
        limit = min(self._most, most)
        return min(limit, max(before, _LEAST)) if self._is_short else limit
