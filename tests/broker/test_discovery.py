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


def retained(broker: Broker) -> set[str]:
    """What a new listener is told."""
    listening = Ear(broker.port)
    listening.say("the/end", "1")
    listening.wait_for("the/end")
    listening.close()
    return listening.last().keys() - {"the/end"}


def test_a_meter_is_removed_by_hand_and_leaves_nothing(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    config = configured(broker, tmp_path)
    bridge = run(config, "bridge")
    for meter in METERS:
        ear.wait_for(f"linky/{meter}/sinsts")
    refused = run(config, "discovery", "remove")
    assert refused.wait() == 1
    assert refused.said[-1:] == ["ticbridge: the bridge pi is running and would announce them again: stop it first"]
    assert bridge.stop() == 0
    ear.say(f"linky/{METERS[0]}/reading/ack", "{}")
    ear.say("linky/another/sinsts", "1")

    shown = run(config, "discovery", "show").output()
    assert all(topic(name) in shown for name in ("bridge_pi", *METERS))
    first = run(config, "discovery", "remove", METERS[1]).output().splitlines()
    assert first[0].startswith(f"removed {topic(METERS[1])}: ")
    assert [name for name in retained(broker) if METERS[1] in name] == []
    published = run(config, "discovery", "publish").output().splitlines()
    assert published[0] == f"published {topic('bridge_pi')}: 5 entities"
    assert published[1].startswith(f"published {topic(METERS[0])}: ")
    assert len(published) == 2
    second = run(config, "discovery", "remove").output().splitlines()
    assert [line.partition(":")[0] for line in second] == [
        f"removed {topic('bridge_pi')}", f"removed {topic(METERS[0])}", f"cleared linky/{METERS[0]}/#",
        "cleared linky/bridge/pi/#",
    ]  # fmt: skip
    assert retained(broker) == {"linky/another/sinsts"}
    assert run(config, "discovery", "remove").output() == "nothing was retained\n"
    unknown = run(config, "discovery", "remove", METERS[0])
    assert unknown.wait() == 1
    assert unknown.said[-1:] == [f"ticbridge: {METERS[0]} was not announced by the bridge pi"]


def test_what_is_let_out_no_more_leaves_the_broker(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    def kept() -> set[str]:
        return {where.removeprefix(f"linky/{METERS[0]}/") for where in retained(broker) if METERS[0] in where}

    first = run(configured(broker, tmp_path, (1,)), "bridge")
    for leaf in ("sinsts", "smaxsn", "smaxsn/attributes", "breaker_margin"):
        ear.wait_for(f"linky/{METERS[0]}/{leaf}")
    assert first.stop() == 0
    assert kept() > {"status", "sinsts", "smaxsn", "smaxsn/attributes", "breaker_margin"}
    second = run(configured(broker, tmp_path, (1,), publish={"fields": ["sinsts"]}), "bridge")
    ear.wait_for(f"linky/{METERS[0]}/smaxsn/attributes", lambda payload: payload == "")
    assert second.stop() == 0
    assert kept() == {"status", "sinsts", topic(METERS[0])}


def test_by_hand_without_a_meter_or_a_broker(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    config = configured(broker, tmp_path)
    unseen = run(config, "discovery", "show")
    assert unseen.wait() == 1
    assert unseen.said[-1:] == [
        "ticbridge: no meter was seen yet: `ticbridge bridge` announces it with its first frames"
    ]
    broker.stop()
    absent = run(config, "discovery", "remove")
    assert absent.wait() == 69
    assert absent.said[-1] == f"ticbridge: the broker localhost:{broker.port} did not answer within 10 s"
