"""The whole way, with nothing faked: pseudo-terminal -> bridge -> mosquitto -> store -> SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bridge.outlets import PseudoTerminal
from tests.broker.conftest import Broker, Ear, Run, free_port
from ticbridge.commands.broker import wait_for_port
from ticbridge.commands.processes import Child, stop

pytestmark = pytest.mark.broker

CAPTURES: Final = Path(__file__).parent.parent / "captures"

# column -> the label of the capture that fills it
HISTORIQUE: Final = {
    "easf01": "bbrhcjb", "easf02": "bbrhpjb", "easf03": "bbrhcjw", "easf04": "bbrhpjw", "easf05": "bbrhcjr",
    "easf06": "bbrhpjr", "sinsts": "papp", "irms1": "iinst", "ltarf": "ptec",
}  # fmt: skip
STANDARD: Final = (
    "ltarf", "ntarf", "east", *(f"easf{n:02}" for n in range(1, 11)), *(f"easd{n:02}" for n in range(1, 5)), "eait",
    "sinsts", "sinsts1", "sinsts2", "sinsts3", "sinsti", "irms1", "irms2", "irms3", "urms1", "urms2", "urms3",
)  # fmt: skip


@pytest.fixture
def port() -> Iterator[PseudoTerminal]:
    terminal = PseudoTerminal()
    yield terminal
    terminal.close()


def chain(
    name: str, mode: str, times: int, port: PseudoTerminal, broker: Broker, ear: Ear, run: Run, folder: Path
) -> list[dict[str, Any]]:  # rows, by column
    """Send a capture `times` times; the rows that come of it, oldest first."""
    data = (CAPTURES / f"{name}.tic").read_bytes()
    expected = json.loads((CAPTURES / f"{name}.json").read_text())
    database = folder / "db.sqlite3"
    config = {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": port.name, "mode": mode}],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "storage": {"database": f"sqlite:///{database}", "batch": {"rows": 4, "seconds": 0.2}},
    }
    store = run(config, "store")
    store_status = ear.wait_for_topic("linky/store/", "online")
    bridge = run(config, "bridge")
    said = ear.wait_for("linky/bridge/pi/info", lambda payload: json.loads(payload)["meters"][0]["source_open"])
    assert json.loads(said)["meters"] == [{
        "meter": None, "source": port.name, "source_open": True, "trouble": "", "cause": "", "frames": 0, "decoded": 0,
        "accepted": 0, "unspooled": 0, "refused": {},
    }]  # fmt: skip
    number = len(expected) * times
    for _ in range(times):
        assert port.write(data)
    meter = expected[0]["meter"]
    ear.wait_for(f"linky/{meter}/reading/ack", lambda payload: json.loads(payload)["seq"] == number)
    assert (bridge.stop(), store.stop()) == (0, 0)
    counts = bridge.counts()
    assert counts.pop("waiting") <= 4  # of the last batch: the bridge hears of it when we do
    assert counts == {"decoded": number, "accepted": number, "refused": 0, "lost": 0}
    assert store.counts() == {"stored": number, "duplicates": 0, "mismatched": 0, "dead": 0, "lacking": 0}
    assert ear.last()[f"linky/{meter}/status"] == "offline"
    assert ear.last()["linky/bridge/pi/status"] == "offline"
    assert ear.last()[store_status] == "offline"
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM storage_data ORDER BY seq")]
    connection.close()
    return rows


def test_every_reading_of_a_historique_capture_is_a_row(
    port: PseudoTerminal, broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    rows = chain("hist_mono_tempo_demain_rouge", "historique", 1, port, broker, ear, run, tmp_path)
    frames = json.loads((CAPTURES / "hist_mono_tempo_demain_rouge.json").read_text())
    assert [{column: row[column] for column in (*HISTORIQUE, "east", "ntarf", "seq")} for row in rows] == [
        {
            **{column: frame["values"][slug] for column, slug in HISTORIQUE.items()},
            "east": sum(frame["values"][HISTORIQUE[f"easf{n:02}"]] for n in range(1, 7)),
            "ntarf": 1,
            "seq": frame["frame"],
        }
        for frame in frames
    ]


def test_every_reading_of_a_standard_capture_is_a_row(
    port: PseudoTerminal, broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    # One frame is not enough to be sure of the meter's address, so the capture is sent twice.
    rows = chain("std_tri_tempo_producer", "standard", 2, port, broker, ear, run, tmp_path)
    frame = json.loads((CAPTURES / "std_tri_tempo_producer.json").read_text())[0]
    expected = {column: frame["values"][column] for column in STANDARD}
    expected |= {"date": frame["stamps"]["date"], "stamp_utc": "2021-04-14 06:26:25"}
    assert [{column: row[column] for column in expected} for row in rows] == [expected, expected]


def test_a_broker_that_comes_late_gets_everything(
    port: PseudoTerminal, broker: Broker, run: Run, tmp_path: Path
) -> None:
    broker.stop()
    config = {
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        "meters": [{"source": port.name, "mode": "historique"}],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
    }
    bridge = run(config, "bridge")
    line = bridge.wait_for("refuses connections")
    assert f"The broker 127.0.0.1:{broker.port} refuses connections: is it running" in line
    bridge.wait_for("Reading ")
    assert port.write((CAPTURES / "hist_mono_tempo_demain_rouge.tic").read_bytes())
    broker.start()
    ear = Ear(broker.port)
    meter = json.loads((CAPTURES / "hist_mono_tempo_demain_rouge.json").read_text())[0]["meter"]
    seqs = [json.loads(ear.wait_for(f"linky/{meter}/reading", _seq_is(n)))["seq"] for n in range(1, 11)]
    ear.wait_for(f"linky/{meter}/papp")
    ear.close()
    assert bridge.stop() == 0
    assert seqs == list(range(1, 11))
    assert not [line for line in bridge.said if "Traceback" in line]


def test_a_port_that_fails_leaves_the_other_meters_untouched(
    port: PseudoTerminal, broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    unplugged = PseudoTerminal()
    config = {
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        "meters": [
            {"source": "/dev/ttyNOWHERE", "mode": "standard", "id": "first"},
            {"source": unplugged.name, "mode": "historique", "id": "second"},
            {"source": port.name, "mode": "historique", "id": "third"},
        ],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
    }
    data = (CAPTURES / "hist_mono_tempo_demain_rouge.tic").read_bytes()
    bridge = run(config, "bridge")
    bridge.wait_for(f"Reading {unplugged.name}")
    assert unplugged.write(data)
    ear.wait_for("linky/second/reading", _seq_is(9))
    unplugged.close()
    bridge.wait_for("is the adapter unplugged?")
    ear.wait_for("linky/second/status", lambda payload: payload == "offline")
    bridge.wait_for(f"Reading {port.name}")
    assert port.write(data)
    ear.wait_for("linky/third/reading", _seq_is(9))
    assert bridge.stop() == 0
    assert not [line for line in bridge.said if "Traceback" in line]


def _seq_is(number: int) -> Callable[[str], bool]:
    return lambda payload: json.loads(payload)["seq"] == number


def test_a_refused_login_is_said_in_one_sentence_and_tried_again(
    port: PseudoTerminal, broker: Broker, run: Run, tmp_path: Path
) -> None:
    broker.stop()
    broker.options = ["allow_anonymous false"]
    broker.start()
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text("wrong")
    os.chmod(secret, 0o600)  # noqa: PTH101  whatever the umask is
    config = {
        "meters": [{"source": port.name, "mode": "standard"}],
        "mqtt": {
            "host": "127.0.0.1", "port": broker.port, "username": "bob", "password_file": str(secret), "protocol": "5",
        },
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
    }  # fmt: skip
    bridge = run(config, "bridge")
    line = bridge.wait_for("refuses the login")
    assert "are mqtt.username and mqtt.password_file right?" in line
    broker.stop()
    broker.options = ["allow_anonymous true"]
    broker.start()
    bridge.wait_for("Connected to the broker")
    assert bridge.stop() == 0
    assert not [line for line in bridge.said if "Traceback" in line or "wrong" in line]


def test_a_missing_port_is_said_in_one_sentence_and_tried_again(
    broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    config = {
        "meters": [{"source": "/dev/ttyNOWHERE", "mode": "standard"}],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
    }
    bridge = run(config, "bridge")
    line = bridge.wait_for("ttyNOWHERE")
    assert line.endswith(
        "The port /dev/ttyNOWHERE does not exist: is the adapter plugged in, is the name right? "
        "Trying again until it works"
    )
    ear.wait_for("linky/bridge/pi/status", lambda payload: payload == "online")
    assert bridge.stop() == 0
    assert len([line for line in bridge.said if "ttyNOWHERE" in line]) == 1
    assert not [line for line in bridge.said if "Traceback" in line]


def test_an_older_broker_is_spoken_to_in_its_own_version(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    """amqtt speaks 3.1.1 only."""
    number = free_port()
    child = Child("amqtt", [sys.executable, "-m", "ticbridge.commands.broker", str(number)], log=tmp_path / "amqtt.log")
    try:
        assert wait_for_port(number, child, 20)
        config = {
            "meters": [{"source": port.name, "mode": "standard"}],
            "mqtt": {"host": "127.0.0.1", "port": number},
            "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        }
        bridge = run(config, "bridge")
        assert bridge.wait_for("Connected to the broker").endswith("(MQTT 3.1.1)")
        assert bridge.stop() == 0
    finally:
        stop([child])
