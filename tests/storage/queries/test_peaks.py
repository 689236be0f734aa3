"""The highest minutes, against a loop over all of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from storage.models import Meter, Rollup
from storage.queries import Peak, peaks
from tests.storage.engine import Said
from tests.storage.queries.histories import at, histories, ms_of, write
from tests.storage.web.samples import NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
MINUTE: Final = timedelta(minutes=1)


def test_a_peak_tells_its_minute_and_when_its_highest_reading_came() -> None:
    meter = stored_meter()
    for seq, (seconds, power) in enumerate([(3, 500), (5, 9000), (7, 9000), (70, 100)], start=1):
        stored(meter, NOON + timedelta(seconds=seconds), seq, sinsts=power)
    rolled(meter, Rollup.Step.MINUTE, 0, 3, 18_500, 9000)
    rolled(meter, Rollup.Step.MINUTE, 1, 1, 100, 100)
    rolled(meter, Rollup.Step.HOUR, 0, 4, 18_600, 9000)
    assert peaks(meter, NOON, NOON + 60 * MINUTE) == (
        Peak(NOON, 60, 9000, 18_500 / 3, NOON + timedelta(seconds=5)),
        Peak(NOON + MINUTE, 60, 100, 100, NOON + timedelta(seconds=70)),
    )


def test_where_minutes_are_no_longer_kept_it_is_the_hour() -> None:
    meter = stored_meter()
    rolled(meter, Rollup.Step.HOUR, 0, 4, 8000, 4000)
    rolled(meter, Rollup.Step.HOUR, 60, 4, 8000, 7000)
    hour = timedelta(hours=1)
    assert peaks(meter, NOON, NOON + 2 * hour, 1) == (Peak(NOON + hour, 3600, 7000, 2000, None),)
    assert peaks(meter, NOON + MINUTE, NOON + 2 * hour - MINUTE) == ()


def test_an_hour_at_an_end_takes_no_other_hours_place() -> None:
    meter = stored_meter()
    for minute, high in ((5, 900), (70, 300), (130, 100)):
        rolled(meter, Rollup.Step.MINUTE, minute, 1, high, high)
        rolled(meter, Rollup.Step.HOUR, minute // 60 * 60, 1, high, high)
    found = peaks(meter, NOON + 10 * MINUTE, NOON + 3 * 60 * MINUTE, 1)
    assert [(one.start, one.high) for one in found] == [(NOON + 70 * MINUTE, 300)]


def rolled(meter: Meter, step: Rollup.Step, minutes: int, readings: int, total: int, high: int) -> None:
    Rollup.objects.create(
        meter=meter, step=step, start=NOON + minutes * MINUTE, readings=readings, sinsts_sum=total, sinsts_max=high
    )


class TestAnyHistory(TestCase):
    """For any readings."""

    @given(said=histories(), n=st.integers(1, 5), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
    @settings(max_examples=25)
    def test_they_are_the_highest_minutes_of_all(self, said: list[Said], n: int, shares: tuple[float, float]) -> None:
        meter = write(said)
        length = said[-1].ms - said[0].ms + 120_000
        start, end = sorted(said[0].ms - 60_000 + int(length * share) for share in shares)
        minutes: dict[int, int] = {}
        for one in said:
            minute, power = one.ms // 60_000 * 60_000, one.values["sinsts"]
            if power is not None and start <= minute and minute + 60_000 <= end:
                minutes[minute] = max(minutes.get(minute, 0), power)
        expected = sorted(minutes.items(), key=lambda item: (-item[1], item[0]))[:n]
        assert [(ms_of(one.start), one.high) for one in peaks(meter, at(start), at(end), n)] == expected
