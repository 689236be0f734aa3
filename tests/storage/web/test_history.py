"""The page History: spans, bars, names, comparisons; and what it says where nothing is known."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from storage.models import Meter, Rollup
from storage.tariffs.models import IndexPeriod
from storage.web.history.spans import span_of
from tests.storage.web.samples import METER, stored_meter

PARIS = ZoneInfo("Europe/Paris")
CHANGE = date(2026, 10, 25)  # 25 hours long
DAY = timedelta(days=1)


def hours(meter: Meter, first: date, days: int, wh: int = 100, **columns: int) -> None:
    """Each hour of some local days took `wh`, half of it by index 1; and the days' own rows."""
    start, end = (datetime(d.year, d.month, d.day, tzinfo=PARIS) for d in (first, first + days * DAY))
    rows = []
    at = start.astimezone(UTC)
    while at < end.astimezone(UTC):
        rows.append(row(meter, at, Rollup.Step.HOUR, wh, **columns))
        at += timedelta(hours=1)
    for n in range(days):
        begins, ends = (first + k * DAY for k in (n, n + 1))
        edges = [datetime(d.year, d.month, d.day, tzinfo=PARIS).astimezone(UTC) for d in (begins, ends)]
        length = (edges[1] - edges[0]) // timedelta(hours=1)
        rows.append(row(meter, edges[0], Rollup.Step.DAY, wh * length, **{k: v * length for k, v in columns.items()}))
    Rollup.objects.bulk_create(rows)


def row(meter: Meter, at: datetime, step: Rollup.Step, wh: int, **columns: int) -> Rollup:
    return Rollup(
        meter=meter, start=at, step=step, origin=Rollup.Origin.METER, readings=60, covered=int(step), east=wh,
        easf01=wh // 2, sinsts_sum=60 * wh, sinsts_min=wh, sinsts_max=wh, **columns,
    )  # fmt: skip


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/history/{query}")
    assert answer.status_code == 200
    text = re.sub(r"\s+", " ", unescape(answer.content.decode()))
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def meter(db: None) -> Meter:
    found = stored_meter()
    hours(found, date(2026, 10, 20), 12)
    return found


@pytest.mark.parametrize(
    ("kind", "first", "last", "before", "a_year_before"),
    [
        ("day", date(2026, 3, 1), date(2026, 3, 1), date(2026, 2, 28), date(2025, 3, 2)),
        ("week", date(2026, 11, 23), date(2026, 11, 29), date(2026, 11, 16), date(2025, 11, 24)),
        ("month", date(2026, 1, 1), date(2026, 1, 31), date(2025, 12, 1), date(2025, 1, 1)),
        ("year", date(2024, 1, 1), date(2024, 12, 31), date(2023, 1, 1), date(2023, 1, 1)),
    ],
)
def test_a_span_knows_its_neighbours(kind: str, first: date, last: date, before: date, a_year_before: date) -> None:
    span = span_of(kind, first + (last - first) // 2)
    assert (span.first, span.last) == (first, last)
    assert (span.moved(-1).first, span.a_year_before().first) == (before, a_year_before)
    assert span.moved(-1).moved(1) == span


def test_a_range_moves_by_its_own_length() -> None:
    span = span_of("range", date(2026, 11, 1), date(2026, 11, 10))
    assert (span.moved(-1).first, span.moved(-1).last) == (date(2026, 10, 22), date(2026, 10, 31))


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("decade", date(2026, 1, 1), None), ("range", date(2026, 1, 1), None),
        ("range", date(2026, 1, 2), date(2026, 1, 1)), ("range", date(1970, 1, 1), date(2026, 1, 1)),
    ],
)  # fmt: skip
def test_what_is_no_span_is_refused(kind: str, first: date, last: date | None) -> None:
    with pytest.raises(ValueError, match="nothing that can be shown"):
        span_of(kind, first, last)


