"""A file from the owner's disk, through a real browser and a real thread; and the forms of Settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, House, Visit
from tests.storage.exchange.enedis.samples import curve

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_file_is_looked_at_and_taken_in(visit: Visit, house: House, tmp_path: Path) -> None:
    file = tmp_path / "conso.csv"
    file.write_text("\n".join(curve("2024-01-01T00:00:00+01:00", [600] * 480)))
    visitor = visit(size=PHONE)
    page = visitor.open("/data/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The file was looked at: nothing is written yet")
    expect(page.get_by_text("240 would be new")).to_be_visible()
    assert visitor.axe() == []
    assert visitor.fits()
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The file was taken in")
    expect(page.get_by_text("240 new")).to_be_visible()


def test_a_backup_is_downloaded(visit: Visit, house: House) -> None:
    page = visit().open("/data/")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download a backup").click()
    assert re.fullmatch(r"ticbridge-[\d-]+\.sqlite3", waiting.value.suggested_filename)
    assert waiting.value.path().read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.parametrize("path", ["users/", "tokens/", "webhooks/new/", "configuration/", "password/"])
def test_each_form_is_for_everybody(visit: Visit, path: str) -> None:
    visitor = visit(size=PHONE, theme="dark", language="fr")
    visitor.open(f"/settings/{path}")
    assert visitor.axe() == []
    assert visitor.fits()
