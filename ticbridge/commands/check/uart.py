"""The serial port on the pins of a Raspberry Pi: whether it is on, and whether the console has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ticbridge.commands.check.finding import Finding, Words, failed, warning
from ticbridge.commands.check.machine import Machine

_PINS: Final = re.compile(r"/dev/(serial[01]|ttyAMA\d+|ttyS0)$")
_CONSOLE: Final = re.compile(r"\bconsole=(serial[01]|ttyAMA\d+|ttyS\d+)\b")
_ENABLED: Final = re.compile(r"^\s*(enable_uart\s*=\s*1|dtoverlay\s*=\s*(disable-bt|miniuart-bt|uart\d))", re.MULTILINE)
_BOOT: Final = ("/boot/firmware", "/boot")  # since Debian 12, and before

OFF = failed(
    "uart-off",
    Words(
        "The serial port of this Raspberry Pi's pins is off: enable_uart=1 is missing in {file}",
        "it is off as it is delivered",
        "sudo raspi-config, Interface Options, Serial Port: no login shell, yes to the hardware; then restart",
    ),
    Words(
        "Le port série des broches de ce Raspberry Pi est éteint : enable_uart=1 manque dans {file}",
        "il est éteint à la livraison",
        "sudo raspi-config, Interface Options, Serial Port : pas de login shell, oui au matériel ; puis redémarrez",
    ),
)
CONSOLE = warning(
    "uart-console",
    Words(
        "The kernel's console is on the meter's port: {console} in {file}",
        "the Raspberry Pi is delivered with its console on the pins; it starts a login shell there",
        "sudo raspi-config, Interface Options, Serial Port: no login shell, yes to the hardware; then restart",
    ),
    Words(
        "La console du noyau est sur le port du compteur : {console} dans {file}",
        "le Raspberry Pi est livré avec sa console sur les broches ; elle y lance un terminal de connexion",
        "sudo raspi-config, Interface Options, Serial Port : pas de login shell, oui au matériel ; puis redémarrez",
    ),
)
SERVICE = failed(
    "uart-getty",
    Words(
        "The service {unit} has the meter's port for a login shell",
        "the console of the Raspberry Pi is on its serial port",
        "sudo systemctl disable --now {unit}, and take console=... out of cmdline.txt (raspi-config does both)",
    ),
    Words(
        "Le service {unit} occupe le port du compteur avec un terminal de connexion",
        "la console du Raspberry Pi est sur son port série",
        "sudo systemctl disable --now {unit}, et ôtez console=... de cmdline.txt (raspi-config fait les deux)",
    ),
)


class Pins(NamedTuple):
    """What a Raspberry Pi's files say of the port on its pins."""

    name: str  # of the device: serial0 leads there
    exists: bool
    config: str
    config_file: str
    command_line: str
    command_line_file: str
    is_shell_active: bool


def look(machine: Machine, port: str | None) -> Iterator[Finding]:
    """What stands between us and the port on the pins. `port` is None where no adapter was found at all."""
    if "Raspberry Pi" in machine.text("/proc/device-tree/model") and (port is None or _PINS.match(port)):
        yield from judge(_facts(machine, port or "/dev/serial0"), is_wanted=port is not None)


def judge(pins: Pins, *, is_wanted: bool) -> Iterator[Finding]:
    """`is_wanted`: the owner named this port."""
    if not pins.exists and not _ENABLED.search(pins.config):
        yield OFF(file=pins.config_file)
    if not is_wanted:
        return
    for found in _CONSOLE.finditer(pins.command_line):
        if found[1] == pins.name or found[1].startswith("serial0"):
            yield CONSOLE(console=found[0], file=pins.command_line_file)
            break
    if pins.is_shell_active:
        yield SERVICE(unit=f"serial-getty@{pins.name}.service")


def _facts(machine: Machine, port: str) -> Pins:
    device = machine.path(port)
    name = Path(device.resolve()).name if device.exists() else Path(port).name
    folder = next((folder for folder in _BOOT if machine.text(f"{folder}/config.txt")), _BOOT[0])
    line, line_file = machine.text(f"{folder}/cmdline.txt"), f"{folder}/cmdline.txt"
    if not line:
        line, line_file = machine.text("/proc/cmdline"), "/proc/cmdline"
    state = machine.answer("systemctl", "is-active", f"serial-getty@{name}.service")
    config_file = f"{folder}/config.txt"
    is_active = (state or "").strip() == "active"
    return Pins(name, device.exists(), machine.text(config_file), config_file, line, line_file, is_active)
