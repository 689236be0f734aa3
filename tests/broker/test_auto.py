"""`mode: auto` with nothing faked: a meter on a pseudo-terminal that changes its mode while the bridge runs.

A pseudo-terminal has no speed, so what is followed here is the mode; wrong speeds are in tests/bridge/test_detect.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Final

import pytest

from bridge.outlets import PseudoTerminal
from tests.bridge.wire import METER, frame, historique, standard
from tests.broker.conftest import Broker, Ear, Program, Run

pytestmark = [pytest.mark.broker, pytest.mark.alone]  # a stop within three seconds

HISTORIQUE: Final = frame(
    historique("ADCO", METER),
    historique("OPTARIF", "BASE"),
    historique("ISOUSC", "30"),
    historique("BASE", "026967005"),
    historique("PTEC", "TH.."),
    historique("IINST", "002"),
    historique("PAPP", "00530"),
    historique("MOTDETAT", "000000"),
)
STANDARD: Final = frame(
    standard("ADSC", METER),
    standard("VTIC", "02"),
    standard("DATE", "H260115120000", ""),
    standard("EAST", "026967006"),
    standard("IRMS1", "003"),
    standard("URMS1", "231"),
    standard("SINSTS", "00691"),
    standard("STGE", "003A0001"),
)


class Talker:
    """A meter that repeats what it says until told to say something else; a real one does not wait either."""

    def __init__(self, port: PseudoTerminal) -> None:
        self.says = b""
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        while not self._stopping.wait(0.05):
            if self.says:
                self._port.write(self.says)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._port.close()


@pytest.fixture
def port() -> PseudoTerminal:
    return PseudoTerminal()


@pytest.fixture
def meter(port: PseudoTerminal) -> Iterator[Talker]:
    talker = Talker(port)
    yield talker
    talker.close()


@contextmanager
def bridge_of(port: PseudoTerminal, broker: Broker, run: Run, folder: Path) -> Iterator[Program]:
    config = {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": port.name}],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "publish": {"min_interval": 0},
    }
    bridge = run(config, "bridge")
    yield bridge
    began = monotonic()
    assert bridge.stop() == 0
    assert monotonic() - began < 3
    assert not [line for line in bridge.said if "Traceback" in line]


def entities(ear: Ear) -> dict[str, str]:
    """canonical slug -> unique id, as the device is announced now."""
    device = json.loads(ear.last()[f"homeassistant/device/linky_{METER}/config"])
    return {key: component["unique_id"] for key, component in device["components"].items() if len(component) > 1}


def changes(words: list[str]) -> list[str]:
    """Each word that differs from the one before."""
    return [word for word, _ in groupby(words)]


def test_a_meter_that_changes_its_mode_keeps_its_name_and_its_entities(
    port: PseudoTerminal, meter: Talker, broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    with bridge_of(port, broker, run, tmp_path) as bridge:
        bridge.wait_for("Reading ")
        meter.says = HISTORIQUE
        assert ear.wait_for(f"linky/{METER}/papp") == "530"
        before = entities(ear)

        meter.says = STANDARD
        assert ear.wait_for(f"linky/{METER}/sinsts") == "691"
        bridge.wait_for("speaks standard")
        after = entities(ear)

        meter.says = HISTORIQUE.replace(historique("PAPP", "00530"), historique("PAPP", "00540"))
        assert ear.wait_for(f"linky/{METER}/papp", lambda payload: payload == "540")

    assert {"east", "irms1", "sinsts"} <= before.keys()
    assert {key: after.get(key) for key in ("east", "irms1", "sinsts")} == {
        key: before[key] for key in ("east", "irms1", "sinsts")
    }
    names = {topic.split("/")[1] for topic, _ in ear.heard if topic.startswith("linky/")}
    assert names == {"bridge", METER}
    states = [payload for topic, payload in ear.heard if topic == f"linky/{METER}/status"]
    assert changes(states) == ["online", "offline"]  # the second one at the end
    modes = [json.loads(payload)["mode"] for topic, payload in ear.heard if topic == f"linky/{METER}/reading"]
    assert changes(modes) == ["historique", "standard", "historique"]
    told = [line.split("speaks ")[1].split()[0] for line in bridge.said if "speaks" in line]
    assert told[:2] == ["historique", "standard"]


@pytest.mark.slow
def test_a_silent_port_is_named_after_some_seconds_and_found_when_it_speaks(
    port: PseudoTerminal, meter: Talker, broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    with bridge_of(port, broker, run, tmp_path) as bridge:
        line = bridge.wait_for("No signal")
        assert line.endswith(
            f"No signal on {port.name}: are I1 and I2 connected, and not A? Trying again until it works"
        )
        meter.says = STANDARD
        assert ear.wait_for(f"linky/{METER}/sinsts") == "691"
    assert len([line for line in bridge.said if "No signal" in line]) == 1


def test_a_search_is_ended_by_a_signal_within_three_seconds(
    port: PseudoTerminal, broker: Broker, run: Run, tmp_path: Path
) -> None:
    with bridge_of(port, broker, run, tmp_path) as bridge:
        bridge.wait_for("Reading ")
    port.close()


def test_decode_finds_the_mode_of_a_port_too(port: PseudoTerminal, meter: Talker) -> None:
    meter.says = HISTORIQUE
    command = [sys.executable, "-m", "ticbridge", "decode", port.name, "--count", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    headings = [line for line in done.stdout.splitlines() if line.startswith("---")]
    assert headings == [f"--- frame {n}: historique, meter {METER}" for n in (1, 2)]
