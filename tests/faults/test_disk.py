"""A disk that is full, beside the spool and beside the database: a small tmpfs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import Build
from tests.faults.house import House
from tests.faults.processes import Program
from tests.faults.station import long_only

pytestmark = [pytest.mark.faults, pytest.mark.broker]


class Filler:
    """A file that takes whatever is free."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"

    def fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            for size in (65_536, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._path.unlink()


def _fill_and_free(house: House, filler: Filler, program: Program) -> None:
    for _ in house.rounds(1, 3):
        house.store_some()
        said = len(program.said)
        filler.fill()
        program.wait_for("cannot be written", after=said)
        house.pass_by(60)
        filler.free()
        program.wait_for("can be written again", after=said)
        house.store_some()


def test_the_disk_of_the_spool_is_full(build: Build) -> None:
    house = build(small="state0")
    house.may_send_unspooled = True
    house.start()
    _fill_and_free(house, Filler(house.stations[0].state), house.bridge)
    house.keeps_its_promise()


@long_only
def test_the_disk_of_the_spool_is_full_and_the_store_is_away(build: Build) -> None:
    house = build(small="state0")
    house.may_send_unspooled = True
    house.start()
    house.store_some()
    house.far.refuse()
    filler = Filler(house.stations[0].state)
    filler.fill()
    house.bridge.wait_for("cannot be written")
    house.pass_by(60)
    filler.free()
    house.bridge.wait_for("can be written again")
    house.far.heal()
    house.keeps_its_promise()


def test_the_disk_of_the_database_is_full(build: Build) -> None:
    house = build(small="store")
    house.start()
    _fill_and_free(house, Filler(house.place), house.store)
    house.keeps_its_promise()
