"""The systemd units: what they must say, and that systemd understands them."""

from __future__ import annotations

import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.needs import need

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
NAMES = [unit.name for unit in UNITS]


def read(unit: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]  # keys keep their case
    parser.read(unit)
    return parser


def test_there_is_a_unit_for_each_process() -> None:
    assert NAMES == [
        "tic-capture.service", "ticbridge-bridge.service", "ticbridge-store.service", "ticbridge-web.service",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_a_unit_runs_its_command_as_its_own_user_and_comes_back(unit: Path) -> None:
    service = read(unit)["Service"]
    command = {"tic-capture": "manage capture_tic"}.get(unit.stem, unit.stem.removeprefix("ticbridge-"))
    assert {
        key: service[key]
        for key in ("ExecStart", "User", "StateDirectory", "Restart", "RestartPreventExitStatus", "NoNewPrivileges")
    } == {
        "ExecStart": f"/opt/ticbridge/bin/ticbridge --config /etc/ticbridge/config.yaml {command}",
        "User": "ticbridge",
        "StateDirectory": "ticbridge",
        "Restart": "always",
        "RestartPreventExitStatus": "78",
        "NoNewPrivileges": "yes",
    }
    assert "IPAddressDeny" not in service


def test_only_what_reads_a_meter_sees_the_port() -> None:
    private = {unit.stem: "PrivateDevices" in read(unit)["Service"] for unit in UNITS}
    assert private == {"tic-capture": False, "ticbridge-bridge": False, "ticbridge-store": True, "ticbridge-web": True}
    assert [read(unit)["Service"].get("SupplementaryGroups") for unit in UNITS] == ["dialout", "dialout", None, None]


def test_only_what_needs_no_name_of_the_boot_sees_nothing_but_processes() -> None:
    """`ProcSubset=pid` hides /proc/sys/kernel/random/boot_id, by which a bridge tells a reboot from a restart."""
    hidden = {unit.stem: "ProcSubset" in read(unit)["Service"] for unit in UNITS}
    assert hidden == {"tic-capture": False, "ticbridge-bridge": False, "ticbridge-store": True, "ticbridge-web": True}


def test_the_capture_is_confined_as_the_bridge_and_never_runs_beside_it() -> None:
    capture, bridge = read(UNITS[0]), read(UNITS[1])
    assert {**capture["Service"], "ExecStart": ""} == {**bridge["Service"], "ExecStart": ""}
    assert capture["Unit"]["Conflicts"] == "ticbridge-bridge.service"


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run([need("systemd-analyze"), "verify", str(unit)], capture_output=True, text=True, check=False)
    # The program is not installed here; nothing else may be wrong.
    complaints = [line for line in done.stderr.splitlines() if unit.name in line and "is not executable" not in line]
    assert complaints == []


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_a_unit_is_confined(unit: Path) -> None:
    done = subprocess.run(
        [need("systemd-analyze"), "security", "--offline=yes", "--threshold=16", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]
