"""The spool's SQLite file: made, set aside when it is damaged, and then read as far as it can be."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_SPARE: Final = 512  # free pages in the file, from which on it is made smaller
_FREED: Final = 4_096  # at most so many at once: nobody waits for it long
_CORRUPT: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stream (
    id INTEGER PRIMARY KEY, meter TEXT NOT NULL, epoch TEXT NOT NULL, since INTEGER NOT NULL DEFAULT 1,
    boot TEXT NOT NULL DEFAULT '', UNIQUE (meter, epoch));
CREATE TABLE IF NOT EXISTS reading (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream, seq INTEGER NOT NULL, at REAL NOT NULL,
    body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS reading_once ON reading (stream, seq);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def connect(path: Path, *, strict: bool) -> sqlite3.Connection:
    """Open the file, make it if need be; for its owner alone. `strict`: each commit waits for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts only before the first table
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={'FULL' if strict else 'NORMAL'}")
        db.execute("PRAGMA journal_size_limit=4000000")
        db.execute("PRAGMA cache_size=-256")  # kilobytes; it is written and read from end to end
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def contents(db: sqlite3.Connection) -> tuple[list[tuple[int, str, str, int, str, int | None, int | None]], int]:
    """(id, meter, epoch, since, boot, first seq, last seq) of each stream, the oldest first; and how many readings."""
    rows = db.execute(
        "SELECT id, meter, epoch, since, boot, (SELECT min(seq) FROM reading WHERE stream = s.id), "
        "(SELECT max(seq) FROM reading WHERE stream = s.id) FROM stream AS s ORDER BY id"
    ).fetchall()
    return rows, db.execute("SELECT count(*) FROM reading").fetchone()[0]


def drop_oldest(db: sqlite3.Connection, number: int) -> tuple[int, dict[int, int]]:
    """Delete the oldest readings: how many there were to delete, and the last seq of each stream that lost some.

    The last of a stream stays: its floor tells the store what is missing, and nothing else would.
    """
    rows = db.execute(
        "SELECT id, stream, seq FROM reading AS r"
        " WHERE seq < (SELECT max(seq) FROM reading WHERE stream = r.stream) ORDER BY id LIMIT ?", (number,),
    ).fetchall()  # fmt: skip
    db.executemany("DELETE FROM reading WHERE id = ?", [(row[0],) for row in rows])
    return len(rows), {stream: seq for _, stream, seq in rows}


def shrink(db: sqlite3.Connection) -> None:
    """Give free pages back to the disk, some at a time."""
    if db.execute("PRAGMA freelist_count").fetchone()[0] > _SPARE:
        # As a script: `execute` takes one step, which is one page.
        db.executescript(f"PRAGMA incremental_vacuum({_FREED})")


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Whether an error says that the file itself is broken: trying again would not help."""
    return getattr(error, "sqlite_errorname", "").startswith(_CORRUPT)


def set_aside(path: Path) -> Path | None:
    """Rename a file that is broken; None when that is not allowed."""
    aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return None if path.exists() else aside


def salvage(broken: Path, new: sqlite3.Connection) -> None:
    """Copy what can be read of a broken file, from both ends: a damaged page hides what lies behind it."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(broken, isolation_level=None)) as old:
        new.execute("BEGIN IMMEDIATE")
        try:
            names = {}
            for row in old.execute("SELECT id, meter, epoch, since, boot FROM stream"):
                names[row[0]] = row[1:3]
                new.execute("INSERT OR IGNORE INTO stream VALUES (?, ?, ?, ?, ?)", row)
            with suppress(sqlite3.Error):
                new.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?)", old.execute("SELECT name, value FROM fact"))
            reached = 0
            for statement in ("ORDER BY id", "ORDER BY id DESC"):
                with suppress(sqlite3.Error):
                    for row in old.execute(f"SELECT id, stream, seq, at, body FROM reading {statement}"):  # noqa: S608  one of two
                        if statement == "ORDER BY id":
                            reached = row[0]
                        elif row[0] <= reached:
                            break
                        if _is_whole(names.get(row[1]), row[2], row[4]):
                            new.execute("INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?)", row)
        finally:
            new.execute("COMMIT")


def _is_whole(name: tuple[str, str] | None, seq: int, body: object) -> bool:
    """SQLite sees a damaged page, not a damaged text."""
    try:
        fields = json.loads(body) if isinstance(body, str) else {}
        return name == (fields["meter"], fields["epoch"]) and bool(seq == fields["seq"])
    except (ValueError, TypeError, KeyError):
        return False
