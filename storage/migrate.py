"""Who migrates, and who waits: `store` does it under a lock, `web` waits for it."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from storage.database import refusal
from storage.occupancy import database_file, locked

log = logging.getLogger("ticbridge.store")

PATIENCE: Final = 60.0  # seconds that `web` waits for the database to be up to date
_LOCK: Final = 0x71CB  # PostgreSQL advisory lock; any number of our own


def behind() -> bool:
    """Whether migrations wait to be applied."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> None:
    """Bring the database up to date; of several stores that start together, one does it and the others wait."""
    with _alone():
        if behind():
            log.info("Bringing the database up to date")
            call_command("migrate", verbosity=0, interactive=False)


def wait_until_migrated(sleep: Callable[[float], None] = time.sleep, patience: float = PATIENCE) -> bool:
    """Wait for another process to migrate; False when it did not in time."""
    until = time.monotonic() + patience
    said = None
    while True:
        # Asked first: a pool of connections waits long before it says no, and does not say why.
        reason = refusal()
        if reason not in (None, said):
            log.warning("Waiting for the database (%s)", reason)
            said = reason
        try:
            if reason is None and not behind():
                return True
        except OperationalError:
            connection.close()
        if time.monotonic() >= until:
            return False
        sleep(0.5)


@contextmanager
def _alone() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        return
    file = database_file()
    if file is None:
        yield  # a database of this process alone
        return
    with locked(file.with_name(f"{file.name}.migrating"), fcntl.LOCK_EX):
        yield
