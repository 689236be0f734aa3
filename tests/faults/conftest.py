"""Houses for the cells, their seeds, and the table of what became of them."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.house import House, Outcome
from tests.faults.station import Tree
from tests.needs import lack, need
from tests.postgresql import PostgreSQL

Build = Callable[..., House]
_OUTCOMES: Final[pytest.StashKey[list[Outcome]]] = pytest.StashKey()
_SEED: Final = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))


@pytest.fixture
def build(tmp_path: Path, template: Path, request: pytest.FixtureRequest) -> Iterator[Build]:
    """Build a house; `changes` are sections of config.yaml."""
    houses: list[House] = []
    mounted: list[Path] = []

    def build_house(
        postgresql: PostgreSQL | None = None, *, small: str = "", meters: int = 1, **changes: Tree
    ) -> House:
        folder = tmp_path / f"house{len(houses)}"
        folder.mkdir()
        if small:  # that folder is on a small disk
            (folder / small).mkdir()
            mounted.append(mount_small_disk(folder / small))
        cell = request.node.name.removeprefix("test_").replace("_", " ")
        house = House(folder, template, _SEED, cell, changes, meters, postgresql)
        houses.append(house)
        return house

    yield build_house
    outcomes = request.config.stash.setdefault(_OUTCOMES, [])
    for house in houses:
        house.close()
        outcomes.extend(house.outcomes)
    for folder in mounted:
        subprocess.run([need("umount"), "--lazy", str(folder)], check=True)


def mount_small_disk(folder: Path) -> Path:
    """A tmpfs of a few megabytes."""
    command = [need("mount"), "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lack(f"a small disk cannot be mounted ({done.stderr.strip() or 'no reason given'}): it takes root")
    return folder


@pytest.fixture
def house(build: Build) -> House:
    """The usual one."""
    return build()


@pytest.fixture
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    yield server
    server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    outcomes = config.stash.get(_OUTCOMES, [])
    if not outcomes:
        return
    terminalreporter.section(f"faults (FAULTS_SEED={_SEED})")
    for line in table(outcomes):
        terminalreporter.write_line(line)


def table(outcomes: list[Outcome]) -> Iterator[str]:
    """What `make faults` prints: a page of Markdown."""
    yield "| cell | accepted | stored | duplicates | dead letters | gaps | missing | seed | seconds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for o in outcomes:
        v = o.verdict
        yield (
            f"| {o.cell} | {v.accepted} | {v.stored} | {v.duplicates} | {v.dead} | {v.gaps} | {len(v.missing)} "
            f"| {o.seed} | {o.seconds:.0f} |"
        )
    verdicts = [o.verdict for o in outcomes if o.is_promise]
    yield (
        f"| **the promise** | {sum(v.accepted for v in verdicts)} | {sum(v.stored for v in verdicts)} "
        f"| {sum(v.duplicates for v in verdicts)} | {sum(v.dead for v in verdicts)} | {sum(v.gaps for v in verdicts)} "
        f"| {sum(len(v.missing) for v in verdicts)} | | {sum(o.seconds for o in outcomes):.0f} |"
    )
