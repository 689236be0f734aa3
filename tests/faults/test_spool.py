"""The spool itself: too small, put back from an older image, locked, and before any store was seen."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.ledger import count
from tests.faults.station import LONG, RATE, long_only

pytestmark = [pytest.mark.faults, pytest.mark.broker]


@pytest.mark.parametrize("broker", ["forgets", *(["remembers"] if LONG else [])])
def test_a_spool_that_overflows_leaves_a_gap_of_exactly_what_it_dropped(build: Build, broker: str) -> None:
    house = build(spool={"max_frames": 100})
    house.may_give_up = True
    house.start()
    for _ in house.rounds(1, 3):
        house.store_some()
        house.store.end(signal.SIGKILL)
        if broker == "forgets":
            house.broker.end(signal.SIGKILL)
            house.accept(150)
            house.broker.start()
        else:  # what it kept may come long after it was given up
            house.broker.options = ["max_queued_messages 50", "max_inflight_messages 10"]
            house.replace_broker()
            house.accept(300)
        house.store.start()
    verdict = house.keeps_its_promise()
    assert verdict.gaps > 0
    assert verdict.stored + verdict.gaps == verdict.accepted


def test_an_older_image_of_the_spool_is_put_back(house: House) -> None:
    """As when an SD card is restored: what it holds was stored long ago, and no new reading may pass for it."""
    house.start(store=False)
    house.accept(40)
    station = house.stations[0]
    house.bridge.end(signal.SIGKILL)
    image = house.folder / "image"
    shutil.copytree(station.state, image)
    house.bridge.start()
    house.store.start()
    house.accept(40)
    station.wait_until_read()
    house.wait(lambda: count(station.spool, "reading") == 0, "the spool never empties")
    house.bridge.end(signal.SIGKILL)
    station.remember()
    shutil.rmtree(station.state)
    shutil.copytree(image, station.state)
    house.bridge.start()
    station.generator.start(RATE)
    house.accept(40)
    house.keeps_its_promise()


@long_only
def test_the_spool_is_locked_by_another_program(house: House) -> None:
    house.may_send_unspooled = True
    house.start()
    house.store_some()
    with closing(sqlite3.connect(house.stations[0].spool, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        house.pass_by(900)
        connection.execute("ROLLBACK")
    house.accept(1)
    house.keeps_its_promise()


def test_what_came_before_the_first_store_is_stored_when_one_comes(build: Build) -> None:
    house = build(spool={"release": "auto"})
    house.start(store=False, wait=False)
    house.pass_by(90)
    house.store.start()
    house.store_some(60)
    house.keeps_its_promise()


@long_only
def test_a_sparing_spool_loses_nothing_while_its_bridge_is_not_killed(build: Build) -> None:
    """Most readings are released before it writes them, so the ledger here is what the bridge says it decoded."""
    house = build(spool={"durability": "sparing"})
    house.start(wait=False)
    house.store_some()
    house.broker.end(signal.SIGKILL)
    house.pass_by(15 * int(RATE))  # longer than it holds them in memory
    house.broker.start()
    house.store_some()
    house.broker.end(signal.SIGKILL)
    house.generator.stop()
    house.bridge.end()
    decoded = json.loads(house.bridge.said[-1])["decoded"]
    house.broker.start()
    house.bridge.start()
    house.wait(lambda: len(house.stored().rows) >= decoded, f"not all of {decoded} are stored")
    house.wait(lambda: count(house.stations[0].spool, "reading") == 0, "the spool never empties")
    counters = [counter for _, counter in house.stored().rows]
    assert len(counters) == len(set(counters)) == decoded


def test_a_damaged_spool_is_set_aside_and_what_comes_after_is_kept(house: House) -> None:
    house.is_promise = False
    house.start(store=False)
    house.accept(30)
    station = house.stations[0]
    house.bridge.end(signal.SIGKILL)
    station.remember()
    station.spool.write_bytes(b"no database any more" * 1000)
    for rest in ("-wal", "-shm"):
        station.spool.with_name(station.spool.name + rest).unlink(missing_ok=True)
    station.make_spool()
    house.bridge.start()
    house.store.start()
    house.store_some(30)
    verdict = house.settle()
    assert {name.epoch for name in verdict.missing} <= {name.epoch for name in station.remembered.readings}
    assert verdict.stored == verdict.accepted - len(verdict.missing) > 0
    assert not verdict.duplicates
    assert len(list(station.state.glob("spool.sqlite3.broken-*"))) == 1
