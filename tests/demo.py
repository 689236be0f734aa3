"""`ticbridge demo` as a process, for tests that want a whole house: meter, broker, bridge, store and page."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.broker.conftest import free_port

ROOT: Final = Path(__file__).resolve().parents[1]


def outside() -> dict[str, str]:
    """The environment of a program that has settings of its own."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")}, "PYTHONPATH": str(ROOT)}


@contextmanager
def demo(
    folder: Path, *arguments: str, launcher: Sequence[str] = ("-m", "ticbridge")
) -> Iterator[subprocess.Popen[str]]:
    """Its folder is `folder`/demo. Killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, *launcher, "demo", "--port", str(free_port()), "--dir", str(folder / "demo"), *arguments],
        cwd=folder, env=outside(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def welcome(process: subprocess.Popen[str]) -> dict[str, str]:
    """What the demo prints once everything runs: word -> rest of the line."""
    assert process.stdout is not None
    lines = {}
    for line in process.stdout:
        word, _, rest = line.strip().partition(" ")
        lines[word] = rest.strip()
        if word == "Ctrl-C":
            return lines
    pytest.fail(f"the demo did not start: {process.communicate()[1]}")
