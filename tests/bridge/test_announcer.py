"""What a bridge told Home Assistant outlives the process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.announcer import Announcer
from bridge.config import ConfigError, Settings
from bridge.meter import Announcement, Known
from bridge.tic.models import Historique, Reading, Standard
from bridge.topics import Message
from tests.bridge.wire import METER

OTHER = "041961000002"


def settings(folder: Path, **homeassistant: Any) -> Settings:
    tree = {"bridge": {"id": "pi", "state_dir": str(folder / "state")}, "homeassistant": homeassistant}
    return Settings.model_validate(tree)


def said(meter: str = METER, *slugs: str, reading: Reading | None = None, phases: int = 1) -> Announcement:
    reading = reading or Standard(adsc=meter, vtic="02")
    return Announcement(meter, "Linky", reading, frozenset(slugs or ("sinsts", "east")), phases)


def of_meter(messages: list[Message], meter: str = METER) -> dict[str, Any]:
    [body] = [json.loads(m.payload) for m in messages if m.topic.endswith(f"linky_{meter}/config")]
    assert isinstance(body, dict)
    return body


def test_a_meter_is_recalled_after_a_restart(tmp_path: Path) -> None:
    first = Announcer(settings(tmp_path))
    assert first.recall(METER) == Known()
    list(first.announce(0, said(METER, "sinsts", "easf03", phases=3)))
    list(first.announce(1, said(OTHER, reading=Historique(adco=OTHER))))
    first.save()
    second = Announcer(settings(tmp_path))
    assert second.recall(METER) == Known(frozenset({"sinsts", "easf03"}), 3)
    assert second.recall(OTHER) == Known(frozenset({"sinsts", "east"}), 1)


def test_a_second_meter_has_entity_ids_of_its_own(tmp_path: Path) -> None:
    announcer = Announcer(settings(tmp_path))
    ids = [
        of_meter(list(announcer.announce(number, said(meter))), meter)["components"]["sinsts"]["default_entity_id"]
        for number, meter in enumerate((METER, OTHER))
    ]
    assert ids == ["sensor.linky_sinsts", "sensor.linky_0002_sinsts"]


def test_the_bridge_is_announced_before_its_meter(tmp_path: Path) -> None:
    announcer = Announcer(settings(tmp_path))
    topics = [message.topic for message in announcer.announce(0, said())]
    assert topics == ["homeassistant/device/linky_bridge_pi/config", f"homeassistant/device/linky_{METER}/config"]
    assert [message.topic for message in announcer.bridge()] == topics[:1]


def test_an_owners_overrides_reach_home_assistant(tmp_path: Path) -> None:
    overrides = {"sinsts": {"name": "Puissance", "enabled": False}, "east": None}
    told = of_meter(list(Announcer(settings(tmp_path, overrides=overrides)).announce(0, said())))["components"]
    assert told["sinsts"]["name"] == "Puissance"
    assert not told["sinsts"]["enabled_by_default"]
    assert told["east"] == {"platform": "sensor"}


def test_an_override_that_home_assistant_would_refuse_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        Announcer(settings(tmp_path, overrides={"sinsts": {"device_class": "power"}}))
    assert str(error.value) == (
        "homeassistant.overrides.sinsts.device_class: 'power' will not do; expected apparent_power"
    )


def test_without_home_assistant_nothing_is_announced_nor_remembered(tmp_path: Path) -> None:
    announcer = Announcer(settings(tmp_path, enabled=False))
    assert [*announcer.announce(0, said()), *announcer.bridge()] == []
    announcer.save()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"a": {"status": "x"}}', b"\xff"])
def test_a_damaged_file_is_said_and_begun_anew(tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "discovery.json"
    path.write_bytes(text)
    announcer = Announcer(settings(tmp_path))
    assert announcer.recall(METER) == Known()
    assert caplog.messages == [f"{path} is damaged: Home Assistant's entities are announced as their labels are seen"]


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.announcer._MOST", 2)
    announcer = Announcer(settings(tmp_path))
    for meter in (METER, OTHER, METER, "041961000003"):
        list(announcer.announce(0, said(meter)))
    # the one that was announced longest ago is forgotten
    assert [bool(announcer.recall(meter).slugs) for meter in (METER, OTHER, "041961000003")] == [True, False, True]
