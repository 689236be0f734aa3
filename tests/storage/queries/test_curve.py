"""Named questions to the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bridge.tic.values import PARIS
from storage import queries
from storage.models import Data, Meter, Rollup
from storage.queries import MAX_POINTS, Curve, Point, curve, latest
from storage.queries.curve import Seconds
from tests.storage.engine import Said
from tests.storage.queries.histories import at as moment
from tests.storage.queries.histories import histories, thin, write
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
    rows = Data.objects.annotate(seconds=Seconds("dateTime"))
    compiler = rows.query.get_compiler(connection=connection)
    seconds: Any = rows.query.annotations["seconds"]  # ours, which alone has the method
    sql, _ = seconds.as_postgresql(compiler, connection)
    assert sql == 'CAST(FLOOR(EXTRACT(EPOCH FROM "storage_data"."dateTime")) AS BIGINT)'


def test_a_time_of_readings_fits_the_limit_whatever_is_asked_for() -> None:
    meter = stored_meter()
    for seq in range(1, 4):
        stored(meter, NOON + seq * HOUR, seq, sinsts=seq)
    assert curve(meter, NOON, NOON + 4 * HOUR, points=10**9).step == -(-4 * 3600 // (MAX_POINTS - 1))


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


# --- from roll-ups -------------------------------------------------------------------------------

DAY = timedelta(days=1)
START = int(NOON.timestamp())


def rolled(meter: Meter, step: Rollup.Step, start: datetime, low: int, mean: int, high: int, **columns: Any) -> None:
    Rollup.objects.create(
        meter=meter, step=step, start=start, readings=2, sinsts_min=low, sinsts_sum=2 * mean, sinsts_max=high, **columns
    )


def whole(meter: Meter) -> None:
    """A roll-up of every kind at noon, each with its own power, and none of the readings."""
    for power, step in enumerate((Rollup.Step.MINUTE, Rollup.Step.HOUR), start=1):
        rolled(meter, step, NOON, power, power, power)
    rolled(meter, Rollup.Step.DAY, NOON.replace(hour=0) - HOUR, 3, 3, 3)


@pytest.mark.parametrize(
    ("span", "step", "source", "width"),
    [
        (DAY, None, 1, 60), (10 * DAY, None, 1, 480), (11 * DAY, None, 2, 3600), (366 * DAY, None, 2, 18_000),
        (801 * DAY, None, 3, 86_400), (DAY, 60, 1, 60), (DAY, 1800, 1, 1800), (30 * DAY, 7200, 2, 7200),
        (DAY, 86_400, 3, 86_400), (DAY, 90, 1, 120),
    ],
)  # fmt: skip
def test_the_source_is_what_tells_enough_in_few_rows(
    span: timedelta, step: int | None, source: int, width: int
) -> None:
    meter = stored_meter()
    whole(meter)
    found = curve(meter, NOON - 13 * HOUR, NOON - 13 * HOUR + span, step=step)
    assert (found.step, [point.mean for point in found.points]) == (width, [source])


def test_of_thinned_readings_even_an_hour_is_that_of_its_minutes() -> None:
    meter = stored_meter(raw_since=NOON + HOUR)
    whole(meter)
    stored(meter, NOON, 1, sinsts=900)
    assert curve(meter, NOON, NOON + HOUR) == Curve(60, (Point(START, 1, 1, 1),))


def test_where_minutes_are_no_longer_kept_hours_are_read() -> None:
    meter = stored_meter(raw_since=NOON + 9 * DAY)
    rolled(meter, Rollup.Step.HOUR, NOON, 1, 2, 3)
    rolled(meter, Rollup.Step.MINUTE, NOON + 2 * HOUR, 4, 5, 6)
    assert curve(meter, NOON, NOON + 5 * HOUR) == Curve(3600, (Point(START, 1, 2, 3),))
    assert [point.mean for point in curve(meter, NOON + HOUR, NOON + 5 * HOUR).points] == [5]


def test_a_wide_slice_loses_no_extreme_and_weighs_its_readings() -> None:
    meter = stored_meter()
    for minute, (low, mean, high) in enumerate([(5, 10, 20), (1, 40, 50), (7, 10, 90)]):
        rolled(meter, Rollup.Step.MINUTE, NOON + timedelta(minutes=minute), low, mean, high)
    Rollup.objects.filter(start=NOON).update(readings=4, sinsts_sum=40)
    assert curve(meter, NOON, NOON + DAY, step=120) == Curve(
        120, (Point(START, 1, 120 / 6, 50), Point(START + 120, 7, 10, 90))
    )


def test_of_injected_power_the_lowest_value_is_not_kept() -> None:
    meter = stored_meter()
    columns = {"sinsti_readings": 4, "sinsti_sum": 400, "sinsti_max": 300}
    rolled(meter, Rollup.Step.MINUTE, NOON, 1, 1, 1, **columns)
    rolled(meter, Rollup.Step.DAY, NOON, 1, 1, 1, **columns)
    assert curve(meter, NOON, NOON + DAY, measure="sinsti").points == (Point(START, 100, 100, 300),)
    assert curve(meter, NOON, NOON + DAY, measure="sinsti", step=86_400).points == (Point(START, 100, 100, 300),)


def test_days_are_local_and_several_of_them_make_a_wide_slice() -> None:
    meter = stored_meter()
    starts = [datetime(2026, 10, 23 + n, tzinfo=PARIS).astimezone(UTC) for n in range(5)]
    for n, start in enumerate(starts):
        rolled(meter, Rollup.Step.DAY, start, n, 10 * n, 100 * n)
    found = curve(meter, starts[0], starts[4] + DAY, step=86_400).points
    assert [(point.at, point.high) for point in found] == [(int(s.timestamp()), 100 * n) for n, s in enumerate(starts)]
    wide = curve(meter, starts[0], starts[4] + DAY, step=2 * 86_400)
    assert wide.step == 2 * 86_400
    assert sorted(value for point in wide.points for value in (point.low, point.high)) == sorted(
        [0, 100, 2, 300, 4, 400] if starts[0].astimezone(PARIS).toordinal() % 2 == 0 else [0, 0, 1, 200, 3, 400]
    )


def test_a_files_energy_is_no_power() -> None:
    meter = stored_meter()
    Rollup.objects.create(meter=meter, step=Rollup.Step.HOUR, start=NOON, origin=Rollup.Origin.ENEDIS, east=5)
    assert curve(meter, NOON, NOON + 30 * DAY).points == ()


def test_only_a_measure_has_a_curve() -> None:
    with pytest.raises(ValueError, match="'ltarf' is no measure; expected one of east, "):
        curve(stored_meter(), NOON, NOON + HOUR, measure="ltarf")
    assert curve(stored_meter("2"), NOON, NOON + 30 * DAY, measure="urms1").points == ()


class TestAnyRolledUpCurve(TestCase):
    """For any readings, thinned or not."""

    @given(said=histories(), width=st.sampled_from((60, 1800, 3600, 4 * 3600)))
    @settings(max_examples=20)
    def test_it_is_that_of_the_readings(self, said: list[Said], width: int) -> None:
        meter = write(said)
        thin(meter, minutes=True)
        slices: dict[int, list[int]] = {}
        for one in said:
            if (power := one.values["sinsts"]) is not None:
                slices.setdefault(one.ms // 1000 // width * width, []).append(power)
        found = curve(meter, moment(said[0].ms), moment(said[-1].ms + 60_000), step=width)
        assert found.step == width
        assert list(found.points) == [
            Point(start, min(own), sum(own) / len(own), max(own)) for start, own in sorted(slices.items())
        ]
