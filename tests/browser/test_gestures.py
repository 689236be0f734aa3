"""What a hand does on a chart: wheel, pinch, swipe, double tap, keys. A zoom shows in the finer points it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.conftest import PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

YESTERDAY: Final = (date.today() - timedelta(days=1)).isoformat()  # noqa: DTZ011  any zone's
ADDRESS: Final = f"/history/?by=day&from={YESTERDAY}"
DAY: Final = 86_400
FINER: Final = re.compile(r"/history/curve/\?.*from=")
AT: Final = "element => { const r = element.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }"
ON_SCREEN: Final = "#curve-own .u-over"


class Place(NamedTuple):
    """The drawn part of a chart, in pixels of the screen."""

    x: float
    y: float
    width: float
    height: float

    def at(self, across: float) -> tuple[float, float]:
        """A point at a share of its width."""
        return self.x + across * self.width, self.y + self.height / 2


def place(page: Page) -> Place:
    page.locator(ON_SCREEN).scroll_into_view_if_needed()
    return Place(*page.locator(ON_SCREEN).evaluate(AT))


def zoomed(page: Page, act: Callable[[], object]) -> tuple[float, float]:
    """From and to of the finer points that an act asks for."""
    with page.expect_request(FINER) as asked:
        act()
    found = parse_qs(urlsplit(asked.value.url).query)
    return float(found["from"][-1]), float(found["to"][-1])


def read(page: Page) -> str:
    return page.locator(".figure-box [data-readout]").first.text_content() or ""


def length(window: tuple[float, float]) -> float:
    return window[1] - window[0]


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    places = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": places})


def test_the_wheel_zooms_around_the_pointer_and_moves_with_shift(visit: Visit) -> None:
    page = visit().open(ADDRESS)
    where = place(page)
    page.mouse.move(*where.at(0.25))
    once = zoomed(page, lambda: page.mouse.wheel(0, -100))
    twice = zoomed(page, lambda: page.mouse.wheel(0, -100))
    assert length(once) == pytest.approx(0.8 * DAY, rel=0.06)  # a day of 23 or 25 hours is one, too
    assert length(twice) == pytest.approx(0.64 * DAY, rel=0.06)
    assert (twice[0] - once[0]) / (length(once) - length(twice)) == pytest.approx(0.25, abs=0.03)
    page.keyboard.down("Shift")
    moved = zoomed(page, lambda: page.mouse.wheel(0, 100))
    page.keyboard.up("Shift")
    assert moved[0] - twice[0] == pytest.approx(length(twice) / 10, abs=2)
    assert length(moved) == pytest.approx(length(twice), abs=2)


def test_the_wheel_scrolls_the_page_where_nothing_is_zoomed(visit: Visit) -> None:
    page = visit(size=PHONE).open(ADDRESS)
    page.mouse.move(*place(page).at(0.5))
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 200)
    page.wait_for_function("before => scrollY > before", arg=before)


def test_a_drag_zooms_to_what_it_spans_and_a_double_click_shows_everything(visit: Visit) -> None:
    page = visit().open(ADDRESS)
    where = place(page)

    def drag() -> None:
        page.mouse.move(*where.at(0.5))
        page.mouse.down()
        page.mouse.move(*where.at(0.75), steps=5)
        page.mouse.up()

    assert length(zoomed(page, drag)) == pytest.approx(DAY / 4, rel=0.06)
    page.mouse.dblclick(*where.at(0.5))
    again = zoomed(page, lambda: page.locator("#curve-own").press("+"))  # from everything
    assert length(again) == pytest.approx(0.8 * DAY, rel=0.06)


def test_keys_zoom_move_and_show_everything(visit: Visit) -> None:
    page = visit().open(ADDRESS)
    chart = page.locator("#curve-own")
    chart.focus()
    near = zoomed(page, lambda: chart.press("+"))
    before = zoomed(page, lambda: chart.press("PageUp"))
    after = zoomed(page, lambda: chart.press("PageDown"))
    assert length(near) == pytest.approx(0.8 * DAY, rel=0.06)
    assert before[0] < near[0]
    assert after[0] > before[0]
    chart.press("Home")
    first = read(page)
    chart.press("Shift+ArrowRight")
    assert read(page) != first
    chart.press("Escape")
    chart.press("Home")
    assert "VA" in read(page)


def test_two_fingers_zoom_one_reads_and_a_double_tap_shows_everything(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    page = visitor.open(ADDRESS)
    session = visitor.context.new_cdp_session(page)
    where = place(page)

    def pinch() -> None:
        touch(session, "Start", where.at(0.45), where.at(0.55))
        for step in range(1, 6):
            touch(session, "Move", where.at(0.45 - step * 0.03), where.at(0.55 + step * 0.03))
        touch(session, "End")

    assert length(zoomed(page, pinch)) == pytest.approx(DAY / 4, rel=0.1)  # a tenth of the width became four
    legend = read(page)
    touch(session, "Start", where.at(0.3))
    touch(session, "Move", where.at(0.32))
    touch(session, "End")
    assert "VA" in read(page) or read(page) != legend
    for _ in range(2):
        touch(session, "Start", where.at(0.5))
        touch(session, "End")
    near = zoomed(page, lambda: page.locator("#curve-own").press("+"))
    assert length(near) == pytest.approx(0.8 * DAY, rel=0.06)


def test_a_swipe_beside_the_charts_turns_the_page_and_one_on_a_chart_does_not(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    page = visitor.open(ADDRESS)
    session = visitor.context.new_cdp_session(page)

    def swipe(y: float) -> None:
        touch(session, "Start", (60, y))
        for x in (120, 200, 280):
            touch(session, "Move", (x, y + 2))
        touch(session, "End")

    title = page.locator(".turn h2").text_content()
    x, y, _width, height = place(page)
    swipe(y + height / 2)
    assert page.locator(".turn h2").text_content() == title
    page.evaluate("scrollTo(0, 0)")
    box = page.locator(".turn h2").bounding_box()
    assert box is not None
    assert x >= 0
    swipe(box["y"] + box["height"] / 2)
    page.wait_for_function("title => document.querySelector('.turn h2').textContent !== title", arg=title)
