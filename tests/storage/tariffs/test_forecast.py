"""The bill at the month's end: known weeks, honest ignorance, and a simulated year on which it is tried."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest

from bridge.simulated.household import Household
from bridge.tic.values import PARIS
from storage.tariffs.forecast import Forecast, Part, Silence, forecast

JUNE = date(2026, 6, 1), date(2026, 6, 30)


def costs(first: date, number: int, cost: dict[int, str] | str = "2") -> dict[date, Decimal]:
    """Days that cost the same, or by their weekday."""
    days = [first + timedelta(days=n) for n in range(number)]
    return {day: Decimal(cost if isinstance(cost, str) else cost.get(day.weekday(), "2")) for day in days}


def test_a_household_without_surprises_is_foretold_to_the_cent() -> None:
    known = costs(date(2026, 3, 1), 102, {5: "5", 6: "7"})  # until 10 June; week-ends are dearer
    sure = Decimal(2 * 22 + 5 * 4 + 7 * 4)
    assert forecast(known, *JUNE, date(2026, 6, 11)) == Forecast(
        Decimal(2 * 8 + 5 + 7), days_over=10, measured=10, days_left=20, low=sure, middle=sure, high=sure, judged_by=76
    )  # fmt: skip


def test_the_range_is_what_nine_of_ten_past_forecasts_were_off() -> None:
    known = costs(date(2026, 5, 1), 28)
    # A day ahead, four of 21 past forecasts were off: by half when these two came, by a third a week after each.
    known |= {date(2026, 5, 10): Decimal(3), date(2026, 5, 20): Decimal(3)}
    found = forecast(known, date(2026, 5, 1), date(2026, 5, 29), date(2026, 5, 29))
    assert isinstance(found, Forecast)
    off = Decimal(1) / 3 * 2
    assert (found.low, found.middle, found.high, found.judged_by) == (60 - off, Decimal(60), 60 + off, 21)


def test_a_month_that_is_over_is_no_forecast() -> None:
    known = costs(date(2026, 6, 1), 30)
    sixty = Decimal(60)
    assert forecast(known, *JUNE, date(2026, 7, 1)) == Forecast(sixty, 30, 30, 0, sixty, sixty, sixty, 0)


def test_who_sells_as_much_as_he_draws_is_foretold_too() -> None:
    known = costs(date(2026, 3, 1), 102, dict.fromkeys((1, 3, 5), "-2") | {6: "0"})
    found = forecast(known, *JUNE, date(2026, 6, 11))
    assert isinstance(found, Forecast)
    assert found.low == found.middle == found.high == Decimal(-2 * 13 + 2 * 13)


def without(known: dict[date, Decimal], *days: int) -> dict[date, Decimal]:
    """As if these days of June had not been measured."""
    return {day: cost for day, cost in known.items() if (day.month, day.day) not in [(6, n) for n in days]}


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (costs(date(2026, 6, 1), 10), Silence.PAST),
        (costs(date(2026, 5, 22), 20), Silence.PAST),
        (without(costs(date(2026, 3, 1), 102), 7, 8, 9, 10), Silence.WEEK),
        (without(costs(date(2026, 3, 1), 102), 1, 2, 3, 4, 5, 6), Silence.MONTH),
        (costs(date(2026, 3, 1), 92), Silence.MONTH),
        ({}, Silence.MONTH),
    ],
    ids=["new", "almost three weeks", "silent of late", "a month full of holes", "silent since", "nothing"],
)
def test_what_cannot_be_told_is_not_told_and_why(known: dict[date, Decimal], why: Silence) -> None:
    assert forecast(known, *JUNE, date(2026, 6, 11)) is why


def test_three_weeks_of_days_are_enough() -> None:
    found = forecast(costs(date(2026, 5, 21), 21), *JUNE, date(2026, 6, 11))
    assert isinstance(found, Forecast)
    assert (found.middle, found.judged_by) == (Decimal(60), 8)


def test_a_day_that_was_not_measured_is_taken_as_its_weekday_and_widens_the_range() -> None:
    known = costs(date(2026, 3, 1), 102, {5: "5", 6: "7"})
    sure = Decimal(2 * 22 + 5 * 4 + 7 * 4)
    found = forecast(without(known, 7), *JUNE, date(2026, 6, 11))  # a Sunday, and model of the Sundays to come
    assert isinstance(found, Forecast)
    assert (found.so_far, found.measured, found.middle) == (Decimal(2 * 8 + 5 + 7), 9, sure)
    rough = known | {date(2026, 4, 1 + n): Decimal(8) for n in range(0, 28, 2)}  # days differ from those like them
    whole, holed = (forecast(some, *JUNE, date(2026, 6, 11)) for some in (rough, without(rough, 4)))
    assert isinstance(whole, Forecast)
    assert isinstance(holed, Forecast)
    assert holed.high - holed.low > whole.high - whole.low


def test_what_was_measured_of_a_day_counts_and_only_the_rest_is_taken() -> None:
    known = without(costs(date(2026, 3, 1), 102), 5)
    part = {date(2026, 6, 5): Part(Decimal("4.5"), Decimal("0.5"), Fraction(1, 3))}
    found = forecast(known, *JUNE, date(2026, 6, 11), part)
    assert isinstance(found, Forecast)
    # A day costs 2, of which 0.5 are the subscription: the third of it that lacks is taken to be 0.5.
    assert found.so_far == pytest.approx(9 * 2 + Decimal("4.5") + Decimal("0.5") + Decimal("0.5"))


@cache
def simulated_year(seed: int) -> dict[date, Decimal]:
    """What the days of a simulated household cost at a plain price, read off every half hour."""
    household, found = Household(seed, True), {}
    for n in range(366):
        midnight = datetime(2025, 9, 1, tzinfo=UTC).date() + timedelta(days=n)
        at = datetime(midnight.year, midnight.month, midnight.day, tzinfo=PARIS)
        watts = [sum(household.steady(at + timedelta(minutes=30 * half))) for half in range(48)]
        found[midnight] = Decimal(round(sum(watts) / 2)) * Decimal("0.0002") + Decimal("0.4")
    return found


@pytest.mark.parametrize("lost", [0, 8], ids=["whole", "one day in eight lost"])
@pytest.mark.parametrize("seed", [1, 2])
def test_on_a_simulated_year_it_is_rarely_further_off_than_it_says(seed: int, lost: int) -> None:
    known = simulated_year(seed)
    heard = {day: cost for day, cost in known.items() if not lost or day.toordinal() % lost}
    within, off, number = 0, 0.0, 0
    for month in range(3, 9):  # what a household of some months sees: autumn and winter are known
        first = date(2026, month, 1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        truth = sum(known[first + timedelta(days=n)] for n in range((last - first).days + 1))
        for today in (first + timedelta(days=n) for n in (1, 4, 9, 14, 19, 24)):
            found = forecast({day: cost for day, cost in heard.items() if day < today}, first, last, today)
            assert isinstance(found, Forecast)
            within += found.low <= truth <= found.high
            off += abs(float(found.middle / truth) - 1)
            number += 1
    assert within / number >= 0.8
    assert off / number < 0.1
