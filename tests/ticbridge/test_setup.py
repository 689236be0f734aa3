"""`ticbridge setup`, on a pseudo-terminal with a simulated meter and a real broker."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from bridge.config import load
from bridge.outlets import PseudoTerminal, frames, send
from bridge.simulated.contract import Contract
from bridge.simulated.plan import Plan
from tests.broker.conftest import Broker, free_port
from tests.needs import need
from ticbridge.__main__ import cli
from ticbridge.commands.configtext import changed
from ticbridge.shipped import CONFIG

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.fixture
def meter() -> Iterator[str]:
    port, stopping = PseudoTerminal(), threading.Event()
    thread = threading.Thread(target=send, args=(port, frames(Plan(Contract.TEMPO)), 1.0, stopping), daemon=True)
    thread.start()
    yield port.name
    stopping.set()
    thread.join(5)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    running = Broker(folder)
    yield running
    running.stop()


def config(folder: Path, port: int) -> Path:
    """One that was written before: the broker's port, and where a test may write."""
    path = folder / "config.yaml"
    path.write_text(
        changed(
            CONFIG.read_text(),
            {
                "mqtt.port": port, "mqtt.host": "127.0.0.1", "bridge.state_dir": str(folder / "state"),
                "storage.database": f"sqlite:///{folder}/db.sqlite3",
            },
        )
    )  # fmt: skip
    return path


def setup(path: Path, *arguments: str, typed: str = "") -> tuple[int, str]:
    # What the tests' own settings say would win over the file.
    hidden: dict[str, str | None] = {name: None for name in os.environ if name.startswith("TICBRIDGE_")}
    done = CliRunner(env=hidden).invoke(cli, ["--config", str(path), "setup", "--no-services", *arguments], input=typed)
    return done.exit_code, done.output


def test_a_meter_and_a_broker_are_found_and_nothing_is_asked(tmp_path: Path, meter: str, broker: Broker) -> None:
    broker.start()
    path = config(tmp_path, broker.port)
    old = path.read_text()
    code, output = setup(path, "--source", meter, "--yes")
    assert code == 0, output
    assert "Meter 04...0001: mode standard at 9600 baud, one phase, contract TEMPO, 9 kVA" in output
    assert f"Broker: 127.0.0.1:{broker.port} lets us in" in output
    assert "The meter says now:\n  power" in output
    assert "/start/" in output.partition("Make the first account")[2]
    assert load(path).meters[0].source == meter
    assert "# seconds between two changes of one field" in path.read_text()
    [copy] = tmp_path.glob("config.yaml.*")
    assert copy.read_text() == old
    assert (tmp_path / "db.sqlite3").exists()
    code, output = setup(path, "--yes")  # starts from what is there
    assert (code, f"{path} stays as it is" in output) == (0, True), output


def test_a_broker_that_wants_a_password_is_given_one_from_a_file_of_ours(
    tmp_path: Path, meter: str, broker: Broker
) -> None:
    passwords = tmp_path / "broker" / "passwords"
    subprocess.run([need("mosquitto_passwd"), "-b", "-c", str(passwords), "house", "s3cret"], check=True)
    passwords.chmod(0o644)
    broker.options = ["allow_anonymous false", f"password_file {passwords}", f"user {getpass.getuser()}"]
    broker.start()
    path = config(tmp_path, broker.port)
    code, output = setup(path, "--source", meter, typed="house\nwrong\ny\nhouse\ns3cret\ny\n")
    assert code == 0, output
    assert "s3cret" not in output + path.read_text()
    settings = load(path).mqtt
    assert (settings.username, settings.secret()) == ("house", "s3cret")
    assert settings.password_file is not None
    assert stat.S_IMODE(settings.password_file.stat().st_mode) == 0o600


def test_without_meter_and_broker_it_says_why_and_writes_what_will_work_later(tmp_path: Path) -> None:
    path = config(tmp_path, free_port())
    code, output = setup(path, "--source", "/dev/ttyNOTHING", "--yes")
    assert code == 0, output
    assert "The port /dev/ttyNOTHING does not exist: is the adapter plugged in, is the name right?" in output
    assert "refuses connections: is it running, is mqtt.port right?" in output
    assert "sudo apt install mosquitto" in output
    assert load(path).meters[0].source == "/dev/ttyNOTHING"


def test_who_says_no_keeps_the_file(tmp_path: Path, meter: str, broker: Broker) -> None:
    broker.start()
    path = config(tmp_path, broker.port)
    old = path.read_text()
    code, output = setup(path, "--source", meter, typed="n\n")
    assert (code, path.read_text(), list(tmp_path.glob("config.yaml.*"))) == (0, old, []), output


@pytest.mark.parametrize(
    "text",
    [
        CONFIG.read_text(),
        "",
        "meters: [{source: auto, name: House}]\nmqtt: {host: a}\n",
        "# mine\nmeters:\n  - name: House\n    source: auto  # here\n  - source: /dev/x\nmqtt:\n",
    ],
    ids=["ours", "empty", "flow", "mine"],
)
def test_values_are_changed_and_all_else_stays(text: str) -> None:
    values = {"meters.source": "/dev/serial/by-id/a: b", "mqtt.host": "on", "mqtt.username": "x#y"}
    before, after = yaml.safe_load(text) or {}, yaml.safe_load(changed(text, values))
    assert (after["meters"][0]["source"], after["mqtt"]["host"], after["mqtt"]["username"]) == tuple(values.values())
    first, *others = before.get("meters") or [{}]
    assert {**after["meters"][0], "source": None} == {**first, "source": None}
    assert after["meters"][1:] == others
    comments = [line.partition("#")[2] for line in text.splitlines() if " # " in line or line.startswith("#")]
    if text != "" and "[{" not in text:
        assert [comment for comment in comments if comment not in changed(text, values)] == []
