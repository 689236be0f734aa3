"""A database that is locked, read-only or away."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.station import LONG, long_only
from tests.needs import need
from tests.postgresql import PostgreSQL

pytestmark = [pytest.mark.faults, pytest.mark.broker]


def test_the_database_is_locked_by_another_program(house: House) -> None:
    house.start()
    house.store_some()
    with closing(sqlite3.connect(house.database, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        house.pass_by(2200 if LONG else 120)  # in the long form, longer than the store waits for a lock
        connection.execute("ROLLBACK")
    house.keeps_its_promise()


@long_only
def test_the_database_is_locked_and_the_store_is_killed(house: House) -> None:
    house.start()
    for _ in house.rounds(1, 4):
        house.store_some()
        with closing(sqlite3.connect(house.database, isolation_level=None, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            house.pass_by(40)
            house.store.end(signal.SIGKILL)
            connection.execute("ROLLBACK")
        house.store.start()
    house.keeps_its_promise()


def test_the_database_is_read_only_for_a_while(house: House) -> None:
    if os.geteuid() == 0:  # whom permissions do not bind, unless that capability is dropped
        house.store.prefix = [need("setpriv"), "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    house.start()
    house.store_some()
    files = [path for path in house.place.iterdir() if path.name.startswith("db.sqlite3")]
    for path in files:
        path.chmod(0o444)
    house.place.chmod(0o555)
    house.store.wait_for("The database cannot be written")
    house.pass_by(60)
    house.place.chmod(0o755)
    for path in files:
        path.chmod(0o644)
    house.keeps_its_promise()


def test_an_older_image_of_the_database_is_put_back(house: House) -> None:
    """What was stored since is gone with the rows, and the bridge let go of it: a gap, and never a silent one."""
    house.may_give_up = True
    house.start()
    house.store_some(30)
    house.store.end()
    image = house.folder / "image"
    shutil.copytree(house.place, image)
    house.store.start()
    house.store_some(60)
    house.let_go(30)
    house.store.end()
    house.accept(30)
    shutil.rmtree(house.place)
    shutil.copytree(image, house.place)
    house.store.start()
    house.store_some(30)
    verdict = house.keeps_its_promise()
    assert verdict.gaps > 0
    assert verdict.stored + verdict.gaps == verdict.accepted


def test_postgresql_is_away_for_a_while(build: Build, postgresql: PostgreSQL) -> None:
    house = build(postgresql)
    house.start()
    house.store.wait_for("Connected to the broker")  # the tables are there
    for _ in house.rounds(1, 4):
        house.store_some()
        postgresql.stop(house.random.choice(["immediate", "fast"]))
        house.store.wait_for("The database cannot be written")
        house.pass_by(40)
        postgresql.start()
    house.keeps_its_promise()
