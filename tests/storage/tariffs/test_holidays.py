"""Public holidays by rule, against calendars."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.tariffs.holidays import easter, is_public_holiday, public_holidays


# As published: the earliest and the latest Easter of the century among them.
@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(1954, 4, 18), (1981, 4, 19), (2000, 4, 23), (2008, 3, 23), (2011, 4, 24), (2024, 3, 31), (2025, 4, 20),
     (2026, 4, 5), (2027, 3, 28), (2038, 4, 25), (2049, 4, 18), (2076, 4, 19)],
)  # fmt: skip
def test_easter_falls_where_calendars_have_it(year: int, month: int, day: int) -> None:
    assert easter(year) == date(year, month, day)


@given(st.integers(1583, 4099))
def test_easter_is_a_sunday_between_its_bounds(year: int) -> None:
    assert easter(year).weekday() == 6
    assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)


def test_the_holidays_of_2026() -> None:
    assert sorted(f"{day:%m-%d}" for day in public_holidays(2026)) == [
        "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25",
    ]  # fmt: skip


def test_ascension_on_the_eighth_of_may_is_one_day_less() -> None:
    assert (len(public_holidays(2025)), len(public_holidays(2027)), len(public_holidays(1997))) == (11, 11, 10)
    assert is_public_holiday(date(1997, 5, 8))
    assert not is_public_holiday(date(2026, 4, 3))  # Good Friday: in Alsace and Moselle only
