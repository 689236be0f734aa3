"""Registers at an instant."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from storage.models import Meter, Register
from storage.queries import Indexes, IndexValue, index_at
from storage.window import REGISTERS
from tests.storage.engine import Said
from tests.storage.queries.histories import at, histories, write
from tests.storage.web.samples import NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
SECOND: Final = timedelta(seconds=1)


def drawn(meter: Meter, seconds: float) -> IndexValue | None:
    return index_at(meter, NOON + seconds * SECOND).drawn


def test_between_two_readings_it_is_interpolated_and_at_one_it_is_what_that_said() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000, easd02=7)
    stored(meter, NOON + 10 * SECOND, 2, east=1009, easd02=7)
    found = index_at(meter, NOON + 5 * SECOND)
    after = NOON + 10 * SECOND
    assert found == Indexes(
        NOON + 5 * SECOND, IndexValue(1004, 1000, 1009, NOON, after, estimated=False), (None,) * 10, None,
        (None, IndexValue(7, 7, 7, NOON, after, estimated=False), None, None),
    )  # fmt: skip
    assert drawn(meter, 0) == IndexValue(1000, 1000, 1009, NOON, after, estimated=False)


def test_beyond_the_newest_reading_it_is_what_that_said_and_soon_an_estimate() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000)
    for seconds, estimated in ((300, False), (301, True)):
        assert drawn(meter, seconds) == IndexValue(1000, 1000, 1000, NOON, None, estimated)


def test_before_the_first_reading_nothing_is_known() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000)
    assert index_at(meter, NOON - SECOND) == Indexes(NOON - SECOND, None, (None,) * 10, None, (None,) * 4)


def test_a_silence_makes_an_estimate_only_if_the_index_moved() -> None:
    meter = stored_meter()
    for seq, (seconds, east) in enumerate([(0, 1000), (400, 1000), (800, 1010)], start=1):
        stored(meter, NOON + seconds * SECOND, seq, east=east)
    assert [(v.value, v.estimated) for s in (200, 600) if (v := drawn(meter, s))] == [(1000, False), (1005, True)]


def test_an_index_that_began_anew_is_not_interpolated() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000)
    stored(meter, NOON + 10 * SECOND, 2, east=3)
    assert drawn(meter, 5) == IndexValue(1000, 1000, 1000, NOON, NOON + 10 * SECOND, estimated=True)


def test_a_register_that_is_said_no_more_is_what_it_was_last() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000, eait=50)
    for seq in range(2, 100):
        stored(meter, NOON + seq * 10 * SECOND, seq, east=1000 + seq)
    Register.objects.create(meter=meter, name="eait", since=NOON, at=NOON, value=50)
    assert index_at(meter, NOON + 2000 * SECOND).injected == IndexValue(50, 50, 50, NOON, None, estimated=True)


def test_a_register_that_many_readings_lack_is_looked_for_a_day_far() -> None:
    meter = stored_meter()
    stored(meter, NOON, 1, east=1000, eait=50)
    for seq in range(2, 200):
        stored(meter, NOON + seq * 10 * SECOND, seq, east=1000 + seq)
    end = NOON + 2000 * SECOND
    stored(meter, end, 200, east=2000, eait=90)
    Register.objects.create(meter=meter, name="eait", since=end, at=end, value=90)
    found = index_at(meter, NOON + 1000 * SECOND).injected
    assert found == IndexValue(70, 50, 90, NOON, end, estimated=True)


class TestAnyHistory(TestCase):
    """For any readings and instants."""

    @given(said=histories(resets=True), share=st.floats(0, 1))
    @settings(max_examples=25)
    def test_it_is_interpolated_between_the_readings_that_say_it(self, said: list[Said], share: float) -> None:
        meter = write(said)
        ms = int(said[0].ms + (said[-1].ms - said[0].ms) * share)
        found = index_at(meter, at(ms)).registers
        for name, value in zip(REGISTERS, found, strict=True):
            known = [(one.ms, wh) for one in said if (wh := one.values[name]) is not None]
            before = [one for one in known if one[0] <= ms][-1:]
            after = [one for one in known if one[0] > ms][:1]
            if not before:
                assert value is None
                continue
            [(first, low)] = before
            last, high = after[0] if after else (first, low)
            rise = max(0, high - low)
            assert value is not None
            assert (value.low, value.high) == (low, low + rise)
            assert value.value == low + (rise * (ms - first) // (last - first) if rise else 0)
