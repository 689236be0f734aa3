"""How many days of which colour, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from storage.tariffs.seasons import Season, ejp_peak, faults, left, may_be


def test_a_season_begins_in_september() -> None:
    assert Season.of(date(2026, 8, 31)) == Season(2025)
    assert Season.of(date(2026, 9, 1)) == Season(2026)
    assert (Season(2026).first, Season(2026).last) == (date(2026, 9, 1), date(2027, 8, 31))


def test_blue_days_are_the_rest() -> None:
    assert Season(2026).days == {"rouge": 22, "blanc": 43, "bleu": 300}
    assert Season(2027).days == {"rouge": 22, "blanc": 43, "bleu": 301}  # with 29 February 2028


@pytest.mark.parametrize(
    ("day", "colours"),
    [
        (date(2026, 11, 2), "bleu blanc rouge"),  # a Monday
        (date(2026, 10, 30), "bleu blanc"),  # a Friday before November
        (date(2027, 3, 31), "bleu blanc rouge"),
        (date(2027, 4, 1), "bleu blanc"),
        (date(2026, 11, 11), "bleu blanc"),  # a holiday
        (date(2027, 3, 29), "bleu blanc"),  # Easter Monday
        (date(2026, 12, 5), "bleu blanc"),  # a Saturday
        (date(2026, 12, 6), "bleu"),  # a Sunday
    ],
)
def test_each_day_may_have_some_colours(day: date, colours: str) -> None:
    assert [colour for colour in ("bleu", "blanc", "rouge") if may_be(day, colour)] == colours.split()


def test_what_a_season_still_has() -> None:
    known = {
        date(2026, 8, 31): "bleu",
        date(2026, 9, 1): "blanc",
        date(2026, 12, 1): "rouge",
        date(2026, 12, 2): "rouge",
    }
    assert left(known, Season(2026)) == {"rouge": 20, "blanc": 42, "bleu": 300}
    assert left(known, Season(2025)) == {"rouge": 22, "blanc": 43, "bleu": 299}


def test_what_cannot_be_is_told() -> None:
    monday = date(2027, 1, 4)
    week = {monday + timedelta(days): "rouge" for days in range(5)}
    assert faults(week) == []
    assert faults(week | {date(2027, 1, 10): "blanc"}) == ["2027-01-10 cannot be blanc"]
    assert faults(week | {date(2027, 1, 9): "rouge"}) == [
        "2027-01-09 cannot be rouge",
        "2027-01-09 is red after 5 red days in a row",
    ]


def test_a_red_day_too_many_is_told() -> None:
    mondays = [date(2026, 11, 2) + timedelta(7 * week) for week in range(22)]
    days = {day: "rouge" for monday in mondays for day in (monday, monday + timedelta(1)) if may_be(day, "rouge")}
    fit = dict(sorted(days.items())[:22])
    assert faults(fit) == []
    assert faults(dict(sorted(days.items())[:24])) == ["the season from 2026-09-01 has 2 days too many of rouge"]


def test_the_peak_of_an_ejp_day_ends_after_midnight_on_the_wall_clock() -> None:
    assert [at.astimezone(UTC) for at in ejp_peak(date(2027, 1, 4))] == [
        datetime(2027, 1, 4, 6, tzinfo=UTC),
        datetime(2027, 1, 5, 0, tzinfo=UTC),
    ]
    # The night to the Sunday on which summer time begins at two.
    assert [at.astimezone(UTC) for at in ejp_peak(date(2027, 3, 27))] == [
        datetime(2027, 3, 27, 6, tzinfo=UTC),
        datetime(2027, 3, 28, 0, tzinfo=UTC),
    ]


def test_there_is_no_ejp_day_in_summer() -> None:
    with pytest.raises(ValueError, match="2027-04-01 cannot be an EJP day: they fall from November to March"):
        ejp_peak(date(2027, 4, 1))
