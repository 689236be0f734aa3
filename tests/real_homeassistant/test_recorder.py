"""How fast the owner's database grows, at default settings."""

from __future__ import annotations

import time
from typing import Final

import pytest

from bridge.simulated.plan import read_plan
from tests.real_homeassistant.conftest import House
from tests.real_homeassistant.home import wait_until
from tests.real_homeassistant.meters import SIMULATED, meter_of

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]

WINDOW: Final = 300.0  # seconds
MOST: Final = 150_000  # rows a day, of any meter


def test_rows_per_day_are_bounded(settled: House, capsys: pytest.CaptureFixture[str]) -> None:
    begin = settled.since + 30
    wait_until(lambda: time.time() > begin + WINDOW, WINDOW, "five minutes are over", step=2)
    end = time.time() - 10  # what is newer may not be written yet
    per_day, worst = {}, {}
    for name, source in SIMULATED.items():
        ids = {entity["entity_id"]: key for key, entity in settled.home.entities(meter_of(source)).items()}
        counts = settled.home.recorded(list(ids), begin, end)
        per_day[name] = round(sum(counts.values()) * 86_400 / (end - begin))
        worst[name] = {ids[entity]: n for entity, n in sorted(counts.items(), key=lambda pair: -pair[1])[:6]}
    with capsys.disabled():
        print(f"\nrows a day, from {end - begin:.0f} s:")  # noqa: T201  the result
        for name, number in per_day.items():
            print(f"{number:8d}  {name}  {worst[name]}")  # noqa: T201  the result
    # While panels give all that is used, a meter may say the same for five minutes.
    least = {name: 0 if read_plan(source.removeprefix("sim:"))[0].injects else 1 for name, source in SIMULATED.items()}
    assert {name: number for name, number in per_day.items() if not least[name] <= number <= MOST} == {}
