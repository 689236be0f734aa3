"""Processes killed, at random and at the eight crash points of the hand-over."""

from __future__ import annotations

import os
import signal
from typing import Final

import pytest

from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.processes import Broker, Program
from tests.faults.station import LONG, RATE, long_only

pytestmark = [pytest.mark.faults, pytest.mark.broker]

# In the order in which a reading passes them; the fourth one kills the broker.
IN_THE_BRIDGE: Final = (
    "before the spool's commit", "committed, not published", "published, no PUBACK", "PUBACK, and the broker dies",
    "watermark received, nothing released",
)  # fmt: skip
IN_THE_STORE: Final = ("received, not committed", "committed, not acknowledged", "acknowledged, no watermark")


def _in_turn(points: tuple[str, ...]) -> list[tuple[str, ...]]:
    """One cell for all of them, or in the long form one for each, three times."""
    return [(point,) * 3 for point in points] if LONG else [points]


def _words(points: tuple[str, ...]) -> str:
    return points[0] if LONG else "each in turn"


def test_nothing_is_lost_when_nothing_happens(house: House) -> None:
    house.start()
    house.pass_by(60)
    house.keeps_its_promise(how=signal.SIGTERM)
    assert [program.wait() for program in house.programs] == [0, 0]


@pytest.mark.parametrize("durability", ["balanced", *(["strict"] if LONG else [])])
def test_the_bridge_is_killed_at_random(build: Build, durability: str) -> None:
    house = build(spool={"durability": durability})
    house.start()
    for _ in house.rounds(2, 8):
        house.pass_by(house.random.randint(1, 60))
        house.replace(house.bridge)
        house.accept(1)
    house.keeps_its_promise()


def test_the_store_is_killed_at_random(house: House) -> None:
    house.start()
    for _ in house.rounds(2, 8):
        house.pass_by(house.random.randint(1, 60))
        house.replace(house.store)
        house.store_some()
    house.keeps_its_promise()


@long_only
def test_the_broker_is_stopped_and_started(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 5):
        house.store_some()
        house.broker.end(signal.SIGTERM)
        house.pass_by(house.random.randint(1, 90))
        house.broker.start()
    house.keeps_its_promise()


def test_the_broker_is_killed(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 5):
        house.store_some()
        house.broker.end(signal.SIGKILL)
        house.pass_by(house.random.randint(1, 90))
        house.broker.start()
    house.keeps_its_promise()


@long_only
def test_the_broker_is_killed_while_the_store_is_away(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 4):
        house.store_some()
        house.store.end(signal.SIGKILL)
        house.pass_by(60)
        house.broker.end(signal.SIGKILL)
        house.broker.start()
        house.accept(20)
        house.store.start()
    house.keeps_its_promise()


@long_only
def test_all_of_them_are_killed_at_random(house: House) -> None:
    house.start()
    victims: list[Program | Broker] = [house.bridge, house.store, house.broker]
    for _ in house.rounds(4, 24):
        house.pass_by(house.random.randint(1, 60))
        victim = house.random.choice(victims)
        victim.end(house.random.choice([signal.SIGTERM, signal.SIGKILL]))
        house.pass_by(house.random.randint(1, 60))
        victim.start()
    house.keeps_its_promise()


@long_only
def test_a_frozen_program_goes_on_where_it_was(house: House) -> None:
    """Stopped for longer than the keep-alive: it comes back to a connection that nobody holds."""
    house.start()
    assert house.broker.process is not None
    for pid in (house.store.pid, house.bridge.pid, house.broker.process.pid):
        house.store_some()
        os.kill(pid, signal.SIGSTOP)
        house.pass_by(12 * int(RATE))
        os.kill(pid, signal.SIGCONT)
    house.store_some()
    house.keeps_its_promise()


def test_workers_that_share_the_readings_are_killed(house: House) -> None:
    house.share(2)
    house.start()
    workers = [house.store, *house.workers]
    for _ in house.rounds(2, 10):
        house.store_some()
        house.pass_by(house.random.randint(1, 40))
        house.replace(house.random.choice(workers))
    house.store_some()
    house.keeps_its_promise()


@pytest.mark.parametrize("points", _in_turn(IN_THE_BRIDGE), ids=_words)
def test_the_bridge_dies_at_a_crash_point(house: House, points: tuple[str, ...]) -> None:
    house.start(bridges=False)
    for point in points:
        seldom = point == IN_THE_BRIDGE[-1]  # once a second, while the others are passed by each reading
        house.crash(house.bridge, point, house.random.randint(1, 5 if seldom else 40))
    house.bridge.start()
    house.accept(1)
    house.keeps_its_promise()


@pytest.mark.parametrize("points", _in_turn(IN_THE_STORE), ids=_words)
def test_the_store_dies_at_a_crash_point(house: House, points: tuple[str, ...]) -> None:
    house.start(store=False)
    for point in points:
        house.crash(house.store, point, house.random.randint(1, 5))
    house.store.start()
    house.store_some()
    house.keeps_its_promise()
