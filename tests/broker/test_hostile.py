"""Whoever may write to a topic of readings: what they send passes the real broker and stops at the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bridge.envelope import read_name
from bridge.topics import Topics
from tests.bridge.hostile import EPOCH, HOSTILE, METER, TOPIC, body
from tests.broker.conftest import PATIENCE, Broker, Ear, Run

pytestmark = pytest.mark.broker


def test_hostile_readings_are_set_aside_and_the_store_goes_on(
    broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    # Of another epoch: a number that is stored is not set aside once more.
    other = EPOCH.replace("1", "7").encode()
    hostile = [message.replace(EPOCH.encode(), other) for topic, message, _ in HOSTILE.values() if topic == TOPIC]
    numbered = {name.seq for message in hostile if (name := read_name(Topics(), TOPIC, message)) is not None}
    unnumbered = [message for message in hostile if read_name(Topics(), TOPIC, message) is None]
    config = {
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "storage": {"database": f"sqlite:///{tmp_path / 'db.sqlite3'}", "batch": {"rows": 20, "seconds": 0.2}},
    }
    store = run(config, "store")
    ear.wait_for_topic("linky/store/", "online")
    ear.close()  # it reads UTF-8 only
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    # The broker keeps from us what is larger than we said we take.
    for number, message in enumerate([*hostile, b"x" * 300_000], start=1):
        for sent in (message, body(number)):
            client.publish(TOPIC, sent, qos=1).wait_for_publish(PATIENCE)
    listening = Ear(broker.port)
    good = len(hostile) + 1
    mark = listening.wait_for(f"linky/{METER}/reading/ack", _reaches(good))
    assert json.loads(mark)["epoch"] == EPOCH
    listening.close()
    client.disconnect()
    client.loop_stop()
    assert store.stop() == 0
    assert store.counts() == {"stored": good, "duplicates": 0, "mismatched": 0, "dead": len(hostile), "lacking": 0}
    assert [line for line in store.said if "Traceback" in line or " ERROR ticbridge" in line] == []
    with sqlite3.connect(tmp_path / "db.sqlite3") as connection:
        [(letters,)] = connection.execute("SELECT count(*) FROM storage_deadletter")
    connection.close()
    assert letters == len(unnumbered) + len(numbered)


def _reaches(seq: int) -> Callable[[str], bool]:
    return lambda payload: bool(json.loads(payload)["epoch"] == EPOCH and json.loads(payload)["seq"] == seq)
