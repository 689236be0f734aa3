"""Dates as callers give them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from storage.entities.when import as_instant

MIDNIGHT = datetime(2026, 5, 31, 22, tzinfo=UTC)  # of 1 June in Paris


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (date(2026, 6, 1), MIDNIGHT),
        ("2026-06-01", MIDNIGHT),
        (" 2026-06-01 ", MIDNIGHT),
        (datetime(2026, 6, 1), MIDNIGHT),  # noqa: DTZ001  without a zone on purpose
        ("2026-06-01T00:00:00", MIDNIGHT),
        ("2026-06-01 00:00", MIDNIGHT),
        ("2026-05-31T22:00:00Z", MIDNIGHT),
        (MIDNIGHT, MIDNIGHT),
        ("2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC)),  # winter
    ],
    ids=str,
)
def test_a_date_is_an_instant(given: Any, instant: datetime) -> None:
    found = as_instant(given)
    assert (found, found.tzinfo is None) == (instant, False)


def test_nothing_is_now() -> None:
    before = timezone.now()
    assert before <= as_instant(None) <= timezone.now()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "01/06/2026", "2026-06-01T25:00:00", "2026-6"])
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"^'{text}' is no date.*expected an ISO date"):
        as_instant(text)
