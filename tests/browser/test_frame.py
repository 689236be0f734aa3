"""What every page has: the way to the others, light and dark, both languages; for everybody, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from storage.web.frame import PAGES
from tests.browser.conftest import DESKTOP, PHONE, House, Theme, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = [page.name for page in PAGES]
IMAGES = Path(__file__).parents[2] / "docs/images/pages"


def path_of(name: str) -> str:
    return "/" if name == "now" else f"/{name}/"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("size", "theme", "language"), [(PHONE, "light", "fr"), (DESKTOP, "dark", "en")])
def test_a_page_is_for_everybody(
    visit: Visit, house: House, name: str, size: ViewportSize, theme: Theme, language: str
) -> None:
    visitor = visit(size=size, theme=theme, language=language)
    visitor.open(path_of(name))
    assert visitor.axe() == []
    assert visitor.fits()
    assert visitor.page.locator("html").get_attribute("lang") == language


@pytest.mark.screenshots
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_each_look_of_a_page_and_its_picture(
    visit: Visit, name: str, size: ViewportSize, theme: Theme, language: str
) -> None:
    """All looks; those in English and French are kept in the docs."""
    visitor = visit(size=size, theme=theme, language=language)
    page = visitor.open(path_of(name))
    assert visitor.axe() == []
    assert visitor.fits()
    look = "phone" if size is PHONE else "desktop"
    if size is PHONE:  # a second screen of it, too
        page.set_viewport_size(ViewportSize(width=size["width"], height=2 * size["height"]))
    page.screenshot(path=IMAGES / f"{name}-{look}-{theme}.{language}.png")


def test_the_theme_that_was_chosen_stays(visit: Visit) -> None:
    page = visit(theme="light").open("/")
    lit = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    page.goto("/")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (lit, dark) == ("rgb(243, 245, 247)", "rgb(14, 21, 27)")
    assert page.locator("[name=theme][value=dark]").get_attribute("aria-current") == "true"


def test_it_can_be_installed(visit: Visit) -> None:
    page = visit().open("/")
    manifest = page.evaluate("fetch(document.querySelector('[rel=manifest]').href).then(answer => answer.json())")
    icons = [page.request.get(f"/static/storage/{icon['src']}") for icon in manifest["icons"]]
    assert {icon.status for icon in icons} == {200}
    assert [icon.headers["content-type"] for icon in icons] == ["image/svg+xml", "image/png", "image/png"]
    assert (
        page.request.get("/static/storage/ticbridge.webmanifest")
        .headers["content-type"]
        .startswith("application/manifest+json")
    )
