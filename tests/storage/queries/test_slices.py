"""Energy slice by slice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bridge.tic.values import PARIS
from storage.models import Meter, Rollup
from storage.queries import Slice, Slices, energies
from tests.storage.engine import Said, between
from tests.storage.queries.histories import at, histories, write
from tests.storage.web.samples import NOON, stored_meter

pytestmark = pytest.mark.django_db
START: Final = int(NOON.timestamp())
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


def rolled(meter: Meter, step: Rollup.Step, minutes: int, **columns: Any) -> None:
    Rollup.objects.create(meter=meter, step=step, start=NOON + minutes * MINUTE, **columns)


def minutes(meter: Meter, numbers: range, wh: int = 2) -> None:
    for n in numbers:
        rolled(meter, Rollup.Step.MINUTE, n, east=wh, readings=1, covered=60)


@pytest.mark.parametrize(
    ("hours", "step"),
    [(6, Rollup.Step.MINUTE), (7, Rollup.Step.HALF_HOUR), (193, Rollup.Step.HOUR), (1921, Rollup.Step.DAY)],
)
def test_the_step_fits_the_time(hours: int, step: Rollup.Step) -> None:
    assert energies(stored_meter(), NOON, NOON + hours * HOUR) == Slices(step, ())


def test_a_slice_is_power_too_and_one_of_which_nothing_is_known_is_not_there() -> None:
    meter = stored_meter()
    minutes(meter, range(2))
    rolled(meter, Rollup.Step.MINUTE, 2, eait=3)
    found = energies(meter, NOON, NOON + HOUR).slices
    assert found == (Slice(START, 60, 2, estimated=False), Slice(START + 60, 60, 2, estimated=False))
    assert found[0].watts == 120


def test_half_hours_are_whole_minutes_or_a_files_or_a_share_of_the_hour() -> None:
    meter = stored_meter()
    meter.raw_since = NOON + 9 * HOUR
    meter.save()
    minutes(meter, range(30))
    minutes(meter, range(30, 50))
    for n in range(3):
        rolled(meter, Rollup.Step.HOUR, 60 * n, east=130, readings=30 if n == 0 else 0, estimated=n > 0)
    for n in (0, 2, 3):
        rolled(meter, Rollup.Step.HALF_HOUR, 30 * n, origin=Rollup.Origin.ENEDIS, east=55)
    found = energies(meter, NOON, NOON + 3 * HOUR, step=Rollup.Step.HALF_HOUR).slices
    # The second half hour: its 20 minutes took 40 Wh, and of the hour's 130 the 30 that no minute tells.
    assert [(one.at - START, one.wh, one.estimated) for one in found] == [
        (0, 60, False), (1800, 70, True), (3600, 55, False), (5400, 55, False), (7200, 65, True), (9000, 65, True),
    ]  # fmt: skip


def test_days_have_the_seconds_that_the_clock_gives_them() -> None:
    meter = stored_meter()
    start = datetime(2026, 10, 24, tzinfo=PARIS)
    for n in range(3):
        Rollup.objects.create(meter=meter, step=Rollup.Step.DAY, start=start + timedelta(days=n), east=n, readings=1)
    found = energies(meter, start, start + timedelta(days=3), step=Rollup.Step.DAY).slices
    assert [(one.seconds // 3600, one.wh) for one in found] == [(24, 0), (25, 1), (24, 2)]


def test_what_cannot_be_asked_for_is_said() -> None:
    meter = stored_meter()
    with pytest.raises(ValueError, match="'sinsts' is no index; expected one of east, easf01"):
        energies(meter, NOON, NOON + HOUR, "sinsts")
    with pytest.raises(ValueError, match="more than 2000 slices of 60 s; ask for less time or a wider step"):
        energies(meter, NOON, NOON + 34 * HOUR, step=Rollup.Step.MINUTE)


class TestAnyHistory(TestCase):
    """For any readings."""

    @given(said=histories(), name=st.sampled_from(("east", "easf02", "eait")))
    @settings(max_examples=10)
    def test_half_hours_add_up_to_the_index_and_none_is_negative(self, said: list[Said], name: str) -> None:
        meter = write(said)
        first = -(-said[0].ms // 3_600_000) * 3_600_000
        last = -(-said[-1].ms // 3_600_000) * 3_600_000
        found = energies(meter, at(first), at(last), name, step=Rollup.Step.HALF_HOUR).slices
        assert sum(one.wh for one in found) == (between(said, name, first, last) or 0 if last > first else 0)
        assert min((one.wh for one in found), default=0) >= 0
        assert [one.at % 1800 for one in found] == [0] * len(found)
        assert all(datetime.fromtimestamp(one.at, UTC) < at(last) for one in found)
