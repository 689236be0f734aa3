"""The list of meters, groups and their pages, as somebody uses them."""

from __future__ import annotations

import pytest
from playwright.sync_api import ViewportSize

from tests.browser.conftest import DESKTOP, PHONE, Theme, Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "theme", "language"), [(PHONE, "dark", "fr"), (DESKTOP, "light", "en")])
def test_a_meter_is_put_into_a_group_and_the_groups_page_tells_of_it(
    visit: Visit, size: ViewportSize, theme: Theme, language: str
) -> None:
    visitor = visit(size=size, theme=theme, language=language)
    page = visitor.open("/settings/groups/")
    name = f"House {language}"
    page.fill("input[name=name]", name)
    page.click("section:last-of-type form button[type=submit]")
    page.wait_for_load_state()
    assert (visitor.axe(), visitor.fits()) == ([], True)
    page = visitor.open("/meters/")
    assert (visitor.axe(), visitor.fits()) == ([], True)
    page.check("input[name=meter]")
    page.select_option("#target", label=name)
    page.click("#assign-title ~ .choices button:not(.quiet)")
    page.wait_for_load_state()
    page.click(f".chips a:has-text('{name}')")
    page.wait_for_selector(".total")
    assert page.inner_text("h1") == name
    assert page.inner_text(".total").endswith("VA")
    assert page.locator("tbody tr").count() == 1
    assert (visitor.axe(), visitor.fits()) == ([], True)
