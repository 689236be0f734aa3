"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from storage.when import parse_when

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)  # in Paris it is the 29th


def when(text: str, *, end: bool = False) -> str:
    return parse_when(text, PARIS, now=NOW, end=end).isoformat()


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-11-28", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        ("20261128", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        ("28/11/2026", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        (" 28.11.26 ", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        ("5-6-2026", "2026-06-04T22:00:00+00:00", "2026-06-05T22:00:00+00:00"),
        ("1er août 2026", "2026-07-31T22:00:00+00:00", "2026-08-01T22:00:00+00:00"),
        ("28 Nov. 2026", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        ("décembre 2026", "2026-11-30T23:00:00+00:00", "2026-12-31T23:00:00+00:00"),
        ("2026-12", "2026-11-30T23:00:00+00:00", "2026-12-31T23:00:00+00:00"),
        ("02/2026", "2026-01-31T23:00:00+00:00", "2026-02-28T23:00:00+00:00"),
        ("2026", "2025-12-31T23:00:00+00:00", "2026-12-31T23:00:00+00:00"),
        ("today", "2026-11-28T23:00:00+00:00", "2026-11-29T23:00:00+00:00"),
        ("aujourd’hui", "2026-11-28T23:00:00+00:00", "2026-11-29T23:00:00+00:00"),
        ("hier", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
        # Both changes of the clocks: a day of 23 hours and one of 25.
        ("2026-03-29", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
        ("2026-10-25", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
    ],
)
def test_a_day_a_month_or_a_year_has_a_beginning_and_an_end(text: str, begins: str, ends: str) -> None:
    assert (when(text), when(text, end=True)) == (begins, ends)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-28T10:30", "2026-11-28T09:30:00+00:00"),
        ("2026-11-28 10:30:15.25", "2026-11-28T09:30:15.250000+00:00"),
        ("2026-11-28T10:30:15Z", "2026-11-28T10:30:15+00:00"),
        ("2026-11-28T10:30+0100", "2026-11-28T09:30:00+00:00"),
        ("2026-11-28T10:30:00 -05:00", "2026-11-28T15:30:00+00:00"),
        ("28/11/2026 10:30", "2026-11-28T09:30:00+00:00"),
        ("28/11/2026 10h30", "2026-11-28T09:30:00+00:00"),
        ("28/11/2026 10h", "2026-11-28T09:00:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),  # there are two: the first
        ("2026-10-25 02:30+01:00", "2026-10-25T01:30:00+00:00"),
        ("now", "2026-11-28T23:30:00+00:00"),
    ],
)
def test_a_time_is_an_instant_and_its_own_end(text: str, at: str) -> None:
    assert (when(text), when(text, end=True)) == (at, at)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "31/02/2026", "2026-13", "11/28/2026", "2026-11-28T25:00", "2026-11-28+01:00", "28/11-2026",
        "2026-03-29 02:30", "28 brumaire 2026", "0000", "9999", "99999999999", "٢٠٢٦",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^{re.escape(repr(text))} will not do.*; expected a date such as 2026-11-28"
    ):
        when(text, end=True)
