"""The durable queue of readings."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import stat
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import room
from bridge import spool as module
from bridge.spool import IN_MEMORY, UNPROMISED_HOLD, Durability, Held, Spool, Stream
from bridge.spoolfile import connect, salvage

A, B = Stream("021861000001", "epoch-a"), Stream("021861000001", "epoch-b")
OTHER = Stream("041961000002", "epoch-b")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A spool in a folder, which can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "spool.sqlite3"
        self.clock = Clock()
        self.opened: list[Spool] = []

    def open(self, durability: Durability = "balanced", **options: Any) -> Spool:  # those of Spool
        spool = Spool(self.path, durability, clock=self.clock, **options)
        self.opened.append(spool)
        return spool

    def held(self, stream: Stream, seq: int, body: str | None = None) -> Held:
        return Held(stream, seq, self.clock.now, body or f'{{"seq":{seq}}}')

    def fill(self, spool: Spool, stream: Stream, *seqs: int) -> list[bool]:
        return [spool.put(self.held(stream, seq)) for seq in seqs]

    def on_disk(self) -> list[int]:
        with sqlite3.connect(self.path) as db:
            seqs = [seq for (seq,) in db.execute("SELECT seq FROM reading ORDER BY id")]
        db.close()
        return seqs

    def later(self, seconds: float) -> None:
        self.clock.now += seconds


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for spool in made.opened:
        spool.close()


def seqs(spool: Spool, stream: Stream, after: int = 0, limit: int = 1000) -> list[int]:
    return [held.seq for held in spool.after(stream, after, limit)]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    texts = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return texts


@pytest.fixture(autouse=True)
def _every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ticbridge.spool")


# --- what is held --------------------------------------------------------------------------------


def test_what_was_put_is_there_after_a_restart_without_a_goodbye(place: Place) -> None:
    first = place.open(boot="one")
    assert place.fill(first, A, 1, 2, 3) == [True] * 3
    second = place.open(boot="two")
    assert second.after(A, 1, 10) == [place.held(A, 2), place.held(A, 3)]
    assert (second.streams(), second.depth, second.boot(A), second.floor(A)) == ({A: (1, 3)}, 3, "one", 1)


def test_a_stream_is_read_in_order_and_in_parts(place: Place) -> None:
    spool = place.open()
    place.fill(spool, A, 1, 2)
    place.fill(spool, OTHER, 1)
    place.fill(spool, A, 3, 4)
    assert (seqs(spool, A, 0, 3), seqs(spool, A, 3, 3), seqs(spool, OTHER)) == ([1, 2, 3], [4], [1])
    assert spool.streams() == {A: (1, 4), OTHER: (1, 1)}


def test_what_is_released_is_gone_and_its_floor_with_it(place: Place) -> None:
    spool = place.open()
    place.fill(spool, A, 1, 2, 3)
    place.fill(spool, B, 1)
    assert (spool.release({A: 2}), spool.release({A: 2}), spool.release({OTHER: 9})) == (2, 0, 0)
    assert (spool.streams(), spool.depth, place.on_disk()) == ({A: (3, 3), B: (1, 1)}, 2, [3, 1])
    assert spool.release({A: 99}) == 1
    assert (spool.streams(), spool.floor(A)) == ({B: (1, 1)}, None)
    spool.forget(A)
    assert place.open().streams() == {B: (1, 1)}


def test_a_body_can_be_settled(place: Place) -> None:
    spool = place.open()
    place.fill(spool, A, 1, 2)
    spool.settle(place.held(A, 2, '{"ts":"now"}'))
    assert [held.body for held in spool.after(A, 0, 9)] == ['{"seq":1}', '{"ts":"now"}']


def test_a_fact_outlives_the_process(place: Place) -> None:
    assert place.open().recall("store_seen") is None
    place.opened[0].remember("store_seen", "1")
    assert place.open().recall("store_seen") == "1"


def test_the_file_is_its_owners_alone(place: Place) -> None:
    place.fill(place.open(), A, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.path.parent.iterdir()}
    assert modes == {"spool.sqlite3": 0o600, "spool.sqlite3-wal": 0o600, "spool.sqlite3-shm": 0o600}


@pytest.mark.parametrize(("durability", "level"), [("strict", 2), ("balanced", 1), ("sparing", 1)])
def test_strict_waits_for_the_disk_at_each_commit(place: Place, durability: Durability, level: int) -> None:
    spool = place.open(durability)
    assert spool._db is not None
    assert spool._db.execute("PRAGMA synchronous").fetchone()[0] == level


# --- sparing, and before the first store ---------------------------------------------------------


def test_a_sparing_spool_writes_only_what_stays_unconfirmed(place: Place) -> None:
    spool = place.open("sparing")
    spool.hold = 20.0
    assert place.fill(spool, A, 1, 2) == [True, True]
    place.later(10)
    place.fill(spool, A, 3)
    spool.release({A: 1})
    place.later(9.9)
    spool.tick()
    assert (place.on_disk(), spool.depth, seqs(spool, A), spool.floor(A)) == ([], 2, [2, 3], 2)
    place.later(0.1)
    spool.tick()
    assert (place.on_disk(), seqs(spool, A), spool.streams()) == ([2], [2, 3], {A: (2, 3)})
    spool.settle(place.held(A, 3, "{}"))
    assert (spool.release({A: 2}), [held.body for held in spool.after(A, 0, 9)]) == (1, ["{}"])


def test_a_sparing_spool_writes_all_when_it_is_closed(place: Place) -> None:
    spool = place.open("sparing")
    place.fill(spool, A, 1, 2)
    spool.close()
    assert place.on_disk() == [1, 2]


def test_while_no_store_was_seen_the_disk_is_spared_and_nothing_is_missed(place: Place) -> None:
    spool = place.open(max_frames=3)
    spool.promised = False
    assert place.fill(spool, A, 1, 2) == [True, True]
    place.later(UNPROMISED_HOLD)
    place.fill(spool, A, 3, 4)
    spool.tick()
    assert (place.on_disk(), spool.since(A)) == ([1, 2], 1)
    place.later(UNPROMISED_HOLD)
    place.fill(spool, A, 5)
    spool.tick()
    assert (place.on_disk(), seqs(spool, A), spool.since(A), spool.dropped) == ([2, 3, 4], [2, 3, 4, 5], 2, 0)
    assert place.open().since(A) == 2


def test_memory_is_bounded_while_no_store_was_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 3)
    spool = place.open()
    spool.promised = False
    place.fill(spool, A, *range(1, 6))
    assert (seqs(spool, A), spool.since(A), spool.dropped) == ([3, 4, 5], 3, 0)


# --- bounds --------------------------------------------------------------------------------------


def test_a_full_spool_drops_the_oldest_and_says_so_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    spool = place.open(max_frames=3)
    place.fill(spool, A, 1, 2, 3, 4, 5)
    assert (spool.streams(), spool.dropped, spool.depth) == ({A: (3, 5)}, 2, 3)
    assert said(caplog) == [f"The spool {place.path} is full: its oldest readings are dropped"]
    assert place.open(max_frames=3).streams() == {A: (3, 5)}


def test_the_last_of_a_stream_is_never_dropped_for_it_tells_what_is_missing(place: Place) -> None:
    spool = place.open(max_frames=3)
    place.fill(spool, A, 1, 2)
    place.fill(spool, B, 1, 2, 3)
    assert (spool.streams(), seqs(spool, A), seqs(spool, B), spool.dropped) == ({A: (2, 2), B: (2, 3)}, [2], [2, 3], 2)
    place.fill(spool, OTHER, 1)
    place.fill(spool, Stream("x", "y"), 1)  # nothing but last ones: more than it should hold, and no fewer
    assert (spool.depth, seqs(spool, B)) == (4, [3])


def test_with_little_disk_left_it_grows_no_more(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = namedtuple("usage", "free")
    free = [1000]
    monkeypatch.setattr(room, "_LEAST", 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(free[0]))
    spool = place.open(min_free_disk=500)
    place.fill(spool, A, 1, 2, 3)
    free[0] = 499
    place.later(1)
    place.fill(spool, A, 4, 5)
    assert (seqs(spool, A), spool.dropped) == ([3, 4, 5], 2)
    free[0] = 500
    place.later(1)
    place.fill(spool, A, 6)
    assert seqs(spool, A) == [3, 4, 5, 6]
    assert said(caplog)[0] == f"Less than spool.min_free_disk is free beside {place.path}: it grows no more"


def test_with_little_disk_from_the_start_it_still_keeps_some(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LEAST", 2)
    spool = place.open(min_free_disk=10**18)
    place.fill(spool, A, 1, 2, 3, 4)
    assert seqs(spool, A) == [3, 4]


def test_the_file_becomes_small_again(place: Place) -> None:
    spool = place.open()
    for seq in range(1, 3001):
        spool.put(place.held(A, seq, "x" * 1500))
    spool.tick()
    assert spool._db is not None
    spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    large = place.path.stat().st_size
    spool.release({A: 3000})
    spool.tick()
    spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert place.path.stat().st_size < large / 2


# --- trouble with the file -----------------------------------------------------------------------


class Full:
    """A disk on which nothing more can be written."""

    def __init__(self, spool: Spool) -> None:
        assert spool._db is not None
        spool._db.execute("PRAGMA query_only=1")  # SQLITE_READONLY at each write


def test_a_file_that_cannot_be_written_costs_no_reading(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    spool = place.open()
    place.fill(spool, A, 1)
    Full(spool)
    assert place.fill(spool, A, 2, 3) == [False, False]
    assert (seqs(spool, A, 1), spool.depth, spool.floor(A)) == ([2, 3], 3, 1)
    [sentence] = said(caplog)
    assert sentence == (
        f"The spool {place.path} cannot be written (attempt to write a readonly database): "
        "readings wait in memory; is the disk full?"
    )
    assert spool.trouble == sentence
    place.later(5)
    assert place.fill(spool, A, 4) == [True]
    assert (seqs(spool, A), place.on_disk(), spool.trouble) == ([1, 2, 3, 4], [1, 2, 3, 4], "")
    assert said(caplog) == [f"The spool {place.path} can be written again"]


def test_what_waits_in_memory_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 3)
    spool = place.open()
    Full(spool)
    assert place.fill(spool, A, *range(1, 6)) == [False] * 5
    assert (seqs(spool, A), spool.dropped, spool.floor(A)) == ([3, 4, 5], 2, 3)
    place.fill(spool, B, 1, 2, 3)
    assert (seqs(spool, A), seqs(spool, B), spool.dropped) == ([5], [2, 3], 5)


def test_a_place_where_nothing_can_be_written_is_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    place = Place(tmp_path)
    spool = place.open()
    assert place.fill(spool, A, 1) == [False]
    assert (seqs(spool, A), spool.release({A: 1}), spool.recall("x"), len(said(caplog))) == ([1], 1, None, 1)
    spool.remember("x", "1")
    spool.forget(A)
    spool.tick()
    spool.close()


def test_a_file_that_is_no_database_is_set_aside(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.path.parent.mkdir()
    place.path.write_bytes(b"this is no database" * 100)
    spool = place.open()
    assert place.fill(spool, A, 1) == [True]
    [aside] = [path for path in place.path.parent.iterdir() if ".broken-" in path.name]
    assert (aside.read_bytes()[:7], place.on_disk()) == (b"this is", [1])
    assert said(caplog)[0] == (
        f"The spool {place.path} is damaged (file is not a database): set aside as {aside.name}; "
        "0 readings could be read and are in a new one"
    )


def whole(stream: Stream, seq: int) -> str:
    """A body that says whose it is, as real ones do."""
    return json.dumps({"meter": stream.meter, "epoch": stream.epoch, "seq": seq, "text": "x" * 1500})


def test_what_can_be_read_of_a_file_that_breaks_is_kept_and_the_rest_is_counted(place: Place) -> None:
    first = place.open()
    for seq in range(1, 101):
        first.put(place.held(A, seq, whole(A, seq)))
    for seq in range(1, 11):
        first.put(place.held(OTHER, seq, whole(OTHER, seq)))
    first.remember("store_seen", "1")
    first.close()
    spool = place.open()
    place.fill(spool, A, 101)
    pages = place.path.stat().st_size // 4096
    with place.path.open("r+b") as file:
        file.seek(4096 * (pages // 2))
        file.write(os.urandom(4096 * 2))
    seqs(spool, A, 40)  # it is noticed when the file is read
    kept = seqs(spool, A), seqs(spool, OTHER)
    assert kept[0][:10] == list(range(1, 11))
    assert kept[1] == list(range(1, 11))
    assert 80 < len(kept[0]) < 101
    assert (spool.depth, spool.dropped) == (len(kept[0]) + 10, 111 - len(kept[0]) - 10)
    assert place.fill(spool, B, 1) == [True]
    assert (spool.streams(), spool.recall("store_seen")) == ({A: (1, kept[0][-1]), OTHER: (1, 10), B: (1, 1)}, "1")
    assert len([path for path in place.path.parent.iterdir() if path.name.endswith("-wal")]) == 1
    assert place.open().streams() == spool.streams()


def test_a_text_that_is_damaged_is_not_taken_over(place: Place) -> None:
    first = place.open()
    for seq, body in enumerate((whole(A, 1), whole(A, 7), whole(B, 3), "{", "[]", "5"), start=1):
        first.put(place.held(A, seq, body))
    first.close()
    new = connect(place.path.with_name("new"), strict=True)
    salvage(place.path, new)
    assert new.execute("SELECT seq FROM reading").fetchall() == [(1,)]
    new.close()


def test_what_is_damaged_and_cannot_be_set_aside_is_tried_again_later(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place.path.parent.mkdir()
    place.path.write_bytes(b"this is no database" * 100)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "rename", refuse)
    spool = place.open()
    assert place.fill(spool, A, 1) == [False]
    assert "cannot be written (file is not a database)" in said(caplog)[0]


def test_the_limit_of_memory_is_worth_some_minutes_of_a_fleet() -> None:
    assert IN_MEMORY == 10_000
