"""`make soak`: two weeks of frames in two hours, under faults, and what the programs took meanwhile.

Bridge, store and page as processes, mosquitto, SQLite, pseudo-terminals; a relay between the programs and the broker.
A day of the retention lasts a minute here, or nothing would be old enough in two hours.
"""

from __future__ import annotations

import contextlib
import csv
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click

from tests.broker.conftest import free_port
from tests.faults.generator import LAST, Generator, any_of, flipped, joined, noise, truncated
from tests.faults.processes import Broker, Program
from tests.faults.relay import Relay
from tests.soak.plot import svg
from tests.soak.samples import Sample, calm_ends, growth, usage

TREE: Final = Path(__file__).parents[2]
BAR: Final = 1.0  # MB for each 100 000 frames
_EVERY: Final = 5.0  # seconds between two samples
_FAULT_EVERY: Final = 60.0
_CALM_AFTER: Final = 30.0  # seconds after a fault until everything is as before
_WARM: Final = 0.2  # of the run, in which caches fill
_SHARE: Final = 0.02  # of the frames are damaged
_MINUTE_LONG_DAY: Final = dict.fromkeys("dwmy", 1 / 1440)
_HURRY: Final = {"bridge.kinds._UNITS": _MINUTE_LONG_DAY, "storage.worker._PURGE_EVERY": 30.0}


