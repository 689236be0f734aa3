"""The sheet of a meter, as a browser gets it."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from html import unescape
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from bridge.config import Settings
from bridge.envelope import Envelope
from bridge.tic.identity import identify
from storage.models import DeadLetter
from storage.web.breaker import breaker
from storage.web.identity import facts
from storage.web.line import Line
from storage.web.register import register
from storage.web.said import said_live, said_stored
from tests.storage.operations.samples import INFO
from tests.storage.web.conftest import Site
from tests.storage.web.samples import METER, STANDARD, envelope, historique, stored, stored_meter

STGE = {"stge": "01DA0401"}
SPACE = "\N{NO-BREAK SPACE}"


def text(page: str) -> str:
    """What is read of a page, blanks folded."""
    return unescape(re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", "", page)))


def page(client: Client, path: str = "/meter/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def live(site: Site, said: Envelope, path: str = "/meter/", **info: Any) -> str:
    """The page after a live reading, read by a bridge that says `info` of this meter."""
    site.hub.hear_reading(said, monotonic())
    about = INFO | {"meters": [INFO["meters"][0] | info]}
    site.fleet.hear("linky/bridge/pi/status", b"online")
    site.fleet.hear("linky/bridge/pi/info", json.dumps(about).encode())

    async def ask() -> str:
        async with site.get(path) as answer:
            assert answer.status == 200
            return await answer.text()

    return asyncio.run(ask())


def test_before_the_first_reading_it_says_so(browser: Client) -> None:
    assert "A meter has its sheet here" in page(browser)
    stored_meter()
    assert "A meter has its sheet here" in page(browser)
    assert browser.get("/meter/?meter=nobody").status_code == 404


def test_whoever_may_not_see_meters_is_refused(db: None) -> None:
    user = User.objects.create_user("guest")
    client = Client()
    client.force_login(user)
    assert client.get("/meter/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_meter"))
    assert client.get("/meter/").status_code == 200


def test_a_stored_meter_has_a_sheet_of_what_is_known(browser: Client) -> None:
    meter, now = stored_meter(name="House"), timezone.now()
    for seq in range(1, 4):
        stored(meter, now - timedelta(seconds=9 * seq), seq, sinsts=1200, east=7_000_000, irms1=None if seq == 2 else 5)
    DeadLetter.objects.create(topic=f"linky/{METER}/reading", body=b"", reason="no JSON")
    DeadLetter.objects.create(topic="linky/042161000009/reading", body=b"", reason="another meter's")
    shown = text(page(browser))
    assert "Nothing was heard of this meter since this page's program started." in shown
    assert "ManufacturerLandis+Gyr" in shown.replace(" ", "")
    assert f"1,200{SPACE}VA" in shown
    assert shown.count("all there") == 2
    assert "IRMS1" in shown
    assert "kept as they came: 1. The newest:" in shown
    assert "no JSON" in shown
    assert "another meter's" not in shown
    assert "None longer than five minutes." in shown
    assert "ticbridge capture linky.tic --seconds 60 --anonymise" in shown


def test_a_live_meter_says_all_and_its_bridge_how_the_line_is(site: Site) -> None:
    said = envelope(STANDARD | STGE, derived={"link_quality": 100, "frames_per_minute": 61, "breaker_margin": 4200})
    shown = live(site, said, source="/dev/my port", refused={"parity": 12})
    assert f'data-level="good">The line is good: 100{SPACE}% of the groups' in shown
    assert "<strong>Wrong parity</strong> a character was damaged on the way</th><td>12</td>" in shown
    assert 'data-value="plc" data-usual="Registered">Registered</dd>' in shown
    assert f'data-value="breaker_margin">4,200{SPACE}VA</dd>' in shown
    assert "ticbridge capture linky.tic --source &#x27;/dev/my port&#x27; --seconds 60 --anonymise" in shown
    assert "pi (ticbridge 1.0)" in shown


def test_the_search_works_without_a_script(site: Site) -> None:
    shown = live(site, envelope(), "/meter/?label=vOlTAGE")
    rows = re.findall(r'<tr data-row="(\w+)"( hidden)?>', shown)
    assert [key for key, hidden in rows if not hidden] == ["urms1", "overvoltage"]
    assert f"2 of {len(rows)} shown" in shown


def test_a_historique_meter_is_told_what_standard_would_tell(site: Site) -> None:
    shown = live(site, historique(), trouble="No signal on /dev/x", cause="silent")
    assert "In historical mode a meter sends none." in shown
    assert "Nothing arrives from the meter." in shown
    assert '<span lang="en">No signal on /dev/x</span>' in shown


def test_a_delivery_point_is_masked_everywhere(site: Site, settings: Any) -> None:
    said = envelope(STANDARD | {"prm": "12345678901234"})
    shown = live(site, said)
    assert "12345678901234" not in shown
    assert shown.count(f"{'•' * 10}1234") == 2
    settings.TICBRIDGE = Settings.model_validate({"publish": {"personal": True}})
    assert live(site, said).count("12345678901234") == 2


def test_only_what_is_unusual_stands_out() -> None:
    assert [part.key for part in register(said_live(envelope(STGE))) if part.is_odd] == []
    odd = {part.key: part.text for part in register(said_live(envelope({"stge": "000100D3"}))) if part.is_odd}
    assert odd == {
        "breaker": "Open: too much power drawn", "terminal_cover": "Yes", "overvoltage": "Yes", "over_power": "Yes",
        "clock_degraded": "Yes", "plc": "New, unlocked", "plc_synchronised": "No",
    }  # fmt: skip


@pytest.mark.parametrize("raw", [None, "what", "0000000G", 5, ""])
def test_what_is_no_register_has_no_parts(raw: Any) -> None:
    said = said_live(envelope(STANDARD))
    assert register(type(said)(said.at, said.zone, {"stge": raw}, {})) == ()


def test_the_breaker_opens_as_the_specification_says() -> None:
    found = breaker(said_live(envelope({"pcoup": 9, "pref": 9, "sinsts": 10})), identify(METER))
    assert found is not None
    assert (found.cutoff, found.level, found.per_phase, found.is_assumed) == (
        f"9{SPACE}kVA", f"11,700{SPACE}VA", False, False,
    )  # fmt: skip
    assert [tuple(step) for step in (found.steps[0], found.steps[-1])] == [
        (f"12,600{SPACE}VA", f"4.1{SPACE}min", f"2.6{SPACE}min"),
        (f"27,000{SPACE}VA", f"26{SPACE}s", f"11{SPACE}s"),
    ]


def test_on_three_phases_each_has_a_third() -> None:
    found = breaker(said_live(envelope({"pcoup": 18, "sinsts2": 1, "sinsts": 10})), None)
    assert found is not None
    assert (found.level, found.per_phase) == (f"7,800{SPACE}VA", True)


def test_a_linky_in_historique_is_assumed_to_open_at_what_is_subscribed() -> None:
    found = breaker(said_live(historique()), identify(METER))
    assert found is not None
    assert (found.cutoff, found.is_assumed) == (f"6{SPACE}kVA", True)


def test_an_older_meter_has_no_breaker_inside() -> None:
    assert breaker(said_live(historique()), identify("032028123456")) is None


@pytest.mark.parametrize(
    ("meter_id", "mode", "expected"),
    [
        ("032067123456", "standard", ["Itron (Schlumberger, Actaris)", "2020", "Linky of the pilot series (67)"]),
        ("992099123456", "historique", ["unknown to us (99)", "2020", "unknown to us (99)"]),
        ("barn", "historique", ["barn", "Historical mode", "1"]),
    ],
)
@pytest.mark.django_db
def test_an_address_is_read(meter_id: str, mode: str, expected: list[str]) -> None:
    said = said_stored(stored(stored_meter(meter_id), timezone.now(), 1, sinsts=1), mode, "Europe/Paris")
    found = facts(meter_id, identify(meter_id), said, mode, Line())
    assert [fact.text for fact in found][:3] == expected
    assert [fact.name for fact in found][-1] == ("PRM" if mode == "standard" else "Phases")
