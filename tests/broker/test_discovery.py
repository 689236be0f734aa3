"""Discovery on a real broker: announced at once after a restart, cleared when it is outdated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.broker.conftest import Broker, Ear, Run

pytestmark = pytest.mark.broker

METERS = ("042161000001", "042161000002")


def configured(broker: Broker, folder: Path, seeds: tuple[int, ...] = (1, 2), **changes: Any) -> dict[str, Any]:
    return {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": f"sim:base?seed={seed}&speed=20"} for seed in seeds],
        "mqtt": {"port": broker.port},
        **changes,
    }


def topic(meter: str, prefix: str = "homeassistant") -> str:
    return f"{prefix}/device/linky_{meter}/config"


def test_a_meter_taken_out_of_the_configuration_is_cleared(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    first = run(configured(broker, tmp_path), "bridge")
    for meter in METERS:
        ear.wait_for(topic(meter))
    assert first.stop() == 0
    foreign = json.dumps({"origin": {"name": "ticbridge"}, "availability": [{"topic": "linky/bridge/other/status"}]})
    ear.say(topic("999999999999"), foreign)
    second = run(configured(broker, tmp_path, (1,)), "bridge")
    ear.wait_for(topic(METERS[1]), lambda payload: payload == "")
    assert second.stop() == 0
    last = ear.last()
    assert [bool(last[topic(meter)]) for meter in (*METERS, "999999999999")] == [True, False, True]


def test_another_prefix_leaves_nothing_under_the_old_one(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    first = run(configured(broker, tmp_path, (1,)), "bridge")
    ear.wait_for(topic(METERS[0]), lambda payload: "tempo_today" not in payload)
    assert first.stop() == 0
    path = tmp_path / "state" / "discovery.json"
    told = json.loads(path.read_text())
    told[topic(METERS[0])]["facts"]["slugs"].append("tempo_today")  # as if it had been on Tempo once
    path.write_text(json.dumps(told))
    second = run(configured(broker, tmp_path, (1,), homeassistant={"discovery_prefix": "ha"}), "bridge")
    # the first message after the start is whole
    assert "tempo_today" in json.loads(ear.wait_for(topic(METERS[0], "ha")))["components"]
    for old in (topic(METERS[0]), topic("bridge_pi")):
        ear.wait_for(old, lambda payload: payload == "")
    assert second.stop() == 0
