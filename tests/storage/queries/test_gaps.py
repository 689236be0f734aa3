"""Silences, against a loop over the readings."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from storage.models import Data, Epoch, Gap, Meter
from storage.queries import Silence, gaps
from tests.storage.engine import Said
from tests.storage.queries.histories import at, histories, ms_of, thin, write
from tests.storage.web.samples import NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


def heard(meter: Meter, *spans: tuple[int, int]) -> None:
    """A reading each minute from one minute to another, after noon."""
    minutes = [n for first, last in spans for n in range(first, last + 1)]
    for seq, n in enumerate(minutes, start=1):
        stored(meter, NOON + n * MINUTE, seq, sinsts=1)


def found(meter: Meter, end: int = 180) -> list[tuple[int, int | None, str | None]]:
    return [
        (
            (one.begins - NOON) // MINUTE,
            None if one.ends is None else (one.ends - NOON) // MINUTE,
            one.reason and one.reason.value,
        )
        for one in gaps(meter, NOON, NOON + end * MINUTE)
    ]


def test_a_silence_runs_from_the_last_reading_to_the_next_and_may_go_on() -> None:
    meter = stored_meter()
    heard(meter, (0, 20), (26, 30), (90, 100))
    assert found(meter) == [(20, 26, None), (30, 90, None), (100, None, None)]
    assert found(meter, 102) == [(20, 26, None), (30, 90, None)]
    assert found(meter, 35) == [(20, 26, None), (30, 90, None)]


def test_one_that_began_before_is_told_whole() -> None:
    meter = stored_meter()
    heard(meter, (-500, -400), (30, 180))
    assert found(meter) == [(-400, 30, None)]


def test_before_the_first_reading_and_without_any_there_is_none() -> None:
    meter = stored_meter()
    assert found(meter) == []
    heard(meter, (150, 180))
    assert found(meter) == []


def test_the_threshold_is_the_callers() -> None:
    meter = stored_meter()
    heard(meter, (0, 20), (23, 180))
    assert found(meter) == []
    assert gaps(meter, NOON, NOON + 3 * HOUR, timedelta(minutes=2)) == (
        Silence(NOON + 20 * MINUTE, NOON + 23 * MINUTE),
    )


def epoch(meter: Meter) -> Epoch:
    return Epoch.objects.get(meter=meter)


def test_a_bridge_that_did_not_run_is_the_reason() -> None:
    meter = stored_meter()
    heard(meter, (0, 20), (50, 180))
    Gap.objects.create(
        epoch=epoch(meter), reason=Gap.Reason.STOPPED, begins=NOON + 20 * MINUTE, ends=NOON + 50 * MINUTE
    )
    assert found(meter) == [(20, 50, "stopped")]


def test_what_was_recorded_stands_where_the_readings_do_not_tell() -> None:
    meter = stored_meter()
    heard(meter, (0, 180))
    stop = {"epoch": epoch(meter), "reason": Gap.Reason.STOPPED}
    Gap.objects.create(**stop, begins=NOON + 20 * MINUTE, ends=NOON + 50 * MINUTE)
    Gap.objects.create(**stop, begins=NOON + 60 * MINUTE, ends=NOON + 62 * MINUTE)
    assert found(meter) == [(20, 50, "stopped")]


def test_numbers_that_are_missing_tell_the_reason() -> None:
    meter = stored_meter()
    heard(meter, (0, 20))
    for n in (60, 61):
        stored(meter, NOON + n * MINUTE, 100 + n, sinsts=1)
    Gap.objects.create(epoch=epoch(meter), first=50, last=90, reason=Gap.Reason.LACKING)
    Gap.objects.create(epoch=epoch(meter), first=170, last=180)
    assert found(meter, 62) == [(20, 60, "lacking")]


def test_the_first_numbers_of_the_next_epoch_tell_the_reason_too() -> None:
    meter = stored_meter()
    heard(meter, (0, 20))
    other = Epoch.objects.create(meter=meter, uuid=UUID(int=9), bridge="attic", handled=50, floor=1)
    Gap.objects.create(epoch=other, first=1, last=49)
    Data.objects.create(meter=meter, epoch=other, seq=50, dateTime=NOON + 40 * MINUTE)
    assert found(meter, 41) == [(20, 40, "dropped")]


class TestAnyHistory(TestCase):
    """For any readings."""

    @given(said=histories(), shares=st.tuples(st.floats(0, 1), st.floats(0, 1.2)), kept=st.booleans())
    @settings(max_examples=25)
    def test_they_are_the_pairs_of_readings_that_lie_apart(
        self, said: list[Said], shares: tuple[float, float], kept: bool
    ) -> None:
        meter = write(said)
        start, end = sorted(said[0].ms + int((said[-1].ms - said[0].ms) * share) for share in shares)
        if not kept:
            thin(meter, minutes=True)
        expected = [
            (one.ms, after.ms)
            for one, after in pairwise(said)
            if after.ms - one.ms > 300_000 and after.ms > start and one.ms < end
        ]
        running = [(said[-1].ms, None)] if end - said[-1].ms > 300_000 else []
        assert [(ms_of(s.begins), s.ends and ms_of(s.ends)) for s in gaps(meter, at(start), at(end))] == [
            *expected, *running,
        ]  # fmt: skip


def test_of_an_hour_without_minutes_the_silence_is_the_one_that_its_seconds_leave_room_for() -> None:
    meter = stored_meter()
    heard(meter, (-60, 25), (40, 200))
    said = [Said(ms_of(row.dateTime), {"sinsts": 1, "east": 1}) for row in Data.objects.order_by("dateTime")]
    meter.delete()
    meter = write(said)
    thin(meter, minutes=False)
    assert found(meter) == [(25, 40, None)]
