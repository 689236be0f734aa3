"""A copy of an SQLite database while others write to it, and the way back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from storage.exchange.errors import ExchangeError
from storage.exchange.files import Kind, kind_of, sha256_of, written
from storage.migrate import migrate
from storage.occupancy import alone, database_file, in_use

Progress = Callable[[int, int], None]  # pages done, pages in all

_PAGES: Final = 1024  # of one step
_BESIDE: Final = ("-wal", "-shm", "-journal")


def our_file() -> Path:
    """The database's file; PostgreSQL has its own tools, which are named."""
    file = database_file()
    if file is not None:
        return file
    if connection.vendor != "postgresql":
        raise ExchangeError("the database lives in memory: there is nothing to copy")
    raise ExchangeError(f"PostgreSQL has its own tools: {_dump(connection.settings_dict)}")


def _dump(settings: dict[str, Any]) -> str:  # Django's own
    given = {"host": settings["HOST"], "port": settings["PORT"], "username": settings["USER"]}
    where = " ".join(f"--{name}={value}" for name, value in given.items() if value)
    name = settings["NAME"]
    return (
        f"`pg_dump {where} --format=custom --file=FILE {name}` to back up, and with the store and the page stopped "
        f"`pg_restore {where} --clean --if-exists --no-owner --single-transaction --dbname={name} FILE` to restore"
    )


def dump_command() -> str:
    """How PostgreSQL itself backs the database up."""
    return _dump(connection.settings_dict).split("`")[1]


def back_up(out: Path, progress: Progress = lambda *_: None) -> str:
    """Copy the database into a new file, check the copy, and return its hash, which stands in `FILE.sha256` too."""
    source = our_file()
    if not source.exists():
        raise ExchangeError(f"{source} does not exist: is storage.database right?")
    if out.exists():
        raise ExchangeError(f"{out} exists: give another name")
    with written(out, 0o600) as part:
        _copy(source, part, progress)
        check(part, out)
        digest = sha256_of(part)
    with written(_hash_beside(out), 0o600) as part:
        part.write_text(f"{digest}  {out.name}\n")
    return digest


def _hash_beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """A consistent copy in one file.

    The source is read inside one transaction: without it, each commit of a store that goes on writing would make
    SQLite begin the copy anew.
    """
    with closing(_open(source, "ro")) as reader, closing(_open(target, "rw")) as writer:
        try:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reader.backup(writer, pages=_PAGES, progress=lambda _, left, all_: progress(all_ - left, all_))
            writer.execute("PRAGMA journal_mode=DELETE").fetchone()  # else it would need its folder to be read
        except sqlite3.Error as error:
            raise ExchangeError(f"{source} cannot be copied ({error})") from None


def _open(file: Path, mode: str) -> sqlite3.Connection:
    """Without Python's own transactions; `mode` as in SQLite's URI."""
    try:
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=20)
    except sqlite3.Error as error:
        raise ExchangeError(f"{file} cannot be opened ({error})") from None


def check(file: Path, name: Path) -> None:
    """Refuse a database that SQLite finds damaged."""
    with closing(_open(file, "ro")) as database:
        try:
            said = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            said = str(error)
    if said != "ok":
        raise ExchangeError(f"{name} is damaged ({said}): it is not used")


def restore(backup: Path, now: datetime, progress: Progress = lambda *_: None) -> Path | None:
    """Put a backup in the database's place and bring it up to date; what was there is kept, and its name returned.

    Nothing is touched before the backup is proven; a failure after that puts back what was there.
    """
    target = our_file()
    _check_backup(backup)
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target):
        _refuse_open(target)
        aside = target.with_name(f"{target.name}.before-{now:%Y%m%dT%H%M%S}") if target.exists() else None
        with _replaced(target, aside) as part:
            _copy(backup, part, progress)
            check(part, backup)
        connection.close()
        try:
            migrate()
        except BaseException:
            connection.close()
            _put_back(target, aside)
            raise
    return aside


def _check_backup(backup: Path) -> None:
    if kind_of(backup) is not Kind.SQLITE:
        raise ExchangeError(f"{backup} is no SQLite database: is it a file of `ticbridge backup`?")
    beside = _hash_beside(backup)
    if beside.exists() and beside.read_text().split()[:1] != [sha256_of(backup)]:
        raise ExchangeError(f"{backup} is not what {beside.name} says: it is damaged, or another file")
    check(backup, backup)
    with closing(_open(backup, "ro")) as database:
        try:
            applied = set(database.execute("SELECT app, name FROM django_migrations"))
        except sqlite3.Error:
            applied = set()
    if ("storage", "0001_first") not in applied:
        raise ExchangeError(f"{backup} is no database of ticbridge")
    loader = MigrationLoader(None)
    newer = sorted(key for key in applied if key[0] in loader.migrated_apps and key not in loader.disk_migrations)
    if newer:
        app, name = newer[-1]
        raise ExchangeError(f"{backup} is of a newer version ({app} {name}): update ticbridge first")


def _refuse_open(target: Path) -> None:
    """Turn away when another program has the file open: leaving WAL mode needs it alone, and empties the WAL too.

    The lock tells of our own processes even when they have no connection just now; this tells of all others.
    """
    connection.close()
    if not target.exists():
        return
    with closing(_open(target, "rw")) as database:
        try:
            database.execute("PRAGMA busy_timeout=0")
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise ExchangeError(in_use(target)) from None
        except sqlite3.DatabaseError:
            pass  # damaged, which is why it is to be replaced


@contextmanager
def _replaced(target: Path, aside: Path | None) -> Iterator[Path]:
    """A file to write, which becomes the database when all went well; what was there goes aside, never away."""
    part = target.with_name(f".{target.name}.restoring")
    part.unlink(missing_ok=True)  # of a restore that was killed
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        owner = (target if aside else target.parent).stat()
        if os.geteuid() == 0:
            os.chown(part, owner.st_uid, owner.st_gid)  # the service could not write what is root's
        yield part
        if aside is not None:
            os.chmod(part, owner.st_mode)  # noqa: PTH101  as the others here
            _keep(target, aside)
        part.replace(target)
    except OSError as error:
        raise ExchangeError(f"{target} cannot be replaced ({error.strerror}): is there room?") from None
    finally:
        part.unlink(missing_ok=True)


def _keep(target: Path, aside: Path) -> None:
    """Give the database a second name: at no moment is there none, for a store that starts would make an empty one."""
    _move_beside(target, aside)
    try:
        aside.hardlink_to(target)
    except OSError:  # a file system without such links
        target.replace(aside)


def _move_beside(file: Path, to: Path) -> None:
    """What SQLite keeps beside a database that was damaged."""
    for suffix in _BESIDE:
        beside = file.with_name(file.name + suffix)
        if beside.exists():
            beside.replace(to.with_name(to.name + suffix))


def _put_back(target: Path, aside: Path | None) -> None:
    for suffix in _BESIDE:
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    if aside is None:
        target.unlink()
    else:
        _move_beside(aside, target)
        aside.replace(target)
