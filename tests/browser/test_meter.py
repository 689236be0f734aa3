"""The sheet of a meter, alive: values that change, a search, a line to copy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_labels_are_live_found_as_one_types_and_the_command_is_copied(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("/meter/")
    expect(page.locator(".verdict")).to_contain_text("The line is good")
    power = page.locator("[data-row=sinsts] td").last
    power.evaluate("cell => { cell.textContent = 'overwritten' }")
    expect(power).to_contain_text("VA", timeout=PATIENCE)  # the next reading that draws another power
    page.get_by_label("Find a label").fill("VOLTAGE")
    shown = page.locator("[data-rows] tr:visible")
    expect(shown.filter(has_text="URMS1")).to_have_count(1)
    expect(shown.filter(has_text="SINSTS")).to_have_count(0)
    page.get_by_label("Find a label").fill("")
    expect(page.locator("[data-found]")).to_contain_text(f"{page.locator('[data-rows] tr').count()} of")
    expect(power).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#capture").inner_text()
    assert copied.startswith("ticbridge capture linky.tic --source ")
