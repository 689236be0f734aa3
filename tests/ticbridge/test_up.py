"""`ticbridge up` looks after its parts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ticbridge.commands.up import EXIT_CONFIG, PARTS, Supervisor

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class FakeChild:
    """A child whose end the test decides; a real one would end in its own time."""

    name: str
    code: int | None = None


@dataclass
class Nursery:
    started: list[FakeChild] = field(default_factory=list)

    def start(self, part: str) -> Any:  # stands in for Child
        self.started.append(FakeChild(part))
        return self.started[-1]

    def newest(self, part: str) -> FakeChild:
        return [child for child in self.started if child.name == part][-1]


def test_all_parts_are_started_the_store_first() -> None:
    nursery = Nursery()
    assert Supervisor(nursery.start).turn(0.0) == 0
    assert tuple(child.name for child in nursery.started) == PARTS == ("store", "web", "bridge")


def test_a_part_that_ends_is_started_again_later_and_later(capsys: pytest.CaptureFixture[str]) -> None:
    nursery = Nursery()
    supervisor = Supervisor(nursery.start)
    starts = []
    for now in range(20):
        before = len(nursery.started)
        supervisor.turn(float(now))
        if any(child.name == "web" for child in nursery.started[before:]):
            starts.append(now)
            nursery.newest("web").code = 1
    assert starts == [0, 2, 5, 10, 19]
    assert "ticbridge: web ended with code 1; starting it again in 1 s" in capsys.readouterr().err


def test_a_part_that_ran_well_for_a_minute_is_started_again_soon() -> None:
    nursery = Nursery()
    supervisor = Supervisor(nursery.start)
    now = 0.0
    for _ in range(4):
        supervisor.turn(now)
        nursery.newest("bridge").code = 1
        supervisor.turn(now)
        now += 40
    supervisor.turn(now)
    now += 100
    supervisor.turn(now)
    nursery.newest("bridge").code = 1
    supervisor.turn(now)
    before = len(nursery.started)
    supervisor.turn(now + 1)
    assert [child.name for child in nursery.started[before:]] == ["bridge"]


def test_a_wrong_configuration_ends_everything() -> None:
    nursery = Nursery()
    supervisor = Supervisor(nursery.start)
    supervisor.turn(0.0)
    nursery.newest("store").code = EXIT_CONFIG
    assert supervisor.turn(1.0) == EXIT_CONFIG


def up(folder: Path, config: str) -> subprocess.Popen[str]:
    (folder / "config.yaml").write_text(config)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")}
    environment |= {"PYTHONPATH": str(ROOT), "TZ": "America/New_York"}  # the host's zone, which is not the meter's
    environment.pop("JOURNAL_STREAM", None)
    return subprocess.Popen(
        [sys.executable, "-m", "ticbridge", "up"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_up_with_a_wrong_database_exits_78(tmp_path: Path) -> None:
    process = up(tmp_path, "storage: {database: mysql://x/y}\nmeters: [{source: 'sim:base'}]")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == EXIT_CONFIG
    assert "storage.database: 'mysql' will not do" in output


def test_up_runs_all_parts_and_stops_on_a_signal(tmp_path: Path) -> None:
    config = f"""
bridge: {{id: pi, state_dir: {tmp_path}/state}}
meters: [{{source: "sim:base", timezone: Indian/Reunion}}]
mqtt: {{host: 127.0.0.1, port: 1}}
storage: {{database: "sqlite:///{tmp_path}/db.sqlite3"}}
web: {{listen: "127.0.0.1:0"}}
"""
    process = up(tmp_path, config)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    missing = {"Bringing the database up to date", "Reading sim:base", "ticbridge web: http://"}
    said = []
    for line in process.stdout:
        said.append(line)
        missing = {text for text in missing if text not in line}
        if not missing:
            break
    assert missing == set(), said
    # Whoever reads them together reads one time, be Django in the process or not.
    logged = [line for line in said if re.search(r" (INFO|WARNING|ERROR) ticbridge\.", line)]
    assert [part for part in ("Bringing the database", "Reading sim:base") if part not in "".join(logged)] == []
    assert [line for line in logged if not re.search(r"\d\d:\d\d:\d\d\+04:00 [A-Z]+ ", line)] == []
    process.send_signal(signal.SIGTERM)
    process.communicate()
    watchdog.cancel()
    assert process.returncode == 0
