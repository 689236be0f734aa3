"""The last minutes of power as a chart, a sentence and a table."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from storage.queries import Curve, Point
from storage.web.chart import ROWS, Chart, Slice, chart
from tests.storage.web.samples import NOON, stored, stored_meter

NBSP = "\N{NO-BREAK SPACE}"
T = int(NOON.timestamp())
HOUR = timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")


def of(*points: Point, step: int = 4, delay: float = 10) -> Chart:
    """The hour from 13:00 on in Paris."""
    return Chart(NOON, NOON + HOUR, PARIS, Curve(step, points), delay)


def flat(*seconds: int) -> list[Point]:
    return [Point(T + second, 100, 100, 100) for second in seconds]


def test_the_sentence_says_the_range_the_peak_and_the_mean() -> None:
    drawn = of(Point(T, 90, 100, 110), Point(T + 600, 200, 300.4, 2310))
    assert drawn.summary() == f"Between 90{NBSP}VA and 2,310{NBSP}VA (at 13:10), 200{NBSP}VA on average."


def test_an_empty_chart_says_so() -> None:
    assert of().summary() == "No reading is stored for this time."


def test_the_table_has_a_line_for_each_five_minutes_newest_first() -> None:
    table = of(Point(T, 90, 100, 110), Point(T + 4, 80, 200, 400)).table()
    assert (len(table), table[-1], table[0]) == (
        ROWS,
        Slice("13:00", f"80{NBSP}VA", f"150{NBSP}VA", f"400{NBSP}VA"),
        Slice("13:55", "–", "–", "–"),
    )


def test_a_silence_breaks_the_line_and_is_a_gap() -> None:
    drawn = of(*flat(*range(0, 1200, 4), *range(1800, 3600, 4)))
    sent = drawn.as_json()
    hole = sent["t"].index(T + 1197)
    assert (sent["gaps"], sent["mean"][hole - 1 : hole + 2]) == ([(T + 1196, T + 1800)], [100, None, 100])


def test_readings_that_are_stored_rarely_are_no_gaps() -> None:
    drawn = of(*flat(*range(0, 3600, 60)))
    assert (drawn.patience, drawn.gaps(), None in drawn.as_json()["mean"]) == (180, [], False)


@pytest.mark.parametrize(("delay", "gaps"), [(10, [(T + 3500, T + 3600)]), (600, [])])
def test_what_the_store_has_not_written_yet_is_no_gap(delay: float, gaps: list[tuple[int, int]]) -> None:
    assert of(*flat(*range(0, 3501, 4)), delay=delay).gaps() == gaps


def test_an_hour_without_readings_is_one_gap() -> None:
    assert of().as_json() == {
        "start": T, "end": T + 3600, "patience": 10.0, "t": [], "low": [], "mean": [], "high": [],
        "gaps": [(T, T + 3600)], "summary": "No reading is stored for this time.",
        "table": [Slice(f"13:{minute:02}", "–", "–", "–") for minute in range(55, -1, -5)],
    }  # fmt: skip


@pytest.mark.django_db
def test_the_database_is_asked_for_the_minutes_before_the_end() -> None:
    meter = stored_meter()
    stored(meter, NOON - timedelta(minutes=61), 1, sinsts=1)
    stored(meter, NOON - timedelta(minutes=59), 2, sinsts=2)
    drawn = chart(meter, PARIS, NOON, 60, 10)
    assert (drawn.start, drawn.end, [point.high for point in drawn.curve.points]) == (NOON - HOUR, NOON, [2])


def test_a_meter_that_is_not_stored_has_an_empty_chart() -> None:
    assert chart(None, PARIS, NOON, 60, 10) == Chart(NOON - HOUR, NOON, PARIS, Curve(1, ()), 10)
