"""Two meters, two bridges, two workers, and any fault at any time, several at once."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.faults.generator import flipped
from tests.faults.house import House
from tests.faults.processes import Program
from tests.faults.relay import Relay
from tests.faults.station import LONG, Station

pytestmark = [pytest.mark.faults, pytest.mark.broker]

Fault = Callable[[], Callable[[], None]]  # does it, and gives what ends it


def test_everything_happens_at_random(house: House) -> None:
    house.add_station("pi2")
    house.share(2)
    house.start()
    lasting: list[Callable[[], None]] = []
    for _ in house.rounds(6, 60):
        lasting.append(house.random.choice(faults(house))())
        house.pass_by(house.random.randint(1, 60))
        if len(lasting) > house.random.randint(0, 2):
            lasting.pop(house.random.randrange(len(lasting)))()
    for end in lasting:
        end()
    house.keeps_its_promise()


def faults(house: House) -> list[Fault]:
    """What can happen now; what is broken already cannot break."""
    found: list[Fault] = [lambda p=p: _kill(house, p) for p in house.programs if p.is_running]  # type: ignore[misc]
    found += [lambda r=r: _disturb(house, r) for r in (house.near, house.far)]  # type: ignore[misc]  # bound at once
    found += [lambda s=s: _unplug(s) for s in house.stations if s.generator.is_plugged]  # type: ignore[misc]
    found += [lambda s=s: _damage(s) for s in house.stations]  # type: ignore[misc]
    if house.broker.process is not None:
        found += [lambda: _kill_broker(house)] * 2
    return [*found, lambda: _lock(house)] if LONG else found


def _kill(house: House, program: Program) -> Callable[[], None]:
    program.end(house.random.choice([signal.SIGKILL, signal.SIGTERM]))
    return program.start


def _kill_broker(house: House) -> Callable[[], None]:
    house.broker.end(house.random.choice([signal.SIGKILL, signal.SIGTERM]))
    if house.random.random() < 0.3:
        house.broker.wipe()
    return house.broker.start


def _disturb(house: House, link: Relay) -> Callable[[], None]:
    ways: list[Callable[[], None]] = [link.cut, link.refuse, link.swallow, lambda: link.slow(30_000)]
    house.random.choice(ways)()
    return link.heal


def _unplug(station: Station) -> Callable[[], None]:
    station.generator.unplug()
    return station.generator.plug


def _damage(station: Station) -> Callable[[], None]:
    station.generator.damage = flipped

    def end() -> None:
        station.generator.damage = None

    return end


def _lock(house: House) -> Callable[[], None]:
    """For a second: others wait to be told, and some faults last."""
    with closing(sqlite3.connect(house.database, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        house.pass_by(60)
        connection.execute("ROLLBACK")
    return lambda: None
