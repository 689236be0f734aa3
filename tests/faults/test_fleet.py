"""Several workers of one PostgreSQL, in a shared subscription: one dies, one comes, one is cut off.

mosquitto drops what a member without a session had in hand, and goes on giving a member with one its share while it is
away. So workers have none, and the bridges send again what no watermark covers.
"""

from __future__ import annotations

import signal

import pytest

from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.marks import Marks
from tests.postgresql import PostgreSQL

pytestmark = [pytest.mark.faults, pytest.mark.broker, pytest.mark.slow]

FOREVER = 3600.0


def start(house: House, **absent: bool) -> None:
    """Start, and wait until the tables are there and all workers listen."""
    house.start(**absent)
    for program in (house.store, *house.workers):
        program.wait_for("Connected to the broker")


def keeps_its_promise(house: House, marks: Marks) -> None:
    """The ledger equals the database, and no watermark fell or told more than was there."""
    house.keeps_its_promise()
    assert (marks.fallen, marks.untrue(house.execute)) == ([], [])
    newest = {(name.meter, name.epoch): name.seq for name in sorted(house.promised().readings)}
    assert marks.newest == newest


def test_a_worker_that_dies_with_readings_in_hand_loses_none(build: Build, postgresql: PostgreSQL) -> None:
    house = build(postgresql, meters=2)
    house.share(2)
    house.broker.start()
    with Marks(house.broker.port) as marks:
        start(house, broker=False)
        house.store_some(60)
        (worker,) = house.workers
        worker.end()
        house.crash(worker, "received, not committed", 3)
        house.workers.clear()  # it never comes back
        house.store_some(60)
        keeps_its_promise(house, marks)
    assert marks.heard > 0


@pytest.mark.long
def test_what_a_dead_worker_had_in_hand_comes_only_from_the_bridge(build: Build, postgresql: PostgreSQL) -> None:
    """The proof of the one before: where the bridge does not send again, something is missing."""
    house = build(postgresql)
    house.is_proof = True
    house.share(2)
    house.bridge.tampering["hurry"] = {**house.bridge.tampering["hurry"], "bridge.handover.PATIENCE": FOREVER}
    start(house)
    house.store_some(60)
    (worker,) = house.workers
    worker.end()
    house.crash(worker, "received, not committed", 3)
    house.workers.clear()
    verdict = house.settle(seconds=4)
    assert 0 < len(verdict.missing) <= verdict.held


@pytest.mark.long
def test_workers_come_go_and_are_cut_off(build: Build, postgresql: PostgreSQL) -> None:
    house = build(postgresql, meters=3)
    house.share(2)
    lonely, link = house.add_worker_behind_a_relay()
    house.broker.start()
    with Marks(house.broker.port) as marks:
        start(house, broker=False)
        house.store_some(100)
        link.swallow()  # it holds readings, and its part of the new ones goes into a hole until the keep-alive is over
        house.store_some(60)
        house.add_worker().start()
        house.store_some(60)
        house.workers[0].end(signal.SIGKILL)
        house.pass_by(120)
        link.heal()
        house.store_some(60)
        lonely.end(signal.SIGKILL)
        house.workers.clear()
        keeps_its_promise(house, marks)
