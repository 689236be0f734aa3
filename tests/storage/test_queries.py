"""Named questions to the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from storage import queries
from storage.models import Data, Meter
from storage.queries import MAX_POINTS, Curve, Point, curve, latest
from tests.storage.web.samples import NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_each_slice_keeps_its_lowest_and_its_highest_reading() -> None:
    meter = stored_meter()
    for seq, (seconds, power) in enumerate([(0, 100), (1, 9000), (2, 200), (60, 300)], start=1):
        stored(meter, NOON + timedelta(seconds=seconds), seq, sinsts=power)
    start = int(NOON.timestamp())
    assert curve(meter, NOON, NOON + timedelta(minutes=2), points=13) == Curve(
        step=10, points=(Point(start, 100, 3100, 9000), Point(start + 60, 300, 300, 300))
    )


def test_the_end_of_a_curve_is_not_part_of_it() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, sinsts=1)
    stored(meter, NOON + HOUR, 2, sinsts=2)
    assert [point.low for point in curve(meter, NOON, NOON + HOUR).points] == [1]


def test_a_reading_without_the_measure_makes_no_point() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=5)
    assert curve(meter, NOON, NOON + HOUR) == Curve(step=2, points=())


def test_another_measure_may_be_asked_for() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, sinsti=700)
    assert [p.high for p in curve(meter, NOON, NOON + HOUR, measure="sinsti").points] == [700]


def test_fractions_of_a_second_belong_to_their_second() -> None:
    meter = stored_meter()
    stored(meter, NOON + timedelta(seconds=1, milliseconds=999), 1, sinsts=5)
    found = curve(meter, NOON, NOON + timedelta(seconds=10)).points
    assert found == (Point(int(NOON.timestamp()) + 1, 5, 5, 5),)


def test_postgresql_is_asked_for_whole_seconds_too() -> None:
    rows = Data.objects.annotate(seconds=queries._Seconds("dateTime"))
    compiler = rows.query.get_compiler(connection=connection)
    seconds: Any = rows.query.annotations["seconds"]  # ours, which alone has the method
    sql, _ = seconds.as_postgresql(compiler, connection)
    assert sql == 'CAST(FLOOR(EXTRACT(EPOCH FROM "storage_data"."dateTime")) AS BIGINT)'


def test_a_day_of_readings_fits_the_limit_whatever_is_asked_for() -> None:
    meter = stored_meter()
    for seq in range(1, 4):
        stored(meter, NOON + seq * HOUR, seq, sinsts=seq)
    assert curve(meter, NOON, NOON + 24 * HOUR, points=10**9).step == -(-86_400 // (MAX_POINTS - 1))


def test_meters_do_not_mix() -> None:
    mine, other = stored_meter(), stored_meter("042161000002")
    row = stored(mine, NOON, 1, sinsts=1)
    stored(other, NOON + HOUR, 1, sinsts=2)
    assert (latest(mine), [p.high for p in curve(mine, NOON, NOON + 2 * HOUR).points]) == (row, [1])


def test_the_latest_reading_is_the_newest_and_not_the_last_to_arrive() -> None:
    meter = stored_meter()
    newest = stored(meter, NOON + HOUR, 2, sinsts=2)
    stored(meter, NOON, 1, sinsts=1)
    assert latest(meter) == newest


def test_a_meter_without_readings_has_no_latest_one() -> None:
    assert latest(stored_meter()) is None


def test_meters_come_by_name() -> None:
    for meter_id, name in (("1", "workshop"), ("2", "house"), ("3", "")):
        stored_meter(meter_id, name=name)
    assert [m.meter_id for m in queries.meters()] == ["3", "2", "1"]


class TestAnyCurve(TestCase):
    """For any readings and any number of points."""

    @given(
        powers=st.lists(st.tuples(st.integers(0, 3599), st.integers(0, 36_000)), max_size=20),
        points=st.integers(1, 3000),
    )
    def test_no_peak_is_lost_and_the_limit_holds(self, powers: list[tuple[int, int]], points: int) -> None:
        meter = Meter.objects.create(meter_id="any", mode="standard", timezone="Europe/Paris")
        for seq, (second, power) in enumerate(powers, start=1):
            stored(meter, NOON + timedelta(seconds=second), seq, sinsts=power)
        found = curve(meter, NOON, NOON + HOUR, points)
        values = [power for _, power in powers]
        seen = [bound for point in found.points for bound in (point.low, point.high)]
        assert (min(seen, default=None), max(seen, default=None)) == (
            min(values, default=None),
            max(values, default=None),
        )
        assert len(found.points) <= max(2, min(points, MAX_POINTS))
        assert all(datetime.fromtimestamp(p.at + found.step, UTC) > NOON for p in found.points)
