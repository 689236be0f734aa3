"""Real processes to measure: a broker, and programs of ours beside it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ticbridge.commands.broker import free_port, start_broker, wait_for_port
from ticbridge.commands.processes import Child, stop, ticbridge

_PATIENCE = 120.0


@contextmanager
def broker() -> Iterator[int]:
    """The port of the demo's broker, a free one of the loopback address."""
    with broker_and_pid() as (port, _):
        yield port


@contextmanager
def broker_and_pid() -> Iterator[tuple[int, int]]:
    """And its process."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        child, which = start_broker(Path(folder), port)
        try:
            if which != "mosquitto" or not wait_for_port(port, child):
                raise RuntimeError(f"these figures are mosquitto's: apt install mosquitto ({child.last_lines()})")
            yield port, child.pid
        finally:
            stop([child])


class Program:
    """`ticbridge COMMAND` with a configuration and a folder of its own; it ends with us, however we end."""

    def __init__(
        self, command: str, port: int, *arguments: str, environment: Mapping[str, str] | None = None, **sections: Any
    ) -> None:  # YAML trees
        for name in [name for name in os.environ if name.startswith("TICBRIDGE_")]:
            del os.environ[name]
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        config = {
            "bridge": {"id": "bench", "state_dir": str(folder / "state")},
            "mqtt": {"host": "127.0.0.1", "port": port},
            "log": {"level": "warning"},
            "storage": {"database": f"sqlite:///{folder}/db.sqlite3", "batch": {"rows": 500, "seconds": 1}},
            **sections,
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        self.began = time.monotonic()
        self._child = Child(
            command, ticbridge(command, *arguments, config=folder / "config.yaml"),
            {"MALLOC_ARENA_MAX": "1", **(environment or {})},  # as in our systemd unit
            folder / "log",
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    @property
    def is_connected(self) -> bool:
        """Whether it said that it is, with a log level of info."""
        return "Connected to the broker" in (Path(self._folder.name) / "log").read_text()

    def cpu(self) -> float:
        """Seconds of processor time of all its threads so far."""
        return cpu(self.pid)

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def close(self) -> None:
        """Stop it."""
        stop([self._child], within=20)
        self._folder.cleanup()


def cpu(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def until(condition: Callable[[], object]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what is measured does not answer")
        time.sleep(0.005)
