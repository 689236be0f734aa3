"""Whole runs of `ticbridge check`, as a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from ticbridge.commands.check.finding import Case, Finding, State, Words
from ticbridge.commands.check.parts import MODULES, cases

ROOT: Final = Path(__file__).parents[3]
PATIENT: Final = ("--patience", "20")  # a busy machine is no failure
CASES: Final = {case.name: case for part in MODULES for case in cases(part)}


def finding_of(item: Mapping[str, str]) -> Finding:
    """What was printed as JSON, as a finding whose words are those that were printed."""
    case = CASES[item["case"]]
    assert State(item["state"]) is case.state
    text = item["sentence"].replace("{", "{{").replace("}", "}}")
    return Finding(Case(case.name, case.state, Words(text), Words(text)), {})


def check(
    folder: Path, config: Mapping[str, Any] | str, *arguments: str, program: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it on a configuration: a tree, or the text of the file."""
    text = config if isinstance(config, str) else yaml.safe_dump(dict(config))
    (folder / "config.yaml").write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TICBRIDGE_", "LC_", "LANG"))}
    environment = kept | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **variables}
    command = [*(program or (sys.executable,)), "-m", "ticbridge", "check", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def found(
    folder: Path, config: Mapping[str, Any] | str, *, program: tuple[str, ...] = (), **variables: str
) -> dict[str, Finding]:
    """case -> what was printed of it, in English."""
    done = check(folder, config, "--json", "--language", "en", *PATIENT, program=program, **variables)
    assert done.stderr == ""
    return {item["case"]: finding_of(item) for item in json.loads(done.stdout)}


def quiet(folder: Path, **sections: Any) -> dict[str, Any]:
    """A configuration of which nothing is there: no port to listen to, no broker."""
    return {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": "sim:base"}],
        "mqtt": {"host": "127.0.0.1", "port": 1},
        "storage": {"database": f"sqlite:///{folder / 'db.sqlite3'}"},
    } | sections
