"""The ledger's trigger, and that the verdict sees each way in which the promise can be broken."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.ledger import Name, Promised, Stored, count, judge, keep_ledger, newest, read_database, read_spool

EPOCH = "11111111-2222-4333-8444-555555555555"
A, B, C = (Name("061861000001", EPOCH, seq) for seq in (1, 2, 3))
SENT = {(A.meter, counter) for counter in (10, 11, 12)}
SPOOL = """
CREATE TABLE stream(id INTEGER PRIMARY KEY, meter TEXT, epoch TEXT, since INTEGER);
CREATE TABLE reading(id INTEGER PRIMARY KEY, stream INTEGER, seq INTEGER, at REAL, body TEXT);
"""


def body(counter: int | None) -> str:
    return json.dumps({"values": {} if counter is None else {"sinsts": counter}})


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    path = tmp_path / "spool.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SPOOL)
        connection.execute("INSERT INTO stream VALUES (7, ?, ?, 1)", (A.meter, EPOCH))
        connection.commit()
    keep_ledger(path)
    return path


def test_the_ledger_keeps_what_was_committed_and_forgets_nothing(spool: Path) -> None:
    insert = "INSERT INTO reading VALUES (NULL, 7, ?, 0.0, ?)"
    with closing(sqlite3.connect(spool)) as connection:
        connection.executemany(insert, [(1, body(10)), (2, body(None))])
        connection.commit()
        connection.execute(insert, (3, body(12)))
        connection.rollback()
        connection.execute("DELETE FROM reading WHERE seq = 1")
        connection.commit()
    assert read_spool(spool) == Promised({A: 10, B: None}, [], held=1)
    assert (count(spool, "ledger"), count(spool, "reading")) == (2, 1)


def test_a_name_that_is_accepted_twice_is_noticed(spool: Path) -> None:
    with closing(sqlite3.connect(spool)) as connection:
        connection.execute("INSERT INTO reading VALUES (NULL, 7, 1, 0.0, ?)", (body(10),))
        connection.execute("INSERT INTO reading VALUES (NULL, 7, 1, 0.0, ?)", (body(11),))
        connection.commit()
    assert read_spool(spool).twice == [A]


def test_the_newest_counter_is_that_of_the_last_commit(spool: Path) -> None:
    assert newest(spool, A.meter) is None
    with closing(sqlite3.connect(spool)) as connection:
        connection.execute("INSERT INTO reading VALUES (NULL, 7, 1, 0.0, ?)", (body(10),))
        connection.execute("INSERT INTO reading VALUES (NULL, 7, 2, 0.0, ?)", (body(12),))
        connection.commit()
    assert newest(spool, A.meter) == 12
    assert newest(spool, "another") is None


def test_ledgers_of_two_images_of_a_spool_are_one() -> None:
    promised = Promised({A: 1, B: 2}, held=5)
    promised.add(Promised({B: 2, C: 3}, held=1))
    assert promised == Promised({A: 1, B: 2, C: 3}, [], held=6)
    promised.add(Promised({C: 4}))
    assert promised.twice == [C]


def test_the_database_is_read_by_names(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as connection:
        connection.executescript(f"""
            CREATE TABLE storage_meter(id, meter_id); CREATE TABLE storage_epoch(id, meter_id, uuid);
            CREATE TABLE storage_data(epoch_id, seq, sinsts); CREATE TABLE storage_deadletter(epoch_id, seq, body);
            CREATE TABLE storage_gap(epoch_id, first, last);
            INSERT INTO storage_meter VALUES (5, '061861000001');
            INSERT INTO storage_epoch VALUES (6, 5, '{EPOCH.replace("-", "")}');
            INSERT INTO storage_data VALUES (6, 1, 10); INSERT INTO storage_deadletter VALUES (NULL, NULL, x'00');
            INSERT INTO storage_deadletter VALUES (6, 2, x'01'); INSERT INTO storage_gap VALUES (6, 3, 4);
        """)
        stored = read_database(lambda query: connection.execute(query).fetchall())
    assert stored == Stored([(A, 10)], [(None, b"\0"), (B, b"\1")], {C, A._replace(seq=4)})


def test_a_whole_database_is_right() -> None:
    verdict = judge(Promised({A: 10, B: None}), Stored([(A, 10), (B, None)]), SENT)
    assert verdict.wrong() == []
    assert (verdict.accepted, verdict.stored, verdict.duplicates, verdict.dead, verdict.gaps) == (2, 2, 0, 0, 0)


def test_a_reading_in_a_gap_or_set_aside_is_not_missing() -> None:
    verdict = judge(Promised({A: 10, B: 11, C: 12}), Stored([(A, 10)], [(B, b"")], {C}), SENT)
    assert verdict.wrong() == []
    assert (verdict.dead, verdict.gaps) == (1, 1)


@pytest.mark.parametrize(
    ("promised", "stored", "sentence"),
    [
        (Promised({A: 10, B: 11}), Stored([(A, 10)]), "1 missing in the database: 11111111/2"),
        (Promised({A: 10}), Stored([(A, 10), (B, 11)]), "1 stored and never accepted: 11111111/2"),
        (Promised({A: 10}), Stored([(A, 10), (A, 10)]), "1 stored twice: 11111111/1"),
        (Promised({A: 10, B: 10}), Stored([(A, 10), (B, 10)]), "1 counters stored twice: 10"),
        (Promised({A: 10}), Stored([(A, 11)]), "1 stored with another counter: 11111111/1"),
        (Promised({A: 10}, [A]), Stored([(A, 10)]), "1 accepted under a name that was taken: 11111111/1"),
        (Promised({A: 99}), Stored([(A, 99)]), "1 accepted and never on the line: 99"),
        (Promised({A: 10}), Stored([(A, 10)], gaps={A}), "1 in a gap and in the database: 11111111/1"),
        (Promised({A: 10}, held=3), Stored([(A, 10)]), "3 still in the spool"),
    ],
)
def test_each_broken_promise_is_said(promised: Promised, stored: Stored, sentence: str) -> None:
    verdict = judge(promised, stored, SENT)
    said = verdict.wrong()
    assert sentence in said
    assert [s for s in said if s != sentence and "stored twice" not in s] == []


def test_what_could_not_be_promised_may_be_stored_where_that_is_said() -> None:
    verdict = judge(Promised({A: 10}), Stored([(A, 10), (B, 11)]), SENT)
    assert verdict.wrong(may_send_unspooled=True) == []
    assert replace(verdict, held=1).wrong(may_send_unspooled=True) == ["1 still in the spool"]
