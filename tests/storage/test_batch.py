"""What a writer does when the database refuses, and when a batch is full."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import django.db
import pytest

from bridge.config import BatchSettings
from bridge.topics import Topics
from storage.batch import WriteError, Writer, collect
from storage.ingest import Incoming, Outcome
from storage.selection import EVERYTHING, Selection

LOCKED = django.db.OperationalError("database is locked")
BROKEN = django.db.OperationalError("disk I/O error")
BATCH = [Incoming("topic", b"body")]


class Stopping(threading.Event):
    """Waits take no time; they are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


@dataclass
class Database:
    """Fails as told, one error for each try; then it stores."""

    errors: list[django.db.Error] = field(default_factory=list)
    tries: int = 0

    def ingest(self, _: Topics, batch: Sequence[Incoming], selection: Selection) -> Outcome:
        assert selection is EVERYTHING
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return Outcome(stored=len(batch))


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    made = Database()
    monkeypatch.setattr("storage.batch.ingest", made.ingest)
    monkeypatch.setattr("storage.batch.connection", Connection())
    monkeypatch.setattr("storage.batch.close_old_connections", lambda: None)
    return made


class Connection:
    """That of the database above."""

    def close(self) -> None:
        """Nothing to close."""


def writer(max_errors: int | None = None) -> Writer:
    return Writer(Topics(), Stopping(), max_errors=max_errors)


def test_a_writer_tries_until_it_can_with_growing_pauses(database: Database) -> None:
    patient = writer()
    database.errors = [LOCKED, *[BROKEN] * 9]
    assert patient.write(BATCH) == Outcome(stored=1)
    assert isinstance(patient.stopping, Stopping)
    assert patient.stopping.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


def test_after_so_many_errors_in_a_row_it_gives_up(database: Database) -> None:
    database.errors = [BROKEN] * 4
    with pytest.raises(WriteError) as caught:
        writer(max_errors=3).write(BATCH)
    assert str(caught.value) == (
        "The database could not be written 3 times in a row (disk I/O error): does it run, is there room on the disk?"
    )
    assert database.tries == 3


def test_success_begins_the_count_anew(database: Database) -> None:
    strict = writer(max_errors=3)
    for _ in range(5):
        database.errors = [BROKEN, BROKEN]
        assert strict.write(BATCH) == Outcome(stored=1)
    assert strict.total == Outcome(stored=5)


def test_a_lock_is_waited_for_before_it_counts_as_an_error(database: Database) -> None:
    database.errors = [LOCKED] * 20
    assert writer(max_errors=1).write(BATCH) == Outcome(stored=1)
    database.errors = [LOCKED] * 21
    with pytest.raises(WriteError, match="1 times in a row"):
        writer(max_errors=1).write(BATCH)


def test_a_lock_is_what_sqlite_says_of_one() -> None:
    one, other = (sqlite3.connect("file:lock?mode=memory&cache=shared", uri=True, timeout=0) for _ in range(2))
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        other.execute("BEGIN IMMEDIATE")
    assert "locked" in str(caught.value)
    one.close()
    other.close()


@pytest.mark.parametrize("error", [BROKEN, LOCKED])
def test_when_it_is_to_stop_one_try_is_all(error: django.db.Error, database: Database) -> None:
    stopped = writer(max_errors=10)
    assert isinstance(stopped.stopping, Stopping)
    stopped.stopping.set()
    database.errors = [error] * 3
    assert stopped.write(BATCH) is None
    assert database.tries == 1


def test_a_batch_is_full_or_over() -> None:
    inbox: queue.Queue[int] = queue.Queue()
    for number in range(5):
        inbox.put(number)
    limits = BatchSettings(rows=3, seconds=600)
    assert collect(inbox, limits, lambda: False) == [0, 1, 2]
    assert collect(inbox, limits, inbox.empty) == [3, 4]
    assert collect(inbox, limits, inbox.empty) == []


def test_a_batch_waits_no_longer_than_it_may() -> None:
    inbox: queue.Queue[int] = queue.Queue()
    inbox.put(1)
    assert collect(inbox, BatchSettings(rows=3, seconds=0.01), lambda: False) == [1]
