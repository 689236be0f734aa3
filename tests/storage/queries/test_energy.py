"""Energy between instants, and of days: that of the indexes, whatever is still kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bridge.tic.values import PARIS
from storage.models import Meter, Rollup
from storage.queries import Energy, days, months, tempo_days, totals
from storage.window import REGISTERS
from tests.storage.engine import Said, between
from tests.storage.queries.histories import at, histories, ms_of, thin, write
from tests.storage.web.samples import NOON, stored, stored_meter

HOUR = 3_600_000
SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=3)


def energies(found: Energy) -> tuple[int | None, ...]:
    return (found.drawn, *found.tariffs, found.injected)


def expected(said: list[Said], start: int, end: int) -> tuple[int | None, ...]:
    return tuple(between(said, name, start, end) for name in REGISTERS)


def instants(said: list[Said], shares: list[float], unit: int = 1) -> list[int]:
    """From the first whole hour that was heard to an hour after the last reading."""
    first = -(-said[0].ms // HOUR) * HOUR
    last = max(first, said[-1].ms) + HOUR
    return sorted(first + int((last - first) * share) // unit * unit for share in shares)


def added(parts: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
    return tuple(None if set(own) == {None} else sum(filter(None, own)) for own in zip(*parts, strict=True))


class TestAnyHistory(TestCase):
    """For any readings."""

    @given(said=histories(), shares=SHARES)
    @settings(max_examples=15)
    def test_while_readings_are_whole_it_is_the_indexes_difference_at_any_instant(
        self, said: list[Said], shares: list[float]
    ) -> None:
        meter = write(said)
        start, end = instants(said, shares)[:2]
        found = energies(totals(meter, at(start), at(end)))
        assert [a or 0 for a in found] == [b or 0 for b in expected(said, start, end)]

    @given(said=histories(resets=True), shares=SHARES, kept=st.sampled_from(("all", "minutes", "hours")))
    @settings(max_examples=15)
    def test_from_hour_to_hour_it_is_exact_whatever_is_still_kept(
        self, said: list[Said], shares: list[float], kept: str
    ) -> None:
        meter = write(said)
        if kept != "all":
            thin(meter, minutes=kept == "minutes")
        start, end = instants(said, shares, HOUR)[:2]
        found = energies(totals(meter, at(start), at(end)))
        assert [a or 0 for a in found] == [b or 0 for b in expected(said, start, end)]

    @given(said=histories(resets=True), shares=SHARES, kept=st.sampled_from(("all", "minutes", "hours")))
    @settings(max_examples=15)
    def test_parts_of_a_period_add_up_to_it(self, said: list[Said], shares: list[float], kept: str) -> None:
        meter = write(said)
        if kept != "all":
            thin(meter, minutes=kept == "minutes")
        cuts = instants(said, shares)
        parts = [energies(totals(meter, at(a), at(b))) for a, b in pairwise(cuts)]
        whole = energies(totals(meter, at(cuts[0]), at(cuts[-1])))
        assert [a or 0 for a in added(parts)] == [a or 0 for a in whole]
        assert all(energy >= 0 for part in parts for energy in part if energy is not None)

    @given(said=histories(resets=True))
    @settings(max_examples=10)
    def test_days_and_months_are_local_and_tempo_days_begin_at_six(self, said: list[Said]) -> None:
        meter = write(said)
        first, last = (datetime.fromtimestamp(one.ms / 1000, PARIS).date() for one in (said[0], said[-1]))
        for ask, hour in ((days, 0), (tempo_days, 6)):
            found = ask(meter, first, last)
            starts = [local(first + timedelta(days=n), hour) for n in range((last - first).days + 2)]
            assert [(ms_of(one.start), ms_of(one.end)) for one in found] == list(pairwise(starts))
            assert [[e or 0 for e in energies(one)] for one in found] == [
                [e or 0 for e in expected(said, a, b)] for a, b in pairwise(starts)
            ]
        sums = [[e or 0 for e in energies(one)] for one in months(meter, first, last)]
        all_days = days(meter, first.replace(day=1), last)
        assert added([tuple(one) for one in sums]) == added([tuple(e or 0 for e in energies(d)) for d in all_days])


def local(day: date, hour: int) -> int:
    return ms_of(datetime(day.year, day.month, day.day, hour, tzinfo=PARIS).astimezone(UTC))


pytestmark = pytest.mark.django_db


def test_an_index_that_came_to_be_known_within_the_hour_counts_from_there() -> None:
    silent: dict[str, int | None] = dict.fromkeys(REGISTERS)
    said = [
        Said(ms_of(NOON), {**silent, "easf01": 20_000, "sinsts": 0, "sinsti": 0}),
        Said(ms_of(NOON) + 300_001, {**silent, "east": 50_002, "easf01": 20_002, "sinsts": 0, "sinsti": 0}),
        Said(ms_of(NOON) + 500_000, {**silent, "east": 50_008, "easf01": 20_008, "sinsts": 0, "sinsti": 0}),
    ]
    meter = write(said)
    for ms in (400_000, 450_000, 500_000, 1_800_000):
        found = totals(meter, NOON, at(ms_of(NOON) + ms))
        assert energies(found) == expected(said, ms_of(NOON), ms_of(NOON) + ms), ms


def rolled(meter: Meter, step: Rollup.Step, start: datetime, **columns: object) -> None:
    Rollup.objects.create(meter=meter, step=step, start=start, **columns)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (date(2026, 5, 1), 24)])
def test_a_day_has_the_hours_that_the_clock_gives_it(day: date, hours: int) -> None:
    meter = stored_meter()
    start = datetime(day.year, day.month, day.day, tzinfo=PARIS)
    rolled(meter, Rollup.Step.DAY, start, readings=9, covered=hours * 3600, east=7, easf02=7)
    [found] = days(meter, day, day)
    tariffs = (None, 7, *[None] * 8)
    assert found == Energy(
        start.astimezone(UTC), start.astimezone(UTC) + timedelta(hours=hours), 7, tariffs, None, estimated=False,
        covered=hours * 3600, known=hours * 3600,
    )  # fmt: skip


def test_a_day_that_was_not_rolled_up_is_the_sum_of_its_hours() -> None:
    meter = stored_meter()
    midnight = datetime(2026, 5, 1, tzinfo=PARIS)
    for hour in (0, 5, 23, 24):
        rolled(meter, Rollup.Step.HOUR, midnight + timedelta(hours=hour), readings=9, covered=3600, east=10 + hour)
    [found] = days(meter, midnight.date(), midnight.date())
    assert (found.drawn, found.known, found.covered) == (58, 3 * 3600, 3 * 3600)


def test_of_a_time_before_the_meter_nothing_is_known() -> None:
    found = totals(stored_meter(), NOON, NOON + timedelta(days=400))
    assert found == Energy(
        NOON, NOON + timedelta(days=400), None, (None,) * 10, None, estimated=False, covered=0, known=0
    )


def test_a_silence_makes_an_estimate_only_of_what_ends_in_it() -> None:
    minute = timedelta(minutes=1)
    said = [Said(ms_of(NOON + n * minute), {"east": 1000 + n, "sinsts": 60}) for n in range(-300, 301) if abs(n) > 90]
    meter = write(said)
    inside, before, after = NOON + 5 * minute, NOON - 200 * minute, NOON + 200 * minute
    spans = (
        (before, inside),
        (inside, after),
        (NOON - 60 * minute, after),
        (before, after),
        (NOON - 180 * minute, after),
    )
    assert [totals(meter, a, b).estimated for a, b in spans] == [True, True, True, False, False]
    thin(meter, minutes=True)
    assert [totals(meter, a, b).estimated for a, b in spans] == [True, True, True, False, False]
    assert totals(meter, before, after).drawn == 400


def test_an_hour_in_progress_is_told_up_to_the_newest_reading() -> None:
    meter = stored_meter()
    for seq, (minutes, east) in enumerate([(0, 100), (10, 160), (20, 250)], start=1):
        stored(meter, NOON + timedelta(minutes=minutes), seq, east=east)
    assert totals(meter, NOON, NOON + timedelta(minutes=40)).drawn == 150
    assert totals(meter, NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)).drawn == 30


def test_periods_do_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="totals: the end is before the start"):
        totals(stored_meter(), NOON, NOON - timedelta(seconds=1))


def test_months_are_those_of_the_first_day_to_that_of_the_last() -> None:
    meter = stored_meter()
    for day, wh in (((2026, 1, 31), 5), ((2026, 2, 1), 7), ((2026, 2, 28), 9), ((2026, 3, 1), 11)):
        rolled(meter, Rollup.Step.DAY, datetime(*day, tzinfo=PARIS), readings=1, east=wh)
    found = months(meter, date(2026, 1, 15), date(2026, 3, 2))
    assert [(one.start.astimezone(PARIS).date(), one.drawn) for one in found] == [
        (date(2026, 1, 1), 5), (date(2026, 2, 1), 16), (date(2026, 3, 1), 11),
    ]  # fmt: skip
