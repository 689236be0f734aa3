"""A household's electricity as a pure function of time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulated.household import Household, noise, outside
from bridge.tic.values import PARIS

WINTER_EVENING = datetime(2026, 1, 15, 19, 30, tzinfo=PARIS)
SUMMER_NOON = datetime(2026, 6, 21, 13, 0, tzinfo=PARIS)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(PARIS))  # noqa: DTZ001  aware


def total(household: Household, at: datetime) -> float:
    return sum(household.watts(at))


def energy(household: Household, day: datetime) -> float:
    """kWh of a day."""
    return sum(total(household, day + timedelta(minutes=n)) for n in range(1440)) / 60_000


def test_the_same_seed_gives_the_same_household() -> None:
    assert Household(1).watts(WINTER_EVENING) == Household(1).watts(WINTER_EVENING)
    assert Household(1).watts(WINTER_EVENING) != Household(2).watts(WINTER_EVENING)


@given(st.lists(st.integers(-(2**63), 2**63), min_size=1, max_size=4))
def test_noise_is_a_share_that_depends_on_its_keys_alone(keys: list[int]) -> None:
    assert 0 <= noise(*keys) <= 1
    assert noise(*keys) == noise(*keys)


def test_noise_is_spread_evenly() -> None:
    drawn = [noise(1, n) for n in range(10_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.02)


@given(MOMENTS, st.integers(1, 99))
def test_without_panels_nothing_is_injected_and_no_breaker_of_nine_kva_trips(at: datetime, seed: int) -> None:
    drawn = Household(seed).watts(at)
    assert min(drawn) >= 0
    assert sum(drawn) < 9000 * 1.3


@given(MOMENTS, st.integers(1, 3))
def test_voltage_stays_within_what_the_grid_may_deliver(at: datetime, phase: int) -> None:
    assert 207 < Household(1).volts(phase, at) < 253  # 230 V, ten percent more or less


def test_winter_takes_more_than_summer() -> None:
    winter, summer = datetime(2026, 1, 15, tzinfo=PARIS), datetime(2026, 7, 15, tzinfo=PARIS)
    assert energy(Household(1), winter) > 2 * energy(Household(1), summer)


def test_panels_inject_at_noon_in_summer_and_nothing_at_night() -> None:
    with_panels, without = Household(1, solar_kw=6.0), Household(1)
    assert total(with_panels, SUMMER_NOON) < 0
    midnight = SUMMER_NOON.replace(hour=0)
    assert with_panels.watts(midnight) == without.watts(midnight)


def test_the_water_is_heated_at_night_unless_the_hours_are_all_the_same() -> None:
    night = SUMMER_NOON.replace(hour=22, minute=30)
    assert total(Household(1), night) - total(Household(1, night_heating=False), night) == pytest.approx(2000, rel=0.01)
    day = SUMMER_NOON.replace(hour=13, minute=30)
    assert total(Household(1, night_heating=False), day) - total(Household(1), day) == pytest.approx(2000, rel=0.01)


def test_it_is_colder_in_january_and_before_dawn() -> None:
    assert outside(WINTER_EVENING) < outside(SUMMER_NOON)
    assert outside(SUMMER_NOON.replace(hour=3)) < outside(SUMMER_NOON)


@given(MOMENTS, st.integers(1, 99))
def test_an_excess_stays_below_what_trips_a_breaker(at: datetime, seed: int) -> None:
    excess = Household(seed).excess(at)
    assert excess == 0 or 1.05 < excess < 1.3


def test_an_excess_lasts_some_minutes_of_some_quarters_of_an_hour() -> None:
    minutes = [WINTER_EVENING.replace(hour=0, minute=0) + timedelta(minutes=n) for n in range(1440)]
    over = [at.minute % 15 for at in minutes if Household(1).excess(at)]
    assert set(over) == {4, 5, 6, 7}
    assert 100 < len(over) < 350
