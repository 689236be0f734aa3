"""Everything at once: meters on pseudo-terminals, bridges, relays, mosquitto, a store and its database."""

from __future__ import annotations

import random
import re
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.generator import Generator
from tests.faults.ledger import Promised, Stored, Verdict, count, judge, read_database
from tests.faults.processes import PATIENCE, Broker, Program
from tests.faults.relay import Relay
from tests.faults.station import HURRY, LINK, LONG, RATE, Station, Tree, merged
from tests.faults.wrapper import KILLS_THE_BROKER
from tests.postgresql import PostgreSQL

_BEYOND_HELP: Final = 3.0  # seconds after which an empty spool will not make a wrong database right


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line of the table."""

    cell: str
    seed: int
    verdict: Verdict
    seconds: float
    is_promise: bool  # what is missing here breaks it


class House:
    """A whole installation in a folder. Time is counted in frames: `pass_by(60)` is a second of the meter's."""

    def __init__(
        self, folder: Path, template: Path, seed: int, cell: str, changes: Tree, meters: int,
        postgresql: PostgreSQL | None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.seed = seed
        self.cell = cell
        self.random = random.Random(seed)
        self.broker = Broker(folder)
        self.near = Relay(self.broker.port)  # between the bridges and the broker
        self.far = Relay(self.broker.port)  # between the broker and the store
        self.may_give_up = False  # gaps are what this cell is about
        self.may_send_unspooled = False  # the disk is full: what cannot be promised is sent all the same
        self.is_proof = False  # something is broken on purpose, and must be seen
        self.is_promise = True  # False: nobody can keep it here, and what is lost is said
        self.patience = HURRY  # of its bridges
        self.injected: list[bytes] = []  # messages that must end as dead letters
        self.outcomes: list[Outcome] = []
        self._changes = changes
        self._postgresql = postgresql
        self._began = monotonic()
        self.place = folder / "store"
        self.place.mkdir(exist_ok=True)
        self.database = self.place / "db.sqlite3"
        shutil.copy(template, self.database)
        self.stations = [Station(0, folder, self.near.port, changes, seed, "pi", meters)]
        url = postgresql.url if postgresql else f"sqlite:///{self.database}"
        config: Tree = {
            "bridge": {"id": "pi", "state_dir": str(folder / "web")},
            "mqtt": {"host": "127.0.0.1", "port": self.far.port, "keepalive": 5},
            "storage": {"database": url, "batch": {"rows": 50, "seconds": 0.2}},
        }
        self.store = Program("store", folder, merged(config, {k: v for k, v in changes.items() if k == "storage"}))
        self.store.tampering = {"hurry": LINK}
        self.workers: list[Program] = []  # beside the store, of the same database
        self._workers = 0  # that there ever were
        self._programs = [self.store]  # all that must end with us
        self._links: list[Relay] = []

    # --- parts -------------------------------------------------------------------------------------

    @property
    def bridge(self) -> Program:
        """The first bridge, which is the only one in most houses."""
        return self.stations[0].bridge

    @property
    def generator(self) -> Generator:
        """Its meter."""
        return self.stations[0].generator

    @property
    def programs(self) -> list[Program]:
        return [self.store, *self.workers, *(station.bridge for station in self.stations)]

    def add_station(self, bridge: str, meter: str = "", meters: int = 1) -> Station:
        """One more bridge, with a meter of its own, or at the same as another: then its frames count on elsewhere."""
        number = len(self.stations)
        station = Station(number, self.folder, self.near.port, self._changes, self.seed + 100 * number, bridge, meters)
        if meter:
            station.read_too(meter)
        self.stations.append(station)
        return station

    def share(self, workers: int) -> None:
        """Have so many workers store, each taking a part of the readings."""
        self.store.arguments = ["--share", "workers"]
        for _ in range(1, workers):
            self.add_worker()

    def add_worker(self, link: Relay | None = None) -> Program:
        """One more worker, over the link of the others or one of its own; it does not run yet."""
        self._workers += 1
        config = merged(self.store.config, {"mqtt": {"port": link.port}} if link else {})
        worker = Program(f"store{self._workers}", self.folder, config)
        worker.tampering, worker.arguments = self.store.tampering, self.store.arguments
        self.workers.append(worker)
        self._programs.append(worker)
        return worker

    def add_worker_behind_a_relay(self) -> tuple[Program, Relay]:
        """As on a host of its own, which can be cut off."""
        link = Relay(self.broker.port)
        self._links.append(link)
        return self.add_worker(link), link

    # --- life --------------------------------------------------------------------------------------

    def start(
        self, *, broker: bool = True, store: bool = True, bridges: bool = True, wait: bool = True, rate: float = RATE
    ) -> None:
        """Start everything but what is told to be absent, and wait until readings flow."""
        if broker:
            self.broker.start()
        for program in [self.store, *self.workers] if store else []:
            program.start()
        for station in self.stations:
            station.make_spool()
            station.start_meters(rate)
            if bridges:
                station.bridge.start()
        for station in self.stations if bridges and wait else ():
            self.wait(station.has_begun, "nothing is accepted")

    def wait(self, done: Callable[[], bool], otherwise: str, seconds: float = PATIENCE) -> None:
        """Wait until something is so; it is asked again and again."""
        until, pause = monotonic() + seconds, threading.Event()
        while not done():
            if monotonic() > until:
                said = {program.name: program.said[-12:] for program in self.programs}
                pytest.fail(f"{otherwise}; seed {self.seed}, {self.generator.counter} frames sent; {said}")
            pause.wait(0.05)

    def pass_by(self, frames: int) -> None:
        """Let the meter send so many frames more."""
        until = self.generator.counter + frames
        self.wait(lambda: self.generator.counter >= until, "the meter stands still")

    def accept(self, readings: int) -> None:
        """Let so many readings more be accepted."""
        until = self._count_accepted() + readings
        self.wait(lambda: self._count_accepted() >= until, "nothing is accepted")

    def store_some(self, rows: int = 1) -> None:
        """Let so many rows more be stored."""
        until = self._count_rows() + rows
        self.wait(lambda: self._count_rows() >= until, "nothing is stored")

    def let_go(self, most: int) -> None:
        """Let the bridges hear of what was stored, until they hold so few readings."""
        self.wait(lambda: self._held() <= most, "the bridges let go of nothing")

    def replace_broker(self) -> None:
        """Stop it and start it, with other options."""
        self.broker.end()
        self.broker.start()

    def replace(self, program: Program, number: int = signal.SIGKILL) -> None:
        """End a program by a signal, and start it again."""
        program.end(number)
        program.start()

    def crash(self, program: Program, point: str, number: int) -> None:
        """Start a program that dies when it passes a point for the n-th time, and wait for that."""
        usual = program.tampering
        program.tampering = {**usual, "die": [point, number], "broker": self.broker.process and self.broker.process.pid}
        program.start()
        program.tampering = usual
        if point in KILLS_THE_BROKER:
            self.broker.wait()
            program.end(signal.SIGKILL)
            self.broker.start()
        else:
            code = program.wait()
            assert code == -signal.SIGKILL, f"{program.name} ended with {code}; it said: {program.said[-20:]}"

    def drop_unique_key(self) -> None:
        """Take from the database what makes a second row of one name impossible."""
        with closing(sqlite3.connect(self.database)) as connection:
            [(statement,)] = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'storage_data'").fetchall()
            without, number = re.subn(r',\s*CONSTRAINT "data_once" UNIQUE \("epoch_id", "seq"\)', "", statement)
            assert number == 1, statement
            connection.execute("DROP TABLE storage_data")
            connection.execute(without)
            connection.commit()

    def rounds(self, short: int, long: int) -> range:
        """As often as the form of the suite wants it."""
        return range(long if LONG else short)

    def inject(self, body: bytes, topic: str = "") -> None:
        """Publish a message that no bridge sends; it must end as a dead letter."""
        self.injected.append(body)
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        client.publish(topic or f"linky/{self.stations[0].meter}/reading", body, qos=1).wait_for_publish(PATIENCE)
        client.disconnect()
        client.loop_stop()

    # --- the verdict -------------------------------------------------------------------------------

    def execute(self, query: str) -> Iterable[tuple[Any, ...]]:
        """Ask the database."""
        if self._postgresql is not None:
            import psycopg  # noqa: PLC0415  an optional part

            with psycopg.connect(self._postgresql.url) as connection:
                return connection.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return rows

    def _count_rows(self) -> int:
        [(number,)] = self.execute("SELECT count(*) FROM storage_data")
        return int(number)

    def _count_accepted(self) -> int:
        return sum(count(station.spool, "ledger") for station in self.stations)

    def _held(self) -> int:
        return sum(count(station.spool, "reading") for station in self.stations)

    def promised(self) -> Promised:
        """What all stations promised."""
        promised = Promised()
        for station in self.stations:
            promised.add(station.promised())
        return promised

    def judge(self) -> Verdict:
        """How it stands now."""
        sent = {(g.meter, counter) for station in self.stations for g in station.generators for counter in g.sent}
        return judge(self.promised(), self.stored(), sent)

    def stored(self) -> Stored:
        """What is in the database now."""
        return read_database(self.execute)

    def settle(self, seconds: float = PATIENCE, how: int = signal.SIGKILL) -> Verdict:
        """End the fault: have everything run, the line fall silent, and the store catch up; then stop, and judge."""
        if self.broker.process is None:
            self.broker.start()
        for program in self.programs:
            if not program.is_running:
                program.start()
        for station in self.stations:
            station.wait_until_read()
        self._wait_for_peace(monotonic() + seconds)
        for program in reversed(self.programs):
            program.end(how)
        verdict = self.judge()
        self.outcomes.append(
            Outcome(self.cell, self.seed, verdict, monotonic() - self._began, self.is_promise and not self.is_proof)
        )
        return verdict

    def _wait_for_peace(self, until: float) -> None:
        """Until all is well, or beyond help."""
        pause, empty_since = threading.Event(), float("inf")
        while monotonic() < until:
            if self._held():
                empty_since = float("inf")
            else:
                empty_since = min(empty_since, monotonic())
                if not self.wrong(self.judge()) or monotonic() - empty_since > _BEYOND_HELP / (1 + self.is_proof):
                    return
            pause.wait(0.1)

    def wrong(self, verdict: Verdict) -> list[str]:
        """What is broken of the promise."""
        wrong = verdict.wrong(may_send_unspooled=self.may_send_unspooled)
        if verdict.gaps and not self.may_give_up:
            wrong.append(f"{verdict.gaps} readings were given up")
        buried = {body for _, body in self.stored().dead}
        if buried != set(self.injected):
            never, false = set(self.injected) - buried, buried - set(self.injected)
            wrong.append(f"bad messages not set aside: {_shown(never)}; set aside and not bad: {_shown(false)}")
        return wrong

    def keeps_its_promise(self, seconds: float = PATIENCE, how: int = signal.SIGKILL) -> Verdict:
        """Settle, and insist."""
        verdict = self.settle(seconds, how)
        wrong = self.wrong(verdict)
        assert not wrong, f"{wrong}; seed {self.seed}; bridge: {self.bridge.said[-8:]}; store: {self.store.said[-8:]}"
        assert verdict.accepted > 0, "nothing was accepted: nothing is proven"
        for program in self.programs:
            assert not [line for line in program.said if "Traceback" in line], program.said
        return verdict

    def close(self) -> None:
        for station in self.stations:
            station.close()
        for program in self._programs:
            program.close()
        self.broker.close()
        for link in (self.near, self.far, *self._links):
            link.close()


def _shown(bodies: set[bytes]) -> list[bytes]:
    return sorted(body[:80] for body in bodies)
