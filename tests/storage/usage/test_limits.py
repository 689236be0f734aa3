"""When the time of a limit is over, and what a call costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage.usage.limits import Verdict, end_of, take
from storage.usage.models import Usage

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reset", "now", "end"),
    [
        ("hour", "2026-11-28T06:30:00+00:00", "2026-11-28T07:00:00+00:00"),
        ("hour", "2026-10-25T00:30:00+00:00", "2026-10-25T01:00:00+00:00"),  # the hour that comes twice
        ("day", "2026-11-28T06:30:00+00:00", "2026-11-29T00:00:00+01:00"),
        ("day", "2026-11-28T23:30:00+00:00", "2026-11-30T00:00:00+01:00"),  # the next day in Paris already
        ("day", "2026-10-25T00:30:00+00:00", "2026-10-26T00:00:00+01:00"),  # a day of 25 hours
        ("week", "2026-11-28T06:30:00+00:00", "2026-11-30T00:00:00+01:00"),
        ("week", "2026-11-30T00:30:00+01:00", "2026-12-07T00:00:00+01:00"),
        ("month", "2026-11-28T06:30:00+00:00", "2026-12-01T00:00:00+01:00"),
        ("month", "2026-12-31T06:30:00+00:00", "2027-01-01T00:00:00+01:00"),
        ("year", "2026-11-28T06:30:00+00:00", "2027-01-01T00:00:00+01:00"),
    ],
)
def test_when_the_time_of_a_limit_ends(reset: str, now: str, end: str) -> None:
    assert end_of(reset, datetime.fromisoformat(now), PARIS) == datetime.fromisoformat(end)


def limited(owner: User, limit: int | None, reset: str = "hour") -> str:
    return Usage.objects.create(user=owner, route="r", limit=limit, reset=reset).caller


@pytest.mark.django_db
def test_calls_are_refused_at_the_limit_and_taken_again_after_the_reset(owner: User) -> None:
    caller = limited(owner, 2)
    seen = [take(caller, "r", None, NOW + timedelta(minutes=minutes)) for minutes in (0, 1, 2, 30, 31, 32)]
    taken = Verdict(is_limited=True)
    assert seen == [
        taken, taken, Verdict(is_limited=True, is_refused=True, wait=timedelta(minutes=28)),
        taken, taken, Verdict(is_limited=True, is_refused=True, wait=timedelta(minutes=58)),
    ]  # fmt: skip
    row = Usage.objects.get()
    assert (row.calls, row.used, row.last) == (4, 2, NOW + timedelta(minutes=31))


@pytest.mark.django_db
def test_a_limit_that_is_never_counted_anew_has_no_time_to_wait(owner: User) -> None:
    caller = limited(owner, 1, "never")
    seen = [take(caller, "r", None, NOW + timedelta(days=days)) for days in (0, 4000)]
    assert seen == [Verdict(is_limited=True), Verdict(is_limited=True, is_refused=True)]


@pytest.mark.django_db
def test_without_a_limit_nothing_is_written(owner: User) -> None:
    caller = limited(owner, None)
    with CaptureQueriesContext(connection) as asked:
        verdict = take(caller, "r", None, NOW)
    assert (verdict, [query["sql"].split()[0] for query in asked]) == (Verdict(is_limited=False), ["SELECT"])


@pytest.mark.django_db
def test_with_a_limit_it_is_one_question_and_one_statement(owner: User) -> None:
    caller = limited(owner, 5)
    with CaptureQueriesContext(connection) as asked:
        take(caller, "r", None, NOW)
    assert [query["sql"].split()[0] for query in asked] == ["SELECT", "UPDATE"]
