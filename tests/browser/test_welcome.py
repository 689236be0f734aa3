"""The guided start in a real browser, with what the bridge knows of Home Assistant."""

from __future__ import annotations

import pytest
import yaml
from playwright.sync_api import expect

from tests.broker.conftest import announce_home_assistant
from tests.browser.conftest import PHONE, House, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_last_step_tells_when_home_assistant_was_there(visit: Visit, house: House) -> None:
    visitor = visit(size=PHONE, language="fr")
    announce_home_assistant(yaml.safe_load((house.folder / "config.yaml").read_text())["mqtt"]["port"])
    page = visitor.open("/welcome/?step=3")
    told = page.get_by_text("Home Assistant était là le")
    for _ in range(100):  # each takes as long as the page does; the bridge tells it within a second
        if told.is_visible():
            break
        page.reload()
    expect(told).to_be_visible()
    assert visitor.axe() == []
    assert visitor.fits()
