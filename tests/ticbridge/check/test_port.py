"""The part *port*: real pseudo-terminals, real processes that hold them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import MeterSettings, Settings
from bridge.port import SerialSource, SourceError
from tests.bridge.terminal import Terminal
from tests.needs import lack, need
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.stand_ins import holding
from ticbridge.commands.check import port
from ticbridge.commands.check.finding import Finding
from ticbridge.commands.check.machine import Machine
from ticbridge.commands.check.scene import Scene

ROOT = Path(__file__).parents[3]


def look(*sources: str) -> list[Finding]:
    scene = Scene(Settings(meters=[MeterSettings(source=source, mode="standard") for source in sources]))
    try:
        return list(port.look(scene))
    finally:
        scene.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    plugged = Terminal.plugged()
    yield plugged
    plugged.unplug()


def test_a_port_that_can_be_opened_is_left_open_for_the_line(terminal: Terminal) -> None:
    scene = Scene(Settings(meters=[MeterSettings(source=terminal.name)]))
    assert [finding.case for finding in port.look(scene)] == [port.OPENED]
    [place] = scene.places[0]
    assert (place.name, place.source is not None, place.is_ours) == (terminal.name, True, False)
    scene.close()


def test_a_port_that_does_not_exist() -> None:
    [finding] = look("/dev/ttyNOWHERE")
    assert provoked("for real", "source: /dev/ttyNOWHERE", finding) == "port-missing"


def test_a_port_that_this_user_may_not_open(terminal: Terminal) -> None:
    Path(terminal.name).chmod(0o600)
    code = f"""
import grp, json, os
from ticbridge.__main__ import open_rooms; open_rooms()
from bridge.config import MeterSettings, Settings
from ticbridge.commands.check import port
from ticbridge.commands.check.scene import Scene
scene = Scene(Settings(meters=[MeterSettings(source={terminal.name!r})]))
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
else:
    os.chmod({terminal.name!r}, 0)
[finding] = port.look(scene)
print(json.dumps([finding.case.name, dict(finding.facts)]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    name, facts = json.loads(done.stdout)
    assert name == "port-forbidden"
    provoked("for real", "a pseudo-terminal of root, looked at as nobody", port.FORBIDDEN(**facts))


def test_a_port_that_another_program_reads(terminal: Terminal, tmp_path: Path) -> None:
    with holding(terminal.name, tmp_path, "minicom") as process:
        [finding] = look(terminal.name)
        assert str(finding.facts["holder"]) == f"minicom ({process.pid})"
    assert provoked("for real", "a process named minicom has the pseudo-terminal open", finding) == "port-busy"


def test_a_port_that_is_locked_by_somebody_whom_we_cannot_see(terminal: Terminal) -> None:
    hidden = SerialSource(terminal.name)  # our own process is never named
    [finding] = look(terminal.name)
    hidden.close()
    assert (
        provoked("for real", "the pseudo-terminal is locked, by no process that is shown", finding)
        == "port-busy-unseen"
    )


def test_a_login_shell_on_the_port(terminal: Terminal, tmp_path: Path) -> None:
    with holding(terminal.name, tmp_path, "agetty"):
        [finding] = look(terminal.name)
    assert provoked("stand-in", "a process named agetty has the pseudo-terminal open", finding) == "port-getty"


def test_a_terminal_of_the_same_name_in_a_container_is_another_one(terminal: Terminal) -> None:
    if os.geteuid() != 0:
        lack("a container's terminals can only be made by root")
    code = f"""
import os, pty, signal
ends = [pty.openpty() for _ in range({Path(terminal.name).name} + 1)]
if os.fork() == 0:
    for master, _ in ends:
        os.close(master)
    print(os.ttyname(ends[-1][1]), flush=True)
signal.pause()
"""
    own = "mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx"
    inside = [need("unshare"), "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", f'{own} && exec "$@"', "sh"]
    container = subprocess.Popen([*inside, sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert container.stdout is not None
    assert container.stdout.readline().strip() == terminal.name
    held = Machine().holders(Path(terminal.name))
    container.kill()
    container.communicate()
    assert held == []


def test_modemmanager_on_the_port(terminal: Terminal, tmp_path: Path) -> None:
    with holding(terminal.name, tmp_path, "ModemManager"):
        [finding] = look(terminal.name)
    done = "a process named ModemManager has the pseudo-terminal open"
    assert provoked("stand-in", done, finding) == "port-modemmanager"


def test_modemmanager_that_runs_may_take_the_adapter() -> None:
    running = [(1, "systemd"), (7, "ModemManager")]
    name = "/dev/serial/by-id/usb-FTDI"
    [finding] = port.judge_modems(name, Path("/dev/ttyUSB0"), running)
    assert provoked("stand-in", "a list of processes that names ModemManager", finding) == "port-modemmanager-runs"
    assert list(port.judge_modems(name, Path("/dev/ttyUSB0"), [(1, "systemd")])) == []
    assert list(port.judge_modems("/dev/ttyAMA0", Path("/dev/ttyAMA0"), running)) == []  # it takes no port of the board


def test_what_is_no_serial_port() -> None:
    [finding] = look("/dev/full")
    assert provoked("for real", "source: /dev/full", finding) == "port-no-port"


def test_a_port_that_fails_otherwise() -> None:
    finding = port.judge_opening("/dev/ttyUSB0", SourceError("-", "cannot be opened (Input/output error)"), Path())
    assert provoked("stand-in", "the driver says EIO", finding) == "port-broken"


def test_a_serial_server_that_is_not_there() -> None:
    [finding] = look("socket://127.0.0.1:1")
    assert provoked("for real", "source: socket://127.0.0.1:1, where nobody listens", finding) == "port-unreachable"


def test_no_adapter_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "find_ports", list)
    [finding] = look("auto")
    assert provoked("stand-in", "source: auto, and no adapter in the list of ports", finding) == "port-nothing"


def test_of_several_adapters_one_that_serves_another_purpose_is_left_alone(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = Terminal.plugged()
    monkeypatch.setattr(port, "find_ports", lambda: [stick.name, terminal.name])
    with holding(stick.name, tmp_path, "zigbee"):
        found = look("auto")
    stick.unplug()
    assert [finding.case for finding in found] == [port.OTHERS, port.OPENED]


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "there.tic").touch()
    [missing, there] = look(f"{tmp_path}/nowhere.tic", f"{tmp_path}/there.tic")
    assert provoked("for real", "source: a .tic file that is not there", missing) == "port-file-missing"
    assert there.case is port.NONE


def test_a_simulated_meter_has_no_port() -> None:
    assert [finding.case for finding in look("sim:base")] == [port.NONE]
