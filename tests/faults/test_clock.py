"""The host's clock steps by an hour, both ways, under the running programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.faults.house import House
from tests.faults.processes import Program
from tests.needs import need_library

pytestmark = [pytest.mark.faults, pytest.mark.broker]

_STEPS: Final = ("+3600", "+0", "-3600")  # seconds beside the true time


def test_the_clock_steps_by_an_hour_both_ways(house: House) -> None:
    step = _fake_clock(house, house.programs)
    _write(step, "+0")
    house.start()
    for _ in house.rounds(1, 3):
        for offset in _STEPS:
            house.store_some()
            _write(step, offset)
            house.pass_by(70)
    house.replace(house.bridge)
    house.accept(1)
    house.keeps_its_promise()
    [(spread,)] = house.execute("SELECT (julianday(max(dateTime)) - julianday(min(dateTime))) * 24 FROM storage_data")
    assert spread > 0.9, "the clock never stepped"


def test_a_host_that_has_no_clock_at_the_start_stores_nothing_of_that_time(house: House) -> None:
    """A Raspberry Pi before the network told it the time, beside a meter that does not say it either."""
    step = _fake_clock(house, [house.bridge])
    _write(step, "-315360000")  # ten years
    house.generator.is_dated = False
    house.start()
    house.pass_by(60)
    _write(step, "+0")
    house.store_some()
    house.keeps_its_promise()
    [(late,)] = house.execute("SELECT count(*) FROM storage_data WHERE dateTime < '2026-01-01'")
    assert late == 0


def test_a_host_that_has_no_clock_at_the_start_takes_the_meters(house: House) -> None:
    """The same in mode standard: DATE is right, so nothing waits."""
    step = _fake_clock(house, [house.bridge])
    _write(step, "-315360000")
    house.start()
    house.store_some()
    house.keeps_its_promise()
    [(late,)] = house.execute("SELECT count(*) FROM storage_data WHERE dateTime < '2026-01-01'")
    assert late == 0


def _fake_clock(house: House, programs: list[Program]) -> Path:
    step = house.folder / "clock"
    for program in programs:
        program.environment |= {
            "LD_PRELOAD": need_library("faketime/libfaketime.so.1", "libfaketime"),
            "FAKETIME_TIMESTAMP_FILE": str(step), "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
    return step


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(f"{text}\n")
    new.rename(path)
