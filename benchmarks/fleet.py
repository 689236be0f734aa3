"""A fleet on one machine: meters -> mosquitto -> a store worker -> PostgreSQL, against two other ways to do it.

Readings wait at the broker while the worker stands still; then the worker, mosquitto and PostgreSQL have the machine to
themselves until all are in the database. So the generator takes nothing from what is measured. What each program takes
of a processor per reading is measured, too: on a core of its own a worker does one reading in that time (computed).

`python -m benchmarks.fleet [METERS ...]` prints the whole table.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.load import FIRST, Load
from benchmarks.processes import Program, broker_and_pid, cpu, until
from benchmarks.store import bodies
from benchmarks.table import Row
from tests.postgresql import PostgreSQL

METERS: Final = (1, 100, 1000, 10_000)
_READINGS: Final = 20_000
_MOST_ROUNDS: Final = 400
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_HERE: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a run; processor times are microseconds of one reading."""

    what: str
    meters: int
    readings: int
    rate: float  # readings a second
    lag: float  # seconds until the last reading that waited was stored
    lost: int
    doubled: int
    message: int  # bytes
    row: float  # bytes of a reading in the database, indexes and all
    worker: float
    mosquitto: float
    postgresql: float

    def __str__(self) -> str:
        return (
            f"| {self.what} | {self.meters} | {self.readings} | {self.rate:.0f} | {self.lag:.1f} | {self.lost} "
            f"| {self.doubled} | {self.message} | {self.row:.0f} | {self.worker:.0f} | {self.mosquitto:.0f} "
            f"| {self.postgresql:.0f} | {1e6 / self.worker:.0f} |"
        )


HEAD: Final = (
    "| | meters | readings | a second | lag s | lost | doubled | message bytes | row bytes | worker µs | mosquitto µs "
    "| PostgreSQL µs | a second on a core of its own (computed) |\n|---|" + "---|" * 12
)


