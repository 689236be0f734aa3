"""The host's clock steps by an hour, both ways, under the running programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.faults.house import House
from tests.needs import need_library

pytestmark = [pytest.mark.faults, pytest.mark.broker]

_STEPS: Final = ("+3600", "+0", "-3600")  # seconds beside the true time


def test_the_clock_steps_by_an_hour_both_ways(house: House) -> None:
    step = house.folder / "clock"
    step.write_text("+0\n")
    for program in house.programs:
        program.environment |= {
            "LD_PRELOAD": need_library("faketime/libfaketime.so.1", "libfaketime"),
            "FAKETIME_TIMESTAMP_FILE": str(step), "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
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
    assert spread > 1, "the clock never stepped"


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(f"{text}\n")
    new.rename(path)
