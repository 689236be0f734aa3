"""The network between the programs and the broker: cut, half open, slow."""

from __future__ import annotations

import pytest

from tests.faults.house import House
from tests.faults.station import long_only

pytestmark = [pytest.mark.faults, pytest.mark.broker]


def test_links_are_cut(house: House) -> None:
    house.start()
    for _ in house.rounds(3, 15):
        house.pass_by(house.random.randint(1, 60))
        house.random.choice([house.near, house.far]).cut()
    house.keeps_its_promise()


@long_only
def test_links_are_away(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 5):
        house.store_some()
        link = house.random.choice([house.near, house.far])
        link.refuse()
        house.pass_by(house.random.randint(30, 90))
        link.heal()
    house.keeps_its_promise()


def test_links_are_black_holes(house: House) -> None:
    """Nobody is told: the keep-alive has to find out. The link heals, the connections do not."""
    house.start()
    for _ in house.rounds(1, 2):
        house.store_some()
        house.near.swallow()
        house.far.swallow()
        house.pass_by(90)
        house.near.heal()
        house.far.heal()
        house.store_some()
    house.keeps_its_promise()


@long_only
def test_links_are_slow(house: House) -> None:
    house.start()
    house.near.slow(20_000)
    house.far.slow(20_000)
    house.pass_by(600)
    house.near.heal()
    house.far.heal()
    house.keeps_its_promise()
