"""The pages, as a browser gets them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser
from time import monotonic

import pytest
from django.test import Client
from django.utils import timezone

from storage import queries
from tests.storage.web.conftest import Site
from tests.storage.web.samples import METER, envelope, historique, stored, stored_meter


class Cells(HTMLParser):
    """The texts of the places that the script may replace, and all attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._cell = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._cell = dict(attrs).get("data-cell") or ""

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.cells[self._cell] = self.cells.get(self._cell, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._cell = ""


def page(client: Client, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/curve/", "/live/", "/admin/storage/data/"])
def test_a_stranger_is_sent_to_the_login_page(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, "/login/?next=" in answer.headers["location"]) == (302, True)


def test_before_the_first_reading_the_page_says_what_to_look_at(browser: Client) -> None:
    shown = page(browser)
    assert "<h1>No reading yet</h1>" in shown
    assert "ticbridge store" in shown


def test_a_known_meter_without_readings_is_a_meter_without_readings(browser: Client) -> None:
    stored_meter()
    assert "No reading yet" in page(browser)


def test_the_numbers_are_there_without_a_script(browser: Client) -> None:
    stored(stored_meter(name="House"), timezone.now(), 1, sinsts=1200, east=7_000_000, ltarf="HC")
    shown = page(browser)
    cells = Cells(shown).cells
    assert {name: cells[name] for name in ("power", "tariff", "index")} == {
        "power": "1,200",
        "tariff": "Off-peak hours",
        "index": "7,000.0\N{NO-BREAK SPACE}kWh",
    }
    assert "House" in shown
    assert "Between 1,200\N{NO-BREAK SPACE}VA and" in shown


@pytest.mark.parametrize(("seconds", "state", "pill"), [(2, "live", "Live"), (42, "stale", "42 s ago")])
def test_old_numbers_say_how_old_they_are(browser: Client, seconds: int, state: str, pill: str) -> None:
    stored(stored_meter(), timezone.now() - timedelta(seconds=seconds + 0.2), 1, sinsts=1)
    shown = page(browser)
    assert f'data-state="{state}"' in shown
    assert re.search(r"data-pill-text>([^<]*)</span>", shown)[1].strip() == pill  # type: ignore[index]


def test_of_several_meters_one_is_chosen_by_its_number(browser: Client) -> None:
    stored(stored_meter("a", name="Barn"), timezone.now(), 1, sinsts=1)
    stored(stored_meter("b", name="House"), timezone.now(), 2, sinsts=2)
    assert [Cells(page(browser, path)).cells["power"] for path in ("/", "/?meter=b")] == ["1", "2"]


def test_a_meter_that_nobody_knows_is_said_to_be_unknown(browser: Client) -> None:
    answer = browser.get("/?meter=<b>")
    assert answer.status_code == 404
    assert "No meter &lt;b&gt; was ever heard here." in answer.content.decode()


def test_a_page_that_does_not_exist_says_so(browser: Client) -> None:
    answer = browser.get("/nowhere/")
    assert (answer.status_code, "There is nothing at this address." in answer.content.decode()) == (404, True)


def test_a_name_that_the_server_does_not_know_is_told_where_to_add_it(browser: Client) -> None:
    answer = browser.get("/", headers={"host": "raspberrypi.local"})
    assert (answer.status_code, "<code>web.hosts</code>" in answer.content.decode()) == (400, True)


def test_a_page_that_fails_says_where_to_look(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(queries, "meters", fail)
    browser.raise_request_exception = False
    answer = browser.get("/")
    assert (answer.status_code, "The cause is in the log" in answer.content.decode()) == (500, True)


def test_the_page_speaks_french(browser: Client) -> None:
    stored(stored_meter(), timezone.now(), 1, sinsts=1200, ltarf="HC")
    shown = browser.get("/", headers={"accept-language": "fr"}).content.decode()
    assert '<html lang="fr">' in shown
    assert Cells(shown).cells["tariff"] == "Heures creuses"


def test_the_language_can_be_chosen(browser: Client) -> None:
    answer = browser.post("/i18n/setlang/", {"language": "fr", "next": "/"}, follow=True)
    assert (answer.status_code, "Pas encore de relevé" in answer.content.decode()) == (200, True)


@pytest.mark.parametrize("path", ["/", "/?meter=x", "/nowhere/"])
def test_no_page_holds_a_script_or_a_style_of_its_own(browser: Client, path: str) -> None:
    stored(stored_meter(), timezone.now(), 1, sinsts=1200)
    answer = browser.get(path)
    shown = answer.content.decode()
    inline = re.findall(r"<style|<script(?![^>]*\b(?:src=|type=\"application/json\"))", shown)
    wrong = [(tag, name) for tag, name, _ in Cells(shown).attributes if name == "style" or name.startswith("on")]
    outside = [value for _, name, value in Cells(shown).attributes if name in ("src", "href") and "//" in (value or "")]
    assert (inline, wrong, outside) == ([], [], [])
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")


# --- live readings on the first page ---------------------------------------------------------------


def shown_by(site: Site, path: str = "/") -> str:
    async def scenario() -> str:
        async with site.get(path) as answer:
            return await answer.text()

    return asyncio.run(scenario())


def test_what_was_heard_live_is_newer_than_what_is_stored(site: Site) -> None:
    stored(stored_meter(), timezone.now(), 1, sinsts=1)
    site.hub.hear_reading(envelope(), monotonic())
    assert Cells(shown_by(site)).cells["power"] == "1,200"


def test_a_meter_that_is_not_stored_yet_is_shown_already(site: Site) -> None:
    site.hub.hear_reading(historique(), monotonic())
    shown = shown_by(site)
    assert Cells(shown).cells["power"] == "1,150"
    assert "Nothing of this meter is stored yet" in shown


def test_a_silent_meter_is_called_silent(site: Site) -> None:
    site.hub.hear_reading(envelope(), monotonic() - 100)
    site.hub.hear_status(METER, False)
    shown = shown_by(site)
    assert 'data-state="silent"' in shown
    assert "Meter silent · 1 min ago" in shown


# --- the chart's points ----------------------------------------------------------------------------


def test_the_chart_is_sent_as_json(browser: Client) -> None:
    stored(stored_meter(), timezone.now(), 1, sinsts=1200)
    found = browser.get(f"/curve/?meter={METER}&minutes=15").json()
    assert (found["low"], found["mean"], found["high"]) == ([1200], [1200], [1200])
    assert found["end"] - found["start"] in (899, 900)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("meter=nobody", "meter: expected the number of a known meter."),
        ("", "meter: expected the number of a known meter."),
        (f"meter={METER}&minutes=0", "minutes: expected a whole number from 1 to 1440."),
        (f"meter={METER}&minutes=1441", "minutes: expected a whole number from 1 to 1440."),
        (f"meter={METER}&minutes=-5", "minutes: expected a whole number from 1 to 1440."),
        (f"meter={METER}&minutes=%D9%A3", "minutes: expected a whole number from 1 to 1440."),
        (f"meter={METER}&minutes={'9' * 5000}", "minutes: expected a whole number from 1 to 1440."),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(browser: Client, query: str, sentence: str) -> None:
    stored_meter()
    answer = browser.get(f"/curve/?{query}")
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})


@pytest.mark.django_db
def test_everybody_gets_the_icon() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer.headers["location"]) == (301, "/static/storage/icon.svg")
