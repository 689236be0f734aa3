"""A broker that is absent, forgets, refuses or drops; messages that no bridge sent."""

from __future__ import annotations

import json
import signal
from uuid import uuid4

import pytest

from bridge.handover import PATIENCE
from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.station import LONG, long_only

pytestmark = [pytest.mark.faults, pytest.mark.broker]


def test_the_broker_is_absent_at_the_start(house: House) -> None:
    house.start(broker=False)
    house.pass_by(60)
    house.broker.start()
    house.store_some()
    house.keeps_its_promise()


def test_the_broker_loses_all_that_it_kept(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 4):
        house.store_some()
        house.store.end(signal.SIGKILL)
        house.accept(60)
        house.broker.end()
        house.broker.wipe()
        house.broker.start()
        house.store.start()
    house.keeps_its_promise()


def _refuse_readings(house: House) -> None:
    """By its access list, for a while."""
    rules = house.folder / "acl"
    rules.write_text("topic readwrite #\n")
    rules.chmod(0o600)
    house.broker.options.append(f"acl_file {rules}")
    house.start()
    house.store_some()
    rules.write_text("topic deny linky/+/reading\ntopic readwrite #\n")
    house.broker.reload()
    house.bridge.wait_for("refuses what we publish")
    house.accept(60)
    rules.write_text("topic readwrite #\n")
    house.broker.reload()
    house.bridge.wait_for(f"for {house.patience:.0f} s: sending them again", seconds=2 * house.patience + PATIENCE)


def test_the_broker_refuses_the_topic_for_a_while(house: House) -> None:
    _refuse_readings(house)
    house.store_some()
    house.keeps_its_promise()


@long_only
def test_the_broker_refuses_the_topic_and_the_bridge_is_as_patient_as_it_is(house: House) -> None:
    house.bridge.tampering = {}
    house.patience = PATIENCE
    _refuse_readings(house)
    house.keeps_its_promise(seconds=240)


def test_the_broker_drops_what_its_queue_cannot_hold(house: House) -> None:
    house.broker.options += ["max_queued_messages 40", "max_inflight_messages 10"]
    house.start()
    for _ in house.rounds(1, 3):
        house.store_some()
        house.store.end(signal.SIGKILL)
        house.accept(100)
        house.store.start()
    house.keeps_its_promise()


@long_only
def test_the_older_protocol_is_enough(build: Build) -> None:
    """Nothing of the hand-over needs MQTT 5."""
    house = build(mqtt={"protocol": "3.1.1"})
    house.start()
    for _ in house.rounds(1, 4):
        house.store_some()
        house.broker.end(signal.SIGKILL)
        house.pass_by(40)
        house.broker.start()
    house.keeps_its_promise()


def test_two_bridges_with_one_id_throw_each_other_out(house: House) -> None:
    house.add_station("pi")
    house.start()
    house.pass_by(240 if LONG else 120)
    house.keeps_its_promise()


@long_only
def test_two_bridges_read_one_meter(house: House) -> None:
    """They share the topic of the watermark, and neither may believe the other's."""
    other = house.add_station("pi2", house.stations[0].meter)
    house.start()
    for _ in house.rounds(1, 4):
        house.store_some(20)
        house.replace(house.random.choice([house.bridge, other.bridge, house.store]))
        house.random.choice([house.near, house.far]).cut()
        house.pass_by(house.random.randint(1, 60))
    house.keeps_its_promise()


def test_messages_that_no_bridge_sent_are_set_aside_and_hold_nobody_up(house: House) -> None:
    house.start()
    house.store_some()
    meter = house.stations[0].meter
    envelope = {
        "v": 1, "meter": meter, "bridge": "x", "epoch": str(uuid4()), "seq": 1, "floor": 1, "tz": "Europe/Paris",
        "ts": "2026-01-02T03:04:05.000Z", "mode": "standard", "values": {},
    }  # fmt: skip
    for body in (
        b"", b"\xff\xfe", b"{", b"[" * 60_000, b'{"v": 1}',
        json.dumps({**envelope, "values": {"east": 10**400}}).encode(),
        json.dumps({**envelope, "meter": "of-another-topic"}).encode(),
        json.dumps({**envelope, "seq": 2, "values": {"east": float("nan")}}).encode(),
    ):  # fmt: skip
        house.inject(body)
        house.pass_by(5)
    house.replace(house.store)
    house.store_some()
    assert house.keeps_its_promise().dead >= len(house.injected)