class House:
    """A broker and a durable PostgreSQL with our tables."""

    def __init__(self, port: int, broker: int, server: PostgreSQL) -> None:
        import psycopg  # noqa: PLC0415  an optional part

        self.port = port
        self.broker = broker
        self.server = server
        self.db = psycopg.connect(server.url, autocommit=True)

    def ask(self, question: str) -> Any:  # one value
        row = self.db.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]

    def postgresql(self) -> float:
        """Seconds of processor time of the whole server, of processes that ended too."""
        main = int((self.server.folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        ticks = 0
        for pid in (str(main), *children):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15] if pid == str(main) else fields[11:13]))
        return ticks / _TICKS

    def make_meters(self, number: int) -> None:
        """The others like the first, which a worker made: what a meter takes once in its life is not measured."""
        names = self.db.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = 'storage_meter' AND column_name <> 'id'"
        ).fetchall()
        new = {"meter_id": "'02186' || lpad(n::text, 7, '0')", "uuid": "gen_random_uuid()"}
        columns = ", ".join(f'"{name}"' for (name,) in names)
        values = ", ".join(new.get(name, f'm."{name}"') for (name,) in names)
        self.db.execute(
            f"INSERT INTO storage_meter ({columns}) SELECT {values} FROM storage_meter m, "  # noqa: S608  our own names
            f"generate_series(1, {number} - 1) n".encode()
        )
        self.db.execute("ANALYZE")

    def drain(self, what: str, load: Load, pid: int, stored: Callable[[], int]) -> Run:
        """Have readings wait, then let a program that stands still take them."""
        rounds = min(_MOST_ROUNDS, max(1, _READINGS // load.meters))
        os.kill(pid, signal.SIGSTOP)
        before = load.sent
        load.send(rounds)
        number = load.sent - before
        used, began = (cpu(pid), cpu(self.broker), self.postgresql()), time.monotonic()
        os.kill(pid, signal.SIGCONT)
        until(lambda: stored() >= load.sent)
        seconds = time.monotonic() - began
        now = cpu(pid), cpu(self.broker), self.postgresql()
        worker, broker, server = ((after - first) / number * 1e6 for after, first in zip(now, used, strict=True))
        rows = self.ask("SELECT count(*) FROM storage_data")
        single = self.ask("SELECT count(DISTINCT (epoch_id, seq)) FROM storage_data")
        size = self.ask("SELECT pg_total_relation_size('storage_data')") / rows
        return Run(
            what, load.meters, number, number / seconds, seconds, load.sent - single, rows - single,
            load.size, size, worker, broker, server,
        )  # fmt: skip


@contextmanager
def house() -> Iterator[House]:
    """It is gone at the end."""
    server = PostgreSQL(durable=True)
    try:
        with broker_and_pid() as (port, pid):
            opened = House(port, pid, server)
            try:
                yield opened
            finally:
                opened.db.close()
    finally:
        server.close()


def ours(meters: int, rows: int = 2000) -> Run:
    """`ticbridge store --share`, one worker."""
    some = _bodies(meters)
    with house() as at:
        storage = {"database": at.server.url, "batch": {"rows": rows, "seconds": 1}}
        worker = Program("store", at.port, "--share", "bench", storage=storage, log={"level": "info"})
        try:
            until(lambda: at.ask("SELECT to_regclass('alerts_place') IS NOT NULL") and worker.is_connected)

            def stored() -> int:
                return int(at.ask(f"SELECT coalesce(sum(handled - {FIRST - 1}), 0) FROM storage_epoch"))  # noqa: S608  a number

            first = Load(at.port, 1, some)
            first.send(1)
            until(lambda: stored() == 1)
            first.close()
            at.make_meters(meters)
            load = Load(at.port, meters, some)
            load.send(1)
            until(lambda: stored() >= load.sent)
            found = at.drain("one worker", load, worker.pid, stored)
            load.close()
            return found
        finally:
            worker.close()


def saved(meters: int) -> Run:
    """Django's `save()` for each message, acknowledged after it."""
    with house() as at, tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        about = json.dumps({"url": at.server.url, "port": at.port, "ready": str(ready), "folder": folder})
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.fleet_save", about], cwd=_HERE)  # noqa: S603  our own
        try:
            until(ready.exists)
            load = Load(at.port, meters, _bodies(meters))
            load.send(1)

            def stored() -> int:
                return int(at.ask("SELECT count(*) FROM storage_data"))

            until(lambda: stored() >= load.sent)
            found = at.drain("one save() per message", load, process.pid, stored)
            load.close()
            return found
        finally:
            process.kill()
            process.wait()


def piped(meters: int) -> Run:
    """`mosquitto_sub` piped to COPY: unread texts in a table of one column; killed, it loses what was under way."""
    with house() as at:
        at.db.execute("CREATE TABLE message (body text)")
        session = ["mosquitto_sub", "-p", str(at.port), "-i", "piped", "-c", "-q", "1", "-t", "linky/+/reading"]
        subprocess.run([*session, "-E"], check=True)  # noqa: S603  made, and away: the broker keeps what comes
        load = Load(at.port, meters, _bodies(meters))
        load.send(max(1, min(_MOST_ROUNDS, _READINGS // meters)))
        pipe = " ".join([*session, "-C", str(load.sent), "-F", "%p"])
        before, used, began = os.times(), (cpu(at.broker), at.postgresql()), time.monotonic()
        command = f"{pipe} | psql -q -c 'COPY message FROM STDIN' {at.server.url}"
        subprocess.run(["sh", "-c", command], check=True)  # noqa: S603, S607  our own
        seconds, now, after = time.monotonic() - began, (cpu(at.broker), at.postgresql()), os.times()
        load.close()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        worker, broker, server = (
            took / load.sent * 1e6 for took in (spent, now[0] - used[0], now[1] - used[1])
        )  # fmt: skip
        rows = at.ask("SELECT count(*) FROM message")
        size = at.ask("SELECT pg_total_relation_size('message')") / rows
        return Run(
            "mosquitto_sub to COPY", meters, load.sent, load.sent / seconds, seconds, load.sent - rows, 0,
            load.size, size, worker, broker, server,
        )  # fmt: skip


def _bodies(meters: int) -> list[str]:
    return [body for _, body in bodies(min(_MOST_ROUNDS, max(1, _READINGS // meters)) + 1)]


def rows() -> list[Row]:
    """Measure: few and many meters, and one of the baselines."""
    what = "fleet, readings/s into PostgreSQL exactly once, one worker, meters:"
    try:
        few, many, plain = ours(100), ours(10_000), saved(100)
    except pytest.skip.Exception as lacking:
        return [Row(f"{what} 10000", 7000, 15_000, None, "readings/s", lower=False, note=str(lacking))]
    wrong = sum(run.lost + run.doubled for run in (few, many))
    return [
        Row(f"{what} 10000", 7000, 15_000, many.rate, "readings/s", lower=False,
            note=f"{1e6 / many.worker:.0f} on a core of its own (computed)"),
        Row("fleet, processor time of a reading, 10 000 meters against 100", 1.2, 1,
            (many.worker + many.postgresql) / (few.worker + few.postgresql), "x"),
        Row("fleet, readings lost or doubled", 0, 0, wrong, "readings"),
        Row("fleet, against one save() per message", 5, 20, few.rate / plain.rate, "x", lower=False),
    ]  # fmt: skip


if __name__ == "__main__":
    print(HEAD)  # noqa: T201  a tool's output
    for number in [int(word) for word in sys.argv[1:]] or METERS:
        print(ours(number), flush=True)  # noqa: T201  as above
    for other in (saved, piped):
        print(other(100), flush=True)  # noqa: T201  as above
