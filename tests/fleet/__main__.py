"""`make fleet`: two hosts of bridges, two of store workers, one broker, one PostgreSQL; each host behind its own cable.

One store host's cable is pulled for a minute and put back; then the host dies. The ledger of the bridges must equal the
database. Prints the table of docs/design/fleet.md; takes root and three minutes.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.faults.conftest import table
from tests.faults.house import House
from tests.faults.marks import Marks
from tests.faults.processes import Program
from tests.fleet.hosts import ADDRESS, Hosts
from tests.postgresql import PostgreSQL

_CUT: Final = 60  # seconds that the cable is pulled
_METERS: Final = 3  # of each bridge
_RATE: Final = 10.0  # frames a second of each
_START: Final = 300.0  # seconds for the tables to be made, on a busy machine
_AFTER: Final = 300  # readings more before the next thing happens


def main() -> int:
    """Run it; 0 when nothing is missing, doubled, or promised too early."""
    folder = Path(tempfile.mkdtemp(prefix="ticbridge-fleet-"))
    try:
        with Hosts("bridges1", "bridges2", "store1", "store2") as hosts:
            server = PostgreSQL(durable=True, network=ADDRESS)
            try:
                return _run(folder, server, hosts)
            finally:
                server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, server: PostgreSQL, hosts: Hosts) -> int:
    (folder / "template").touch()
    seed = random.SystemRandom().randrange(10**6)
    house = House(
        folder, folder / "template", seed, "a store host cut off for a minute, then dead", {}, _METERS, server
    )
    house.broker.options = [f"listener {house.broker.port} {ADDRESS}"]
    house.add_station("pi2", meters=_METERS)
    house.share(2)
    (second,) = house.workers
    for station, host in zip(house.stations, ("bridges1", "bridges2"), strict=True):
        _move(station.bridge, hosts.on(host), house.broker.port)
    for store, host in ((house.store, "store1"), (second, "store2")):
        _move(store, hosts.on(host), house.broker.port)
        store.config["storage"]["database"] = server.url.replace("127.0.0.1", ADDRESS)
    try:
        house.broker.start()
        with Marks(house.broker.port) as marks:
            house.start(broker=False, rate=_RATE)
            for program in house.programs:
                program.wait_for("Connected to the broker", seconds=_START)
            house.store_some(_AFTER)
            hosts.cut("store2")
            for _ in range(_CUT // 10):
                house.pass_by(int(10 * _RATE))
            hosts.heal("store2")
            house.store_some(_AFTER)
            second.end(signal.SIGKILL)
            house.workers.clear()
            house.store_some(_AFTER)
            verdict = house.settle(seconds=240)
        wrong = house.wrong(verdict)
        untrue = marks.untrue(house.execute)
    finally:
        house.close()
    print("\n".join(table(house.outcomes)))  # noqa: T201  a program's output
    print(f"watermarks heard: {marks.heard}, fallen: {len(marks.fallen)}, ahead of the database: {len(untrue)}")  # noqa: T201  as above
    for line in [*wrong, *map(str, marks.fallen), *map(str, untrue)]:
        print(line, file=sys.stderr)  # noqa: T201  as above
    return 1 if wrong or marks.fallen or untrue else 0


def _move(program: Program, host: list[str], port: int) -> None:
    program.prefix = host
    program.config["mqtt"] |= {"host": ADDRESS, "port": port}


if __name__ == "__main__":
    sys.exit(main())
