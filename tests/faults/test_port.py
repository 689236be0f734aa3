"""The meter's line: unplugged, plugged in under another name, noisy."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.faults.conftest import Build
from tests.faults.generator import SerialServer, any_of, flipped, joined, noise, truncated
from tests.faults.house import House
from tests.faults.relay import Relay
from tests.faults.station import LONG, long_only

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


def test_one_of_two_ports_fails_and_the_other_meter_goes_on(build: Build) -> None:
    house = build(meters=2)
    house.start()
    _, other = house.stations[0].generators
    for _ in house.rounds(1, 4):
        said = len(house.bridge.said)
        other.unplug()
        house.bridge.wait_for("is the adapter unplugged?", after=said)
        house.store_some(30)
        other.plug()
        house.bridge.wait_for(f"Reading {other.link}", after=said)
    house.keeps_its_promise()


@long_only
def test_a_serial_server_that_is_half_open_is_left_for_a_new_connection(house: House) -> None:
    with (
        closing(SerialServer(house.generator.link)) as server,
        closing(Relay(server.port)) as link,
    ):
        house.bridge.config["meters"][0]["source"] = f"socket://127.0.0.1:{link.port}"
        house.start()
        house.accept(60)
        said = len(house.bridge.said)
        link.swallow()
        house.bridge.wait_for("No signal", after=said)
        link.heal()
        house.accept(60)
        link.cut()
        house.accept(60)
        house.keeps_its_promise()
