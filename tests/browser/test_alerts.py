"""A rule from the first click to the last, with the keyboard's own order and on a phone."""

from __future__ import annotations

from time import monotonic

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_rule_is_made_raises_an_alert_and_goes_again(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    page = visitor.open("/alerts/")
    page.get_by_role("link", name="A value above or below a limit").click()
    assert visitor.axe() == []
    assert visitor.fits()
    page.get_by_label("Name").fill("browser")
    page.get_by_label("What the meter says").select_option("sinsts")
    page.get_by_label("When it").select_option(">=")
    page.get_by_label("Limit").fill("lots")
    page.get_by_role("button", name="Make the rule").click()
    limit = page.get_by_label("Limit")
    expect(limit).to_have_attribute("aria-invalid", "true")
    visitor.faults.clear()  # chromium complains of the 400 that was wanted
    limit.fill("0")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.get_by_role("status").first).to_contain_text("New rule browser: Apparent power >= 0 VA")
    headline = page.locator(".headline")
    deadline = monotonic() + PATIENCE / 1000
    while headline.inner_text() != "Open alerts: 1" and monotonic() < deadline:  # the store looks at the next reading
        page.reload()
    expect(headline).to_have_text("Open alerts: 1")
    assert visitor.axe() == []
    page.get_by_role("link", name="Delete browser").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("status").first).to_contain_text("The rule browser is deleted.")
    expect(headline).to_have_text("No alert is open")
