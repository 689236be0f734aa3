"""The part *units*: a program systemctl that prints what systemd prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config import Settings
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.stand_ins import program
from ticbridge.commands.check import units
from ticbridge.commands.check.finding import Finding
from ticbridge.commands.check.scene import Scene

Look = Callable[..., list[Finding]]

ABSENT = "Id=tic-capture.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n"


def shown(name: str, active: str, sub: str, *, code: int = 0, restarts: int = 0, enabled: str = "enabled") -> str:
    return (
        f"Id={name}.service\nLoadState=loaded\nActiveState={active}\nSubState={sub}\nUnitFileState={enabled}\n"
        f"ExecMainStatus={code}\nNRestarts={restarts}\n"
    )


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    def with_systemd(*blocks: str) -> list[Finding]:
        monkeypatch.setenv("PATH", f"{program(tmp_path, 'systemctl', chr(10).join(blocks))}:/bin:/usr/bin")
        return list(units.look(Scene(Settings())))

    return with_systemd


def test_units_that_run(look: Look) -> None:
    found = look(shown("ticbridge-bridge", "active", "running"), shown("ticbridge-store", "active", "running"), ABSENT)
    assert [(f.case, f.facts["unit"]) for f in found] == [
        (units.RUNS, "ticbridge-bridge"),
        (units.RUNS, "ticbridge-store"),
    ]


def test_a_unit_that_failed(look: Look) -> None:
    [finding] = look(shown("ticbridge-store", "failed", "failed", code=1))
    done = "a program systemctl: ticbridge-store is failed, exit code 1"
    assert provoked("stand-in", done, finding) == "unit-failed"


def test_a_unit_that_stopped_because_of_the_configuration(look: Look) -> None:
    [finding] = look(shown("ticbridge-bridge", "failed", "failed", code=78))
    done = "a program systemctl: ticbridge-bridge is failed, exit code 78"
    assert provoked("stand-in", done, finding) == "unit-configuration"


def test_a_unit_that_is_started_again_and_again(look: Look) -> None:
    [finding] = look(shown("ticbridge-web", "activating", "auto-restart", code=69, restarts=12))
    done = "a program systemctl: ticbridge-web in auto-restart, 12 times"
    assert provoked("stand-in", done, finding) == "unit-restarts"


def test_a_unit_that_is_installed_and_stopped(look: Look) -> None:
    [finding] = look(shown("ticbridge-bridge", "inactive", "dead", enabled="disabled"))
    assert provoked("stand-in", "a program systemctl: ticbridge-bridge is inactive", finding) == "unit-stopped"
    # The capture is the one that takes the others' place: it is no fault that it does not run.
    assert look(shown("tic-capture", "inactive", "dead", enabled="disabled")) == []


def test_no_service_is_installed(look: Look) -> None:
    assert [finding.case for finding in look(ABSENT)] == [units.NONE]


def test_there_is_no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = program(tmp_path, "systemctl", "System has not been booted with systemd as init system", 1)
    monkeypatch.setenv("PATH", f"{failing}:/bin:/usr/bin")
    assert [finding.case for finding in units.look(Scene(Settings()))] == [units.NO_SYSTEMD]
