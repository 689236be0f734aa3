"""The meter's line: unplugged, plugged in under another name, noisy."""

from __future__ import annotations

import pytest

from tests.faults.generator import any_of, flipped, joined, noise, truncated
from tests.faults.house import LONG, House

pytestmark = [pytest.mark.faults, pytest.mark.broker]


def test_the_adapter_is_unplugged_and_comes_back_under_another_name(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 4):
        said = len(house.bridge.said)
        house.accept(30)
        house.generator.unplug()
        house.bridge.wait_for("is the adapter unplugged?", after=said)
        house.pass_by(20)
        house.generator.plug()
        house.accept(10)
    house.keeps_its_promise()


def test_a_noisy_line_gives_fewer_readings_and_no_false_ones(house: House) -> None:
    house.start()
    house.generator.damage = any_of([noise, flipped, truncated, joined], 0.4)
    house.pass_by(1500 if LONG else 150)
    house.generator.damage = None
    verdict = house.keeps_its_promise()
    assert verdict.accepted < house.generator.counter
