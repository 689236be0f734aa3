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


def test_what_its_owner_withholds_is_removed_and_stays_so(tmp_path: Path) -> None:
    withheld = Announcement(METER, "Linky", Standard(adsc=METER), frozenset({"sinsts"}), 1, frozenset({"prm"}))
    first = Announcer(settings(tmp_path))
    assert of_meter(list(first.announce(0, withheld)))["components"]["prm"] == {"platform": "sensor"}
    assert first.recall(METER) == Known(frozenset({"sinsts", "prm"}))


def test_entities_of_another_program_are_taken_over_once(tmp_path: Path) -> None:
    where, unique_id = f"homeassistant/sensor/teleinfo/{METER}_east/config", f"teleinfo_{METER}_EAST"
    pattern = "homeassistant/sensor/teleinfo/{meter}_{label}/config"
    first = Announcer(settings(tmp_path, migrate_discovery=pattern))
    assert first.filters == ["homeassistant/device/+/config", "homeassistant/sensor/teleinfo/+/config"]
    # an entity that exists cannot change its id: nothing is announced before the broker told what it retains
    assert list(first.announce(0, said())) == []
    assert not first.hear(where, json.dumps({"unique_id": unique_id}).encode())
    assert (first.settle(), first.settle()) == (True, False)
    messages = list(first.announce(0, said()))
    assert [m.topic.removeprefix("homeassistant/") for m in messages] == [
        "device/linky_bridge_pi/config",
        where.removeprefix("homeassistant/"),
        f"device/linky_{METER}/config",
        where.removeprefix("homeassistant/"),
    ]
    assert [messages[1].payload, messages[3].payload] == ['{"migrate_discovery": true}', ""]
    first.save()
    # and stays under its id, with the option or without
    for announcer in (first, Announcer(settings(tmp_path))):
        again = list(announcer.announce(0, said()))
        ids = {key: part["unique_id"] for key, part in of_meter(again)["components"].items()}
        assert (ids["east"], ids["sinsts"], len(again)) == (unique_id, f"linky_{METER}_sinsts", 2)


# --- what this bridge announces no more -------------------------------------------------------------


def discovered(folder: Path, meters: tuple[str, ...] = (METER,), **bridge: Any) -> dict[str, bytes]:
    """What stands at the broker after a start with this configuration; what was told is remembered."""
    tree = {"bridge": {"id": "pi", "state_dir": str(folder / "state")}} | bridge
    announcer = Announcer(Settings.model_validate(tree))
    messages = [m for n, meter in enumerate(meters) for m in announcer.announce(n, said(meter))]
    announcer.save()
    return {message.topic: message.payload.encode() for message in messages}


def cleared(announcer: Announcer, retained: dict[str, bytes], meters: tuple[str, ...] = (METER,)) -> list[str]:
    for where, body in retained.items():
        announcer.hear(where, body)
    messages = announcer.outdated(meters)
    assert {(message.payload, message.retain, message.qos) for message in messages} <= {("", True, 1)}
    assert announcer.outdated(meters) == []
    return [message.topic for message in messages]


def test_a_meter_that_is_no_longer_configured_is_cleared(tmp_path: Path) -> None:
    retained = discovered(tmp_path, (METER, OTHER))
    announcer = Announcer(settings(tmp_path))
    assert announcer.filters == ["homeassistant/device/+/config"]
    assert cleared(announcer, retained) == [f"homeassistant/device/linky_{OTHER}/config"]
    assert announcer.recall(OTHER) == Known()


def test_so_it_is_when_the_file_was_lost(tmp_path: Path) -> None:
    retained = discovered(tmp_path / "lost", (METER, OTHER))
    assert cleared(Announcer(settings(tmp_path)), retained) == [f"homeassistant/device/linky_{OTHER}/config"]


def test_another_prefix_clears_all_that_stands_under_the_old_one(tmp_path: Path) -> None:
    retained = discovered(tmp_path)
    announcer = Announcer(settings(tmp_path, discovery_prefix="ha"))
    assert sorted(announcer.filters) == ["ha/device/+/config", *sorted(retained)]
    assert announcer.recall(METER).slugs == {"sinsts", "east"}
    assert cleared(announcer, retained) == sorted(retained)


def test_another_id_of_the_bridge_clears_the_old_device(tmp_path: Path) -> None:
    retained = discovered(tmp_path, bridge={"id": "old", "state_dir": str(tmp_path / "state")})
    announcer = Announcer(settings(tmp_path))
    list(announcer.announce(0, said()))
    assert cleared(announcer, retained) == ["homeassistant/device/linky_bridge_old/config"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ticbridge",
        b"[]",
        b'{"origin": {"name": "ticbridge"}}',
        b'{"origin": {"name": "ticbridge"}, "components": {"connected": {}}}',
        b'{"origin": {"name": "another"}, "x": "ticbridge", "availability": [{"topic": "linky/bridge/pi/status"}]}',
        b'{"origin": {"name": "ticbridge"}, "availability": [{"topic": "linky/bridge/another/status"}]}',
        b'{"origin": {"name": "ticbridge"}, "availability": [{"topic": "maison/bridge/pi/status"}]}',
    ],
)
def test_what_others_announced_is_left_alone(tmp_path: Path, body: bytes) -> None:
    # a meter that moved to another bridge is remembered here, and announced there
    retained = dict.fromkeys(discovered(tmp_path, (METER, OTHER)), body)
    assert cleared(Announcer(settings(tmp_path)), retained) == []


def test_without_home_assistant_nothing_is_announced_nor_remembered(tmp_path: Path) -> None:
    announcer = Announcer(settings(tmp_path, enabled=False))
    assert [*announcer.announce(0, said()), *announcer.bridge()] == []
    announcer.save()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"a": {"facts": null}}', b"\xff"])
def test_a_damaged_file_is_said_and_begun_anew(tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "discovery.json"
    path.write_bytes(text)
    announcer = Announcer(settings(tmp_path))
    assert announcer.recall(METER) == Known()
    assert caplog.messages == [f"{path} is damaged: Home Assistant's entities are announced as their labels are seen"]


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.announcer._MOST", 3)
    announcer = Announcer(settings(tmp_path))
    for meter in (METER, OTHER, METER, "041961000003"):
        list(announcer.announce(0, said(meter)))
    # the one that was announced longest ago is forgotten
    assert [bool(announcer.recall(meter).slugs) for meter in (METER, OTHER, "041961000003")] == [True, False, True]
