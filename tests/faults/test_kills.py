"""Processes killed, at random and at the eight crash points of the hand-over."""

from __future__ import annotations

import signal
from typing import Final

import pytest

from tests.faults.conftest import Build
from tests.faults.house import LONG, House, long_only
from tests.faults.processes import Broker, Program

pytestmark = [pytest.mark.faults, pytest.mark.broker]

# In the order in which a reading passes them; the fourth one kills the broker.
IN_THE_BRIDGE: Final = (
    "before the spool's commit", "committed, not published", "published, no PUBACK", "PUBACK, and the broker dies",
    "watermark received, nothing released",
)  # fmt: skip
IN_THE_STORE: Final = ("received, not committed", "committed, not acknowledged", "acknowledged, no watermark")


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


@pytest.mark.parametrize("points", [(point,) * 4 for point in IN_THE_BRIDGE] if LONG else [IN_THE_BRIDGE])
def test_the_bridge_dies_at_a_crash_point(house: House, points: tuple[str, ...]) -> None:
    house.start(bridges=False)
    for point in points:
        house.crash(house.bridge, point, house.random.randint(1, 40))
    house.bridge.start()
    house.accept(1)
    house.keeps_its_promise()


@pytest.mark.parametrize("points", [(point,) * 4 for point in IN_THE_STORE] if LONG else [IN_THE_STORE])
def test_the_store_dies_at_a_crash_point(house: House, points: tuple[str, ...]) -> None:
    house.start(store=False)
    for point in points:
        house.crash(house.store, point, house.random.randint(1, 5))
    house.store.start()
    house.store_some()
    house.keeps_its_promise()
