"""A household's habits, against loops over all that is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final

import pytest

from bridge.tic.values import PARIS
from storage.models import Meter, Rollup
from storage.queries import Cell, Standby, profile, standby
from tests.storage.web.samples import stored_meter

pytestmark = pytest.mark.django_db
MONDAY: Final = datetime(2026, 10, 19, tzinfo=PARIS)  # the Sunday after has 25 hours
HOUR: Final = timedelta(hours=1)
NIGHT: Final = date(2026, 10, 30)


def hours(meter: Meter, number: int, **columns: Any) -> None:
    start = MONDAY.astimezone(UTC)
    Rollup.objects.bulk_create(
        Rollup(
            meter=meter, step=Rollup.Step.HOUR, start=start + n * HOUR,
            **{"readings": 60, "covered": 3600, "east": 100 + n, **columns},
        )
        for n in range(number)
    )  # fmt: skip


def test_each_hour_of_the_week_is_the_mean_of_those_on_the_local_clock() -> None:
    meter = stored_meter()
    hours(meter, 24 * 15)
    end = MONDAY.astimezone(UTC) + 15 * 24 * HOUR
    found = profile(meter, MONDAY, end).cells
    expected: dict[tuple[int, int], list[int]] = {}
    for n in range(24 * 15):
        local = (MONDAY.astimezone(UTC) + n * HOUR).astimezone(PARIS)
        expected.setdefault((local.weekday(), local.hour), []).append(100 + n)
    assert {(d, h): cell for d, day in enumerate(found) for h, cell in enumerate(day)} == {
        key: Cell(len(own), sum(own) / len(own), max(own)) for key, own in expected.items()
    }
    repeated = found[6][2]
    assert repeated is not None
    assert repeated.hours == 3


def test_hours_that_were_spread_over_a_silence_do_not_count_but_a_files_do() -> None:
    meter = stored_meter()
    hours(meter, 2, readings=0, covered=0, estimated=True)
    Rollup.objects.create(
        meter=meter, step=Rollup.Step.HOUR, start=MONDAY, origin=Rollup.Origin.ENEDIS, east=700
    )  # fmt: skip
    assert profile(meter, MONDAY, MONDAY + 3 * HOUR).cells[0][:3] == (Cell(1, 700, 700), None, None)


def test_an_hour_that_sticks_out_is_left_out() -> None:
    meter = stored_meter()
    hours(meter, 3)
    found = profile(meter, MONDAY + timedelta(seconds=1), MONDAY + 3 * HOUR - timedelta(seconds=1))
    assert found.cells[0][:3] == (None, Cell(1, 101, 101), None)


def test_a_profile_is_of_an_index() -> None:
    with pytest.raises(ValueError, match="'sinsts' is no index; expected one of east, "):
        profile(stored_meter(), MONDAY, MONDAY, "sinsts")


def night(meter: Meter, ago: int, powers: list[int]) -> None:
    midnight = datetime.combine(NIGHT - timedelta(days=ago), datetime.min.time(), PARIS).astimezone(UTC)
    Rollup.objects.bulk_create(
        Rollup(
            meter=meter, step=Rollup.Step.MINUTE, start=midnight + n * timedelta(minutes=1), readings=2,
            sinsts_sum=2 * power, covered=60,
        )
        for n, power in enumerate(powers)
    )  # fmt: skip


def test_standby_is_the_median_of_what_nineteen_minutes_in_twenty_exceed() -> None:
    meter = stored_meter()
    for ago, base in enumerate((100, 140, 120, 900, 110)):
        # A wrong minute, an hour of standby, a boiler for the rest.
        night(meter, ago, [0, *[base] * 60, *[2000] * 299])
    assert standby(meter, NIGHT) == Standby(120, 110, 140, 5)
    assert median((100, 140, 120, 900, 110)) == 120


def test_nights_that_were_hardly_heard_do_not_count() -> None:
    meter = stored_meter()
    for ago, length in enumerate((120, 119, 120, 120)):
        night(meter, ago, [100 if length == 120 else 5] * length)
    assert standby(meter, NIGHT) == Standby(100, 100, 100, 3)
    assert standby(meter, NIGHT - timedelta(days=2)) is None


def test_only_the_nights_that_are_asked_for_count() -> None:
    meter = stored_meter()
    for ago in range(5):
        night(meter, ago, [100 * (ago + 1)] * 200)
    found = standby(meter, NIGHT, nights=3)
    assert found is not None
    assert (found.power, found.nights) == (200, 3)
