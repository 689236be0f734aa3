"""`python -m tests.soak.lines`: how many lines the services write while a fault lasts.

The first minute and the second are counted apart: what happens once is in the first only.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click

from tests.broker.conftest import Ear
from tests.faults.generator import Generator, any_of, flipped, joined, noise, truncated
from tests.faults.processes import Broker, Program

_MINUTE: Final = 60.0


class Small:
    """One meter, its bridge, a broker, a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self._ports = Path(tempfile.mkdtemp(prefix="ticbridge-", dir="/dev/shm"))
        self.generator = Generator(self._ports / "p", "061861000001", 1)
        self.database = folder / "db.sqlite3"
        self.programs = [Program(name, folder, self._config(name)) for name in ("bridge", "store")]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def _config(self, name: str) -> dict[str, Any]:  # a YAML tree
        return {
            "bridge": {"id": "one", "state_dir": str(self.folder / name)},
            "meters": [{"source": str(self.generator.link), "mode": "standard"}],
            "mqtt": {"host": "127.0.0.1", "port": self.broker.port},
            "spool": {"min_free_disk": 0},
            "storage": {"database": f"sqlite:///{self.database}", "batch": {"rows": 50, "seconds": 1}},
        }

    def start(self) -> None:
        self.broker.start()
        for program in self.programs:
            program.start()
            program.wait_for("Connected to the broker", seconds=300)
        self.generator.start(5)

    def each(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something again and again until the end."""

        def act() -> None:
            while not self._stopping.wait(seconds):
                action()

        self._threads.append(threading.Thread(target=act))
        self._threads[-1].start()

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for program in self.programs:
            program.close()
        self.generator.close()
        self.broker.close()
        shutil.rmtree(self._ports)


# --- faults ----------------------------------------------------------------------------------------


@contextmanager
def port_missing(small: Small) -> Iterator[None]:
    small.generator.unplug()
    yield


@contextmanager
def port_comes_and_goes(small: Small) -> Iterator[None]:
    def turn() -> None:
        small.generator.unplug()
        small.generator.plug()

    small.each(2.0, turn)
    yield


@contextmanager
def broker_gone(small: Small) -> Iterator[None]:
    small.broker.end()
    yield


@contextmanager
def two_bridges_of_one_id(small: Small) -> Iterator[None]:
    second = Program("bridge2", small.folder, small.programs[0].config | {"meters": [{"source": "sim:base"}]})
    second.start()
    yield
    second.close()


@contextmanager
def line_noisy(small: Small) -> Iterator[None]:
    small.generator.damage = any_of([noise, flipped, truncated, joined], 0.5)
    yield


@contextmanager
def database_locked(small: Small) -> Iterator[None]:
    with closing(sqlite3.connect(small.database, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


@contextmanager
def ten_unreadable_messages_a_second(small: Small) -> Iterator[None]:
    ear = Ear(small.broker.port)
    small.each(0.1, lambda: ear.publish("linky/attic/reading", "nonsense"))
    yield
    ear.close()


FAULTS: Final = (
    port_missing, port_comes_and_goes, broker_gone, two_bridges_of_one_id, line_noisy, database_locked,
    ten_unreadable_messages_a_second,
)  # fmt: skip


def measure(fault: Callable[[Small], Any]) -> str:
    """A row of Markdown."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-lines-") as folder:
        small, pause = Small(Path(folder)), threading.Event()
        try:
            small.start()
            counts = []
            with fault(small):
                for _ in range(2):
                    before, until = [len(program.said) for program in small.programs], monotonic() + _MINUTE
                    while (left := until - monotonic()) > 0:
                        pause.wait(left)
                    counts += [len(p.said) - n for p, n in zip(small.programs, before, strict=True)]
            return f"| {fault.__name__.replace('_', ' ')} | {counts[0]}, {counts[2]} | {counts[1]}, {counts[3]} |"
        finally:
            small.close()


@click.command()
def main() -> None:
    """A table: lines of the first minute, lines of the second."""
    click.echo("| fault | bridge | store |\n|---|---|---|")
    for fault in FAULTS:
        click.echo(measure(fault))


if __name__ == "__main__":
    main()
