"""Who works on the database: store and page say so as long as they run, `restore` wants to be alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


class OccupiedError(Exception):
    """Somebody else is at work; the text says what to do."""


def database_file() -> Path | None:
    """SQLite's file; None when the database is none, or lives in this process alone."""
    name = str(connection.settings_dict["NAME"])
    return Path(name) if connection.vendor == "sqlite" and Path(name).is_absolute() else None


@contextmanager
def locked(beside: Path, how: int, taken: str = "") -> Iterator[None]:
    """Hold a lock on a file that is made when it is missing; the kernel frees it when we end, however we end.

    A lock that is not waited for and not had is an OccupiedError that says `taken`. The file is opened for reading:
    root may have made it, and a lock needs no more.
    """
    descriptor = os.open(beside, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            raise OccupiedError(taken) from None
        yield
    finally:
        os.close(descriptor)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.inuse")


@contextmanager
def occupied() -> Iterator[None]:
    """Be one of those who work on the database, for as long as this lasts."""
    file = database_file()
    if file is None:
        yield
        return
    taken = f"{file} is being restored: try again when that is done"
    with locked(_beside(file), fcntl.LOCK_SH | fcntl.LOCK_NB, taken):
        yield


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only one who works on the database: whoever starts meanwhile is turned away."""
    with locked(_beside(file), fcntl.LOCK_EX | fcntl.LOCK_NB, in_use(file)):
        yield


def in_use(file: Path) -> str:
    """What to do when others work on the database."""
    return (
        f"{file} is in use: stop `ticbridge store`, `web`, `up` and imports first "
        "(sudo systemctl stop ticbridge-store ticbridge-web)"
    )