class Soak:
    """The whole installation, in a folder."""

    def __init__(self, folder: Path, frames: int, seconds: float, seed: int) -> None:
        self.seconds = seconds
        self.random = random.Random(seed)
        self.meters = max(3, ceil(frames / (LAST * 0.95)))
        self.rate = frames / seconds / self.meters
        self._folder = folder
        self._broker = Broker(folder)
        self._relays = [Relay(self._broker.port) for _ in range(2)]
        self._ports = Path(tempfile.mkdtemp(prefix="ticbridge-", dir="/dev/shm"))
        self._generators = [Generator(self._ports / f"p{n}", f"061861{n:06}", seed + n) for n in range(self.meters)]
        self._spool, self._database = folder / "state" / "spool.sqlite3", folder / "db.sqlite3"
        self._page = free_port()
        self.programs = [Program(name, folder, self._config(name)) for name in ("bridge", "store", "web")]
        for program in self.programs:
            program.environment = {"MALLOC_ARENA_MAX": "1"}  # as in our systemd units
        self.programs[1].tampering = {"hurry": _HURRY}
        self.faults: dict[str, int] = {}
        self.samples: list[Sample] = []

    def _config(self, name: str) -> dict[str, Any]:  # a YAML tree
        relay = self._relays[name != "bridge"]
        return {
            "bridge": {"id": "soak", "state_dir": str(self._folder / ("state" if name == "bridge" else name))},
            "meters": [{"source": str(g.link), "mode": "standard", "id": g.meter} for g in self._generators],
            "mqtt": {"host": "127.0.0.1", "port": relay.port, "keepalive": 5},
            "spool": {"min_free_disk": 0},
            "storage": {
                "database": f"sqlite:///{self._database}", "batch": {"rows": 500, "seconds": 1},
                "keep": {"raw": "1d", "minute": "15d"},
            },
            "web": {"listen": f"127.0.0.1:{self._page}"},
        }  # fmt: skip

    # --- its life --------------------------------------------------------------------------------

    def run(self) -> None:
        """Send all frames, with a fault each minute, and look each five seconds."""
        self._broker.start()
        for program in (self.programs[1], self.programs[0], self.programs[2]):
            program.start()
        for generator in self._generators:
            generator.damage = any_of([noise, flipped, truncated, joined], _SHARE)
            generator.start(self.rate)
        began, pause = monotonic(), threading.Event()
        broken_at, next_fault = began, began + _FAULT_EVERY
        while (now := monotonic()) < began + self.seconds:
            if now >= next_fault and now < began + self.seconds - 2 * _CALM_AFTER:
                self._fault(pause)
                broken_at, next_fault = monotonic(), monotonic() + _FAULT_EVERY
            self.samples.append(self._look(now - began, is_calm=now - broken_at > _CALM_AFTER))
            if sys.stderr.isatty() or len(self.samples) % 12 == 0:
                click.echo(f"{now - began:6.0f} s, {self.samples[-1].frames} frames, faults {self.faults}", err=True)
            pause.wait(_EVERY)
        for generator in self._generators:
            generator.stop()

    def _fault(self, pause: threading.Event) -> None:
        kinds: list[Callable[[threading.Event], None]] = [
            self._unplug, self._restart_broker, self._cut, self._swallow, self._lock_database,
        ]  # fmt: skip
        fault = self.random.choice(kinds)
        name = fault.__name__.strip("_").replace("_", " ")
        self.faults[name] = self.faults.get(name, 0) + 1
        fault(pause)

    def _unplug(self, pause: threading.Event) -> None:
        generator = self.random.choice(self._generators)
        generator.unplug()
        pause.wait(5)
        generator.plug()

    def _restart_broker(self, pause: threading.Event) -> None:
        self._broker.end()
        pause.wait(3)
        self._broker.start()

    def _cut(self, _pause: threading.Event) -> None:
        for relay in self._relays:
            relay.cut()

    def _swallow(self, pause: threading.Event) -> None:
        relay = self.random.choice(self._relays)
        relay.swallow()
        pause.wait(15)
        relay.heal()

    def _lock_database(self, pause: threading.Event) -> None:
        with closing(sqlite3.connect(self._database, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            pause.wait(8)
            connection.execute("ROLLBACK")

    # --- looking ---------------------------------------------------------------------------------

    def _look(self, seconds: float, *, is_calm: bool) -> Sample:
        dead = [program.name for program in self.programs if not program.is_running]
        if dead:
            raise click.ClickException(f"{dead} ended: {[p.said[-20:] for p in self.programs]}")
        with contextlib.suppress(OSError):  # busy; the samples of the next seconds tell
            urllib.request.urlopen(f"http://127.0.0.1:{self._page}/healthz", timeout=5).read()
        return Sample(
            seconds, sum(generator.counter for generator in self._generators),
            {program.name: usage(program.pid) for program in self.programs},
            self._count(self._spool, "reading"), _megabytes(self._spool), _megabytes(self._database),
            self._count(self._database, "storage_data"),
            self._count(self._database, "storage_rollup WHERE step = 60"), is_calm,
        )  # fmt: skip

    def _count(self, path: Path, what: str) -> int:
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as connection:
                [(number,)] = connection.execute(f"SELECT count(*) FROM {what}").fetchall()
        except sqlite3.Error:  # it is not made yet, or a fault of ours has it
            return 0
        return int(number)

    def lines(self) -> dict[str, int]:
        """How many lines each program wrote."""
        return {program.name: len(program.said) for program in self.programs}

    def close(self) -> None:
        for program in reversed(self.programs):
            program.end()
        for generator in self._generators:
            generator.close()
        self._broker.close()
        for relay in self._relays:
            relay.close()
        shutil.rmtree(self._ports)


def _megabytes(path: Path) -> float:
    files = (path.with_name(path.name + suffix) for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


# --- the report ----------------------------------------------------------------------------------


def wrong(samples: Sequence[Sample]) -> Iterator[str]:
    """What grew, of all that must not."""
    warm = samples[int(len(samples) * _WARM) :]
    first, last = calm_ends(warm)
    for name in samples[0].usage:
        if (slope := growth(warm, name)) >= BAR:
            yield f"{name} grows by {slope:.2f} MB for each 100 000 frames"
        for what in ("descriptors", "threads"):
            before, after = (statistics.median(getattr(s.usage[name], what) for s in part) for part in (first, last))
            if after > before:
                yield f"{name} had {before:g} {what} and has {after:g}"
    if (left := max(s.waiting for s in last)) > max(s.waiting for s in first) + 1000:
        yield f"{left} readings wait in the spool"


def table(soak: Soak) -> Iterator[str]:
    """A page of Markdown."""
    warm = soak.samples[int(len(soak.samples) * _WARM) :]
    first, last = calm_ends(warm)
    end = soak.samples[-1]
    yield f"{end.seconds:.0f} s, {end.frames} frames of {soak.meters} meters, faults: " + ", ".join(
        f"{number} x {name}" for name, number in sorted(soak.faults.items())
    )
    yield ""
    yield "| program | memory, begin | end | growth per 100 000 frames | descriptors | threads | lines logged |"
    yield "|---|---|---|---|---|---|---|"
    for name, number in soak.lines().items():
        a, b = first[0].usage[name], last[-1].usage[name]
        yield (
            f"| {name} | {a.memory:.1f} MB | {b.memory:.1f} MB | {growth(warm, name):+.2f} MB "
            f"| {a.descriptors}, {b.descriptors} | {a.threads}, {b.threads} | {number} |"
        )
    yield ""
    yield "| | begin | most | end |"
    yield "|---|---|---|---|"
    for title, what, unit in (
        ("readings waiting in the spool", "waiting", ""), ("spool's file", "spool", " MB"),
        ("database", "database", " MB"), ("readings in it", "rows", ""), ("minutes in it", "minutes", ""),
    ):  # fmt: skip
        values = [getattr(sample, what) for sample in soak.samples]
        begin = getattr(first[0], what)
        yield f"| {title} | {begin:.6g}{unit} | {max(values):.6g}{unit} | {values[-1]:.6g}{unit} |"


def draw(samples: Sequence[Sample], folder: Path) -> None:
    """The graphs of docs/design/long-life.md."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(samples[0].usage)
    memory = {name: [(s.frames, s.usage[name].memory) for s in samples] for name in names}
    (folder / "long-life-memory.svg").write_text(svg("Resident memory", "frames", "MB", memory))
    held = {name: [(s.seconds, float(s.usage[name].descriptors)) for s in samples] for name in names}
    (folder / "long-life-descriptors.svg").write_text(svg("Open descriptors", "seconds", "number", held))
    waiting = {"waiting": [(s.seconds, float(s.waiting)) for s in samples]}
    (folder / "long-life-spool.svg").write_text(svg("Readings in the spool", "seconds", "readings", waiting))
    rows = {
        "readings": [(s.seconds, float(s.rows)) for s in samples if s.rows],
        "minutes": [(s.seconds, float(s.minutes)) for s in samples if s.rows],
    }
    (folder / "long-life-database.svg").write_text(svg("Rows in the database", "seconds", "rows", rows))


def keep(samples: Sequence[Sample], path: Path) -> None:
    """Every sample, for whoever wants to look again."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        names = list(samples[0].usage)
        parts = [f"{name}_{what}" for name in names for what in ("mb", "descriptors", "threads")]
        rows.writerow(["seconds", "frames", *parts, "waiting", "spool_mb", "database_mb", "rows", "minutes", "calm"])
        for s in samples:
            used = [value for name in names for value in s.usage[name]]
            numbers = [s.waiting, s.spool, s.database, s.rows, s.minutes, int(s.is_calm)]
            rows.writerow([round(s.seconds, 1), s.frames, *used, *numbers])


@click.command()
@click.option("--seconds", default=7200.0, show_default=True, help="How long.")
@click.option("--frames", default=1_300_000, show_default=True, help="How many, of all meters together.")
@click.option("--seed", default=1, show_default=True, help="Of faults and damage.")
@click.option("--graphs", type=click.Path(path_type=Path), default=TREE / "build" / "soak", help="A folder for them.")
def main(seconds: float, frames: int, seed: int, graphs: Path) -> None:
    """Exit 1 when anything grew."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-soak-") as folder:
        soak = Soak(Path(folder), frames, seconds, seed)
        try:
            soak.run()
        finally:
            soak.close()
            if soak.samples:
                draw(soak.samples, graphs)
                keep(soak.samples, graphs / "samples.csv")
        report = [f"Begun {datetime.now(UTC):%Y-%m-%d}, seed {seed}", "", *table(soak)]
        text = "\n".join(report)
        (graphs / "table.md").write_text(text + "\n")
        click.echo(text)
        found = list(wrong(soak.samples))
        for sentence in found:
            click.echo(f"WRONG: {sentence}", err=True)
        for program in soak.programs:
            (graphs / f"{program.name}.log").write_text("\n".join(program.said) + "\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
