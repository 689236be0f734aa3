"""The hour that comes twice, and the one that never comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.exchange.localtime import Doubt, unfold

PARIS = ZoneInfo("Europe/Paris")
NONE = timedelta(0)


def instants(*times: str, fall: timedelta = NONE, hints: dict[str, str] | None = None) -> list[str]:
    rows = [
        (datetime.fromisoformat(time), datetime.fromisoformat(hints[time]) if hints and time in hints else None, None)
        for time in times
    ]
    return [at.name if isinstance(at, Doubt) else f"{at:%d %H:%M}" for at, _ in unfold(rows, PARIS, fall)]


def test_where_the_time_falls_back_the_second_hour_begins() -> None:
    times = [f"2026-10-25 {time}" for time in ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")]
    assert instants(*times) == ["24 23:30", "25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"]


def test_one_row_an_hour_comes_twice_at_the_same_time() -> None:
    times = [f"2026-10-25 {time}" for time in ("01:00", "02:00", "02:00", "03:00")]
    assert instants(*times) == ["24 23:00", "25 00:00", "25 01:00", "25 02:00"]


@pytest.mark.parametrize(
    "hour",
    [("02:00", "02:30"), ("02:30",), ("02:00", "02:30", "02:00", "02:30", "02:00")],
    ids=["once", "one", "thrice"],
)
def test_without_exactly_one_fall_the_hour_is_not_guessed(hour: tuple[str, ...]) -> None:
    times = [f"2026-10-25 {time}" for time in ("01:30", *hour, "03:00")]
    assert instants(*times) == ["24 23:30", *["TWICE"] * len(hour), "25 02:00"]


def test_a_clock_that_jitters_does_not_fall() -> None:
    times = [f"2026-10-25 {time}" for time in ("02:10:01", "02:10:00", "02:59:59", "02:00:00", "02:00:02")]
    said = instants(*times, fall=timedelta(minutes=30))
    assert said == ["25 00:10", "25 00:10", "25 00:59", "25 01:00", "25 01:00"]
    assert instants(*times, fall=NONE) == ["TWICE"] * 5


def test_another_clock_decides_for_its_row_alone_and_only_when_it_is_near() -> None:
    hints = {"2026-10-25 02:10": "2026-10-25T01:10:01+00:00", "2026-10-25 02:20": "2026-10-25T09:00:00+00:00"}
    assert instants("2026-10-25 02:10", "2026-10-25 02:20", hints=hints) == ["25 01:10", "TWICE"]


def test_in_march_an_hour_never_comes() -> None:
    times = ("2026-03-29 01:59", "2026-03-29 02:00", "2026-03-29 02:59", "2026-03-29 03:00")
    assert instants(*times) == ["29 00:59", "NEVER", "NEVER", "29 01:00"]


@given(st.sampled_from([2, 5, 10, 30]), st.integers(0, 365 * 24), st.integers(20, 400))
def test_a_curve_without_holes_is_read_as_it_was_written(minutes: int, hour: int, rows: int) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    written = [first + n * timedelta(minutes=minutes) for n in range(rows)]
    local = [(at.astimezone(PARIS).replace(tzinfo=None), None, at) for at in written]
    read = [(at, was) for at, was in unfold(local, PARIS, NONE) if not isinstance(at, Doubt)]
    assert all(at == was for at, was in read)
    # What is not read is the doubtful hour of a curve that begins or ends within it.
    change = datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
    if not any(change[0] < end < change[1] for end in (written[0], written[-1])):
        assert len(read) == rows
