"""The broker's password, from wherever it comes: it opens the broker, and stands in no line that a program says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.broker.conftest import Broker, Run
from tests.needs import need

pytestmark = pytest.mark.broker

SECRET: Final = "hunter2-and-more"
WAYS: Final = ("file", "variable", "credential")


@pytest.fixture
def locked(broker: Broker, tmp_path: Path) -> Broker:
    """A broker that lets nobody in but anna."""
    broker.stop()
    users = tmp_path / "users"
    subprocess.run([need("mosquitto_passwd"), "-b", "-c", str(users), "anna", SECRET], check=True, capture_output=True)
    broker.options = ["allow_anonymous false", f"password_file {users}", "user root"]
    broker.start()
    return broker


def kept(way: str, folder: Path, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Options and variables of a password that is kept in this way."""
    path = folder / "credentials" / "mqtt-password"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if way == "variable":
        return {}, {"TICBRIDGE_MQTT__PASSWORD": secret}
    path.touch(0o600)
    path.write_text(f"{secret}\n")
    if way == "file":
        return {"password_file": str(path)}, {}
    path.chmod(0o440)  # as systemd makes them
    return {}, {"CREDENTIALS_DIRECTORY": str(path.parent)}


def config(broker: Broker, folder: Path, options: dict[str, str]) -> dict[str, Any]:  # a YAML tree
    return {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": "sim:base"}],
        "storage": {"database": f"sqlite:///{folder / 'db.sqlite3'}"},
        "mqtt": {"host": "127.0.0.1", "port": broker.port, "username": "anna", **options},
        "log": {"level": "debug"},
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_password_opens_the_broker_and_is_never_said(way: str, locked: Broker, run: Run, tmp_path: Path) -> None:
    options, variables = kept(way, tmp_path, SECRET)
    tree = config(locked, tmp_path, options)
    programs = [run(tree, command, **variables) for command in ("bridge", "store")]
    for program in programs:
        program.wait_for("Connected to the broker")
    told = run(tree, "manage", "diffsettings", "--all", **variables).output()
    assert "MqttSettings" in told
    # A broker that goes away under them is when most is said.
    locked.stop()
    for program in programs:
        program.wait_for("ended the connection")
    assert [program.stop() for program in programs] == [0, 0]
    assert [line for program in programs for line in (*program.said, told) if SECRET in line] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_one_sentence_without_it(way: str, locked: Broker, run: Run, tmp_path: Path) -> None:
    options, variables = kept(way, tmp_path, f"no-{SECRET}")
    tree = config(locked, tmp_path, options)
    programs = [run(tree, command, **variables) for command in ("bridge", "store")]
    for program in programs:
        assert "are mqtt.username and mqtt.password_file right? trying again" in program.wait_for("refuses the login")
    assert [program.stop() for program in programs] == [0, 0]
    for program in programs:
        assert len([line for line in program.said if "refuses the login" in line]) == 1
        assert [line for line in program.said if SECRET in line or "Traceback" in line] == []


@pytest.mark.parametrize("command", ["bridge", "store"])
def test_a_password_file_that_others_can_read_is_refused(
    command: str, locked: Broker, run: Run, tmp_path: Path
) -> None:
    options, _ = kept("file", tmp_path, SECRET)
    path = Path(options["password_file"])
    path.chmod(0o640)
    program = run(config(locked, tmp_path, options), command)
    assert program.wait() == 78
    assert program.said[-1] == (
        f"ticbridge: mqtt.password_file: {path} can be read by others; expected mode 0600 (chmod 600 {path})"
    )
    assert [line for line in program.said if SECRET in line or "Traceback" in line] == []


@pytest.mark.parametrize(
    ("mqtt", "variables"),
    [
        ({"password": SECRET}, {}),
        ({"password": {"x": SECRET}}, {}),
        ({"password_file": [SECRET]}, {}),
        ({}, {"TICBRIDGE_MQTT__PASSWORD__X": SECRET}),
        ({"port": "no port"}, {"TICBRIDGE_MQTT__PASSWORD": SECRET}),
        ({"passwort": SECRET}, {}),
    ],
)
def test_a_mistake_beside_a_password_does_not_tell_it(
    mqtt: dict[str, Any], variables: dict[str, str], broker: Broker, run: Run, tmp_path: Path
) -> None:
    program = run({"mqtt": {"port": broker.port, **mqtt}, "log": {"level": "debug"}}, "bridge", **variables)
    assert program.wait() == 78
    assert [line for line in program.said if SECRET in line or "Traceback" in line] == []
    assert [line for line in program.said if line.startswith("ticbridge: ") and "expected" in line]
