"""Costs and contract in a real browser: bars that can be read by keyboard, and a comparison that fits a phone."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_bars_are_read_by_keyboard_and_lead_to_their_day(visit: Visit) -> None:
    page = visit().open("/costs/?month=2026-10")
    chart = page.locator("[data-chart]")
    chart.press("ArrowLeft")
    assert "€" in page.locator("[data-readout]").inner_text()
    chart.press("Enter")
    page.wait_for_url("**/costs/?day=*")


@pytest.mark.parametrize("path", ["/costs/contracts/", "/settings/contract/", "/welcome/?step=2"])
def test_what_belongs_to_costs_is_for_everybody(visit: Visit, path: str) -> None:
    visitor = visit(size=PHONE, language="fr")
    visitor.open(path)
    assert visitor.axe() == []
    assert visitor.fits()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_months_prices_are_seen_whole_on_a_phone(visit: Visit, language: str) -> None:
    page = visit(size=PHONE, language=language).open("/costs/?month=2026-10")
    assert page.evaluate("[...document.querySelectorAll('.costs .scroll')].every(e => e.scrollWidth <= e.clientWidth)")
