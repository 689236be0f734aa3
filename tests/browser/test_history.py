"""The page History in a real browser: its charts are drawn, zoomed and read; its pages are turned."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.browser.conftest import PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAST_MONTH = (date.today().replace(day=1) - timedelta(days=1)).isoformat()  # noqa: DTZ011  any zone's


def test_a_chart_is_read_and_zoomed_by_keys_alone(visit: Visit) -> None:
    page = visit().open(f"/history/?by=month&from={LAST_MONTH}")
    chart, readout = page.locator("#bars-own"), page.locator(".figure-box [data-readout]")
    legend = readout.text_content()
    chart.focus()
    chart.press("Home")
    first = readout.text_content()
    chart.press("ArrowRight")
    second = readout.text_content()
    assert len({legend, first, second}) == 3
    assert "kWh" in (second or "")
    chart.press("+")
    chart.press("Escape")
    chart.press("Home")
    assert readout.text_content() == first
    chart.press("Enter")
    page.wait_for_url("**by=day**")
    assert page.locator("#curve-own canvas").count() == 1


def test_two_months_stand_side_by_side_with_one_cursor(visit: Visit) -> None:
    page = visit().open(f"/history/?by=month&from={LAST_MONTH}&with=before")
    page.locator("#bars-own").focus()
    page.locator("#bars-own").press("Home")
    texts = page.locator(".figure-box [data-readout]").all_text_contents()
    assert len(texts) == 2
    assert all("kWh ·" in text or text.endswith("kWh") for text in texts)


def test_the_pages_are_turned_by_arrow_keys(visit: Visit) -> None:
    page = visit(size=PHONE).open(f"/history/?by=month&from={LAST_MONTH}")
    title = page.locator(".turn h2").text_content()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("title => document.querySelector('.turn h2').textContent !== title", arg=title)
    page.go_back()
    assert page.locator(".turn h2").text_content() == title
