"""Many meters at once: the same energies as of each by itself, and what is missing is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bridge.tic.values import PARIS
from storage.models import Meter, Register, Rollup
from storage.queries import days, meters
from storage.queries.many import Total, added, by_day, by_meter, with_newest
from tests.storage.engine import Said
from tests.storage.queries.histories import at, histories, write
from tests.storage.web.samples import NOON, stored, stored_meter

LATER = datetime(2027, 1, 1, tzinfo=UTC)
DAY = 86_400
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 4)
BEGIN = datetime(2026, 11, 1, 23, tzinfo=UTC)  # midnight in Paris


def known_day(meter: Meter, start: datetime, wh: int | None, **columns: Any) -> Rollup:
    return Rollup.objects.create(meter=meter, step=DAY, start=start, **{"readings": 1, "east": wh, **columns})


def heard(meter: Meter, since: datetime, until: datetime) -> None:
    Register.objects.create(meter=meter, name="east", since=since, at=until, value=1)


class TestAnyHistory(TestCase):
    """For any readings of two meters."""

    @given(first=histories(resets=True), second=histories())
    @settings(max_examples=15)
    def test_energies_are_those_of_each_meter_by_itself(self, first: list[Said], second: list[Said]) -> None:
        own = [write(first), write(second, "042161000002")]
        begin, end = (f(one[0].ms if f is min else one[-1].ms for one in (first, second)) for f in (min, max))
        since, until = (at(ms).astimezone(PARIS).date() for ms in (begin, end))
        if (until - since).days > 200:
            return
        singly = {meter.pk: days(meter, since, until) for meter in own}
        together = by_meter(own, since, until, LATER)
        each = by_day(own, since, until, LATER)
        for name in ("drawn", "injected"):
            for meter in own:
                assert getattr(together[meter.pk], name) == total(getattr(day, name) for day in singly[meter.pk])
            for number, day in enumerate(each.values()):
                assert getattr(day, name) == total(getattr(found[number], name) for found in singly.values())
        whole = added(together.values())
        assert whole.drawn == total(day.drawn for day in each.values())
        assert whole.known == sum(day.known for day in each.values())
        assert whole.wanted == sum(day.wanted for day in each.values())


def total(parts: Any) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


pytestmark = pytest.mark.django_db


def test_a_sum_tells_the_hours_of_a_meter_that_are_in_none() -> None:
    whole, late = stored_meter(), stored_meter("042161000002")
    for n in range(3):
        known_day(whole, BEGIN + timedelta(days=n), 1000)
    heard(whole, BEGIN - timedelta(days=9), BEGIN + timedelta(days=9))
    known_day(late, BEGIN + timedelta(days=2), 50)
    heard(late, BEGIN + timedelta(days=2, hours=6), BEGIN + timedelta(days=9))
    found = by_meter([whole, late], FIRST, LAST, LATER)
    assert found == {
        whole.pk: Total(3000, None, wanted=3 * DAY, known=3 * DAY),
        late.pk: Total(50, None, wanted=3 * DAY, known=DAY - 6 * 3600),
    }
    assert [found[meter.pk].lacking for meter in (whole, late)] == [0, 54]
    assert [day.lacking for day in by_day([whole, late], FIRST, LAST, LATER).values()] == [24, 24, 6]


def test_what_is_to_come_is_not_missing() -> None:
    meter = stored_meter()
    known_day(meter, BEGIN, 700)
    heard(meter, BEGIN, BEGIN + timedelta(hours=7))
    now = BEGIN + timedelta(hours=7, minutes=5)  # the newest reading is not rolled up yet
    assert by_meter([meter], FIRST, LAST, now)[meter.pk] == Total(
        700, None, wanted=7 * 3600 + 300, known=7 * 3600 + 300
    )
    assert by_meter([meter], FIRST, LAST, now + timedelta(hours=3))[meter.pk].lacking == 3


def test_an_hour_in_which_an_index_began_anew_is_missing() -> None:
    meter = stored_meter()
    known_day(meter, BEGIN, 700, has_reset=True)
    heard(meter, BEGIN - timedelta(days=1), BEGIN + timedelta(days=9))
    assert by_meter([meter], FIRST, FIRST, LATER)[meter.pk].lacking == 1
    assert by_day([meter], FIRST, FIRST, LATER)[FIRST].lacking == 1


def test_a_meter_of_which_nothing_is_known_lacks_everything() -> None:
    meter = stored_meter()
    assert by_meter([meter], FIRST, FIRST, LATER) == {meter.pk: Total(wanted=DAY)}
    assert by_meter([], FIRST, FIRST, LATER) == {}
    assert by_day([], FIRST, LAST, LATER) == {FIRST + timedelta(days=n): Total() for n in range(3)}


def test_a_file_counts_where_the_meter_was_silent_and_nowhere_else() -> None:
    meter = stored_meter()
    file = {"origin": Rollup.Origin.ENEDIS, "readings": 0}
    known_day(meter, BEGIN, 111, **file)  # before the meter was heard
    known_day(meter, BEGIN + timedelta(days=1), 222)  # both: the meter's own
    known_day(meter, BEGIN + timedelta(days=1), 999, **file)
    known_day(meter, BEGIN + timedelta(days=2), 300, readings=0, estimated=True)  # a guess: the file's
    known_day(meter, BEGIN + timedelta(days=2), 333, **file)
    heard(meter, BEGIN + timedelta(days=1), BEGIN + timedelta(days=9))
    assert by_meter([meter], FIRST, LAST, LATER)[meter.pk] == Total(
        666, None, estimated=True, wanted=3 * DAY, known=3 * DAY
    )
    assert [day.drawn for day in by_day([meter], FIRST, LAST, LATER).values()] == [111, 222, 333]
    assert total(day.drawn for day in days(meter, FIRST, LAST)) == 666


def test_a_day_is_that_of_each_meters_own_clock() -> None:
    paris, far = stored_meter(), stored_meter("042161000002", timezone="Indian/Reunion")
    known_day(paris, BEGIN, 10)
    known_day(far, datetime(2026, 11, 1, 20, tzinfo=UTC), 5)
    assert by_day([paris, far], FIRST, FIRST, LATER)[FIRST].drawn == 15
    assert by_meter([paris, far], FIRST, FIRST, LATER)[far.pk].drawn == 5


def test_each_meter_comes_with_its_newest_reading() -> None:
    meter, _silent = stored_meter(), stored_meter("042161000002")
    for n in range(3):
        stored(meter, NOON + timedelta(seconds=n), n + 1, sinsts=100 + n)
    found = [(row.newest_at, row.newest_power) for row in with_newest(meters())]
    assert found == [(NOON + timedelta(seconds=2), 102), (None, None)]


def test_the_number_of_queries_does_not_grow_with_the_meters() -> None:
    asked = []
    for number in (10, 300):
        Meter.objects.all().delete()
        own = [stored_meter(f"0421{n:08}") for n in range(number)]
        Rollup.objects.bulk_create(Rollup(meter=one, step=DAY, start=BEGIN, readings=1, east=1) for one in own)
        with CaptureQueriesContext(connection) as caught:
            assert added(by_meter(own, FIRST, LAST, LATER).values()).drawn == number
            assert by_day(own, FIRST, LAST, LATER)[FIRST].drawn == number
            assert len(list(with_newest(meters()))) == number
        asked.append(len(caught))
    assert asked[0] == asked[1] <= 10


@given(st.lists(st.tuples(st.none() | st.integers(0, 99), st.integers(0, 9)), max_size=6))
def test_sums_may_be_taken_in_any_order(parts: list[tuple[int | None, int]]) -> None:
    totals = [Total(wh, wh, estimated=bool(n % 2), wanted=n, known=n) for wh, n in parts]
    assert added(totals) == added(reversed(totals))
    assert added(totals).drawn == total(wh for wh, _ in parts)
