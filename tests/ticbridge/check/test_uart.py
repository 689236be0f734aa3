"""The serial port on a Raspberry Pi's pins: its files are played, below a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.stand_ins import program, raspberry
from ticbridge.commands.check import uart
from ticbridge.commands.check.machine import Machine

CONSOLE = "console=serial0,115200 console=tty1 root=PARTUUID=1 rootwait"


@pytest.fixture(autouse=True)
def _no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program(tmp_path, 'systemctl', 'inactive', 3)}:/bin:/usr/bin")


def port_at(root: Path, name: str) -> None:
    (root / "dev").mkdir()
    (root / "dev" / name).touch()
    (root / "dev" / "serial0").symlink_to(name)


def test_the_port_on_the_pins_is_off(tmp_path: Path) -> None:
    machine = Machine(raspberry(tmp_path, config="dtparam=audio=on\n#enable_uart=1\n"))
    [finding] = uart.look(machine, "/dev/serial0")
    done = "a Raspberry Pi's files: no enable_uart in config.txt, no /dev/serial0"
    assert provoked("stand-in", done, finding) == "uart-off"
    assert [found.case for found in uart.look(machine, None)] == [uart.OFF]  # and no adapter either


def test_the_console_is_on_the_pins(tmp_path: Path) -> None:
    machine = Machine(raspberry(tmp_path, config="enable_uart=1\n", command_line=CONSOLE))
    port_at(tmp_path, "ttyAMA0")
    [finding] = uart.look(machine, "/dev/serial0")
    assert provoked("stand-in", "a Raspberry Pi's files: console=serial0 in cmdline.txt", finding) == "uart-console"
    assert [found.case for found in uart.look(machine, "/dev/ttyAMA0")] == [uart.CONSOLE]
    assert list(uart.look(machine, "/dev/ttyUSB0")) == []  # an adapter is not touched by it


def test_a_login_shell_is_started_there(tmp_path: Path) -> None:
    program(tmp_path, "systemctl", "active\n")
    machine = Machine(raspberry(tmp_path, config="enable_uart=1\n", command_line="console=tty1"))
    port_at(tmp_path, "ttyS0")
    [finding] = uart.look(machine, "/dev/serial0")
    done = "a program systemctl that says that serial-getty@ttyS0 is active"
    assert provoked("stand-in", done, finding) == "uart-getty"


def test_a_port_that_is_on_and_free_is_worth_no_word(tmp_path: Path) -> None:
    machine = Machine(raspberry(tmp_path, config="enable_uart=1\n", command_line="console=tty1"))
    port_at(tmp_path, "ttyAMA0")
    assert list(uart.look(machine, "/dev/serial0")) == []


def test_another_machine_has_no_such_port(tmp_path: Path) -> None:
    machine = Machine(raspberry(tmp_path, command_line=CONSOLE, model="A PC"))
    assert list(uart.look(machine, "/dev/ttyS0")) == []
