"""Watermarks to the bridges: when each is told, and by one worker at a time, so that none ever falls.

A bridge forgets what its watermark covers, some seconds sooner or later. So a household's is told with each batch; of
a fleet, where a batch has as many as readings, each is told once in `every` seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from time import monotonic
from typing import Final

import django.db
from django.db import connection, transaction

from storage.ingest import Mark
from storage.models import Epoch

_FEW: Final = 50  # told at once
_MOST: Final = 2000  # of one go: others wait for it
_AGAIN: Final = 0.2  # seconds after which another worker, or the broker, is done
_LOCK: Final = 0x71CD  # PostgreSQL advisory lock of whoever tells


class Telling:
    """What is still to be told. `send` hands a mark to the broker, `confirm` also waits until it is there.

    `is_shared`: other workers of this database tell, too. Each then says what the database says at that moment, and
    the next one begins when the broker has it.
    """

    def __init__(
        self,
        every: float,
        send: Callable[[Mark], bool],
        confirm: Callable[[Mark], bool],
        *,
        is_shared: bool,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._every = every
        self._send = send
        self._confirm = confirm
        self._is_shared = is_shared
        self._clock = clock
        self._waiting: dict[int, tuple[float, Mark]] = {}  # by epoch, the oldest first: since when
        self._not_before = float("-inf")

    def note(self, marks: Iterable[Mark]) -> None:
        """These moved, or were asked for again."""
        now = self._clock()
        for mark in marks:
            since, _ = self._waiting.get(mark.key, (now, mark))
            self._waiting[mark.key] = since, mark

    def tell(self, *, everything: bool = False) -> None:
        """Tell what is due. What could not be told stays."""
        now = self._clock()
        if not self._waiting or (now < self._not_before and not everything):
            return
        due = list(self._due(now, everything or len(self._waiting) <= _FEW))
        if due and not (self._in_turn(due) if self._is_shared else self._one_by_one(due)):
            self._not_before = now + _AGAIN

    def _due(self, now: float, everything: bool) -> Iterator[Mark]:
        for since, mark in islice(self._waiting.values(), _MOST):
            if not everything and now - since < self._every:
                return
            yield mark

    def _one_by_one(self, marks: list[Mark]) -> bool:
        for mark in marks:
            if not self._send(mark):
                return False
            del self._waiting[mark.key]
        return True

    def _in_turn(self, marks: list[Mark]) -> bool:
        try:
            with _turn() as is_ours:
                if not is_ours:
                    return False
                handled = dict(Epoch.objects.filter(pk__in=[m.key for m in marks]).values_list("pk", "handled"))
                newest = [Mark(m.meter, m.epoch, handled[m.key], m.key) for m in marks if m.key in handled]
                if not all(self._send(mark) for mark in newest[:-1]) or not all(map(self._confirm, newest[-1:])):
                    return False
        except django.db.Error:  # the writer says so at the next batch
            connection.close()
            return False
        for mark in marks:
            del self._waiting[mark.key]
        return True


@contextmanager
def _turn() -> Iterator[bool]:
    """A transaction in which no other worker tells; False: one does. On SQLite it holds the others off by itself."""
    with transaction.atomic():
        if connection.vendor != "postgresql":
            yield True
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            (is_ours,) = cursor.fetchone()
        yield is_ours
