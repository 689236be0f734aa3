"""What every page has around it, as a browser gets it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.storage.web.samples import METER, stored_meter


def page(client: Client, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_links_to_other_pages_keep_the_meter_that_was_chosen(browser: Client) -> None:
    stored_meter()
    second = stored_meter("042161000002")
    assert f'href="/?meter={second.meter_id}"' in page(browser, f"/?meter={second.meter_id}")
    assert 'class="pages"' in page(browser)
    assert f'href="/?meter={METER}" aria-current="page"><svg' not in page(browser)


def test_a_stranger_sees_no_navigation(db: None) -> None:
    assert 'class="pages"' not in page(Client(), "/login/")


@pytest.mark.parametrize(
    ("theme", "sheets"),
    [("system", ["(prefers-color-scheme: dark)"]), ("dark", ["all"]), ("light", []), ("<b>", None)],
)
def test_the_theme_is_remembered_in_this_browser(browser: Client, theme: str, sheets: list[str] | None) -> None:
    answer = browser.post("/theme/", {"theme": theme, "next": "/login/?next=/"})
    if sheets is None:
        assert (answer.status_code, "theme" in browser.cookies) == (400, False)
        return
    assert (answer.status_code, answer.headers["location"]) == (302, "/login/?next=/")
    found = [line for line in page(browser).splitlines() if "dark.css" in line]
    assert len(found) == len(sheets)
    assert all(f'media="{sheet}"' in line for sheet, line in zip(sheets, found, strict=True))


def test_the_switch_of_the_theme_leads_to_no_other_site(browser: Client) -> None:
    assert browser.post("/theme/", {"theme": "dark", "next": "https://elsewhere.example/"}).headers["location"] == "/"


def test_a_cookie_that_was_forged_changes_nothing(browser: Client) -> None:
    browser.cookies["theme"] = "'><script>"
    assert 'content="light dark"' in page(browser)