def test_without_any_history_it_says_what_to_expect(browser: Client) -> None:
    stored_meter()
    assert "No history yet" in page(browser)


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("?by=day&from=2026-10-21", "2.4 kWh"), ("?by=week&from=2026-10-22", "14.5 kWh"),
        ("?by=month&from=2026-10-21", "28.9 kWh"), ("?by=year&from=2026-10-21", "28.9 kWh"),
        ("?by=range&from=2026-10-24&to=2026-10-26", "7.3 kWh"),
    ],
)  # fmt: skip
def test_each_length_of_time_has_its_sum(browser: Client, query: str, total: str) -> None:
    assert f'<p class="total">{total}' in page(browser, query)


@pytest.mark.usefixtures("meter")
def test_the_day_of_25_hours_has_25_bars_and_says_which_comes_twice(browser: Client) -> None:
    text = page(browser, f"?by=day&from={CHANGE}")
    names = re.findall(r'<th scope="row">(\d\d:\d\d(?: \(winter time\))?)</th><td>0\.1</td>', text)
    assert (len(names), names.count("02:00"), names.count("02:00 (winter time)")) == (25, 1, 1)
    assert '<p class="total">2.5 kWh' in text


def test_an_index_is_called_by_what_it_counts(browser: Client, meter: Meter) -> None:
    assert "Index 1" in page(browser, "?by=day&from=2026-10-21")
    IndexPeriod.objects.create(meter=meter, index=1, period="rouge_hp", start_date=datetime(2020, 1, 1, tzinfo=UTC))
    text = page(browser, "?by=day&from=2026-10-21")
    assert 'data-key="rouge" aria-hidden="true"></span>Red peak' in text
    assert "Not told by period" in text  # the other half


def test_what_was_injected_is_told(browser: Client) -> None:
    hours(stored_meter(), date(2026, 10, 20), 2, eait=50)
    assert "1.2 kWh injected" in page(browser, "?by=day&from=2026-10-20")


def test_two_spans_are_compared_in_words(browser: Client) -> None:
    meter = stored_meter()
    hours(meter, date(2026, 10, 19), 1, 200)
    hours(meter, date(2026, 10, 20), 1, 100)
    text = page(browser, "?by=day&from=2026-10-20&with=before")
    assert "2.4 kWh less (50 %) than Monday 19 October 2026." in text
    assert text.count('<p class="total">') == 2


@pytest.mark.usefixtures("meter")
def test_nothing_leads_to_where_nothing_is_known(browser: Client) -> None:
    assert 'rel="prev"' not in page(browser, "?by=day&from=2026-10-20")
    assert 'rel="prev"' in page(browser, "?by=day&from=2026-10-21")


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize(
    "query", ["?from=yesterday", "?by=decade", "?by=range&from=2026-10-02&to=2026-10-01", "?with=x"]
)
def test_a_time_that_is_none_is_answered_in_a_sentence(browser: Client, query: str) -> None:
    answer = browser.get(f"/history/{query}")
    assert (answer.status_code, "There is no such time" in answer.content.decode()) == (400, True)


def test_an_unknown_meter_is_not_found(browser: Client) -> None:
    assert browser.get("/history/?meter=none").status_code == 404


@pytest.mark.usefixtures("meter")
def test_hours_are_coloured_day_by_day_and_long_times_by_weekday(browser: Client) -> None:
    assert "Hour by hour" in page(browser, "?by=month&from=2026-10-21")
    text = page(browser, "?by=year&from=2026-10-21")
    assert "A mean week, hour by hour" in text
    assert text.count('data-level="6"') == 7 * 24


@pytest.mark.usefixtures("meter")
def test_a_curve_is_told_more_finely(browser: Client) -> None:
    start = int(datetime(2026, 10, 21, tzinfo=PARIS).timestamp())
    found: dict[str, Any] = browser.get(f"/history/curve/?meter={METER}&from={start}&to={start + 11 * 86_400}").json()
    assert (found["t"][0], set(found["high"]) - {None}) == (start, {100})
    for query in (
        "",
        f"?meter={METER}&from=2&to=1",
        f"?meter={METER}&from=-1&to=5",
        f"?meter={METER}&from=1&to=99999999",
    ):
        assert browser.get(f"/history/curve/{query}").status_code == 400
