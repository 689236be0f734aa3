"""The dashboards and blueprints that we ship, in a real Home Assistant: drawn by a browser, started by a meter."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bridge.simulated.contract import INDEXES, Contract, colour
from bridge.simulated.household import Household
from bridge.simulated.plan import Plan, read_clock, read_plan
from bridge.tic.catalogue import TEMPO_COLOURS, Mode
from bridge.tic.values import PARIS
from tests.real_homeassistant.browser import Browser
from tests.real_homeassistant.conftest import House
from tests.real_homeassistant.home import DASHBOARDS, wait_until
from tests.real_homeassistant.meters import SIMULATED, Line, meter_of

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]

ROOM: Final = Path(__file__).resolve().parents[2] / "homeassistant"
KINDS: Final = ("live", "energy", "tempo", "line_quality")
_ENTITY: Final = re.compile(r"\b([a-z_]+\.linky_)(\w+)")
FIRST: Final = next(iter(SIMULATED))  # the meter whose entities have the ids that stand in the files


# --- dashboards ----------------------------------------------------------------------------------


def contract_of(name: str) -> tuple[Contract, Mode]:
    plan = read_plan(SIMULATED[name].removeprefix("sim:"))[0]
    return plan.contract, plan.mode


def promised(kind: str, name: str) -> set[str]:
    """What a dashboard shows at first sight, of the meter of a contract that it is made for: enabled, with a value."""
    contract, mode = contract_of(name)
    period = "ptec" if mode is Mode.HISTORIQUE else "ltarf"
    tariffs = len(INDEXES[contract])
    indexes = {f"easf{number:02}" for number in range(1, tariffs + 1)} if tariffs > 1 else set[str]()
    colours = {"tempo_today", "tempo_tomorrow"}
    return {
        "live": {"sinsts", "over_power", period} | (colours if contract is Contract.TEMPO else set()),
        "energy": {"east", period} | indexes,
        "tempo": {*colours, period} | indexes if contract is Contract.TEMPO else set[str](),
        "line_quality": {"connected"},
    }[kind]


def in_file(kind: str) -> set[str]:
    """The entities that a dashboard names, by the end of their ids."""
    return {end for _, end in _ENTITY.findall((ROOM / "dashboards" / f"{kind}.yaml").read_text())}


@pytest.fixture(scope="module")
def browser(settled: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("there is no chromium: `make test-ha` installs it")
    running = Browser(tmp_path_factory.mktemp("browser"), settled.home, program)
    yield running
    running.close()


@pytest.mark.parametrize("path", DASHBOARDS)
def test_home_assistant_reads_a_dashboard_as_we_wrote_it(settled: House, path: str) -> None:
    told = settled.home.call("lovelace/config", url_path=path, force=True)
    assert told == yaml.safe_load((ROOM / "dashboards" / DASHBOARDS[path]).read_text())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SIMULATED)
def test_a_dashboard_finds_its_entities(settled: House, name: str, kind: str) -> None:
    """Whatever the meter announces has the id that the file names, and what is promised is on and known."""
    meter = meter_of(SIMULATED[name])
    alias = "" if name == FIRST else f"{meter[-4:]}_"
    registered, shown = settled.home.entities(meter), settled.home.shown(meter)
    named = in_file(kind) & set(registered)
    assert {key: registered[key]["entity_id"].partition(".")[2] for key in named} == {
        key: f"linky_{alias}{key}" for key in named
    }
    wanted = promised(kind, name)
    assert wanted <= in_file(kind)
    # The colour of tomorrow is not known in the daytime.
    without = {key: shown.get(key, "(disabled)") for key in wanted if key != "tempo_tomorrow"}
    assert {k: text for k, text in without.items() if text in ("unknown", "unavailable", "(none)", "(disabled)")} == {}


def words(kind: str, language: str = "") -> list[str]:
    """What a dashboard says of every meter: the heading of its first column, and the bridge's name."""
    [view] = yaml.safe_load((ROOM / "dashboards" / f"{kind}{language}.yaml").read_text())["views"]
    heading = view["sections"][0]["cards"][0]["heading"]
    return [heading, "ticbridge simulated"] if kind == "line_quality" else [heading]


@pytest.mark.parametrize("path", DASHBOARDS)
def test_a_browser_draws_every_dashboard(settled: House, browser: Browser, path: str) -> None:
    kind, _, language = DASHBOARDS[path].removesuffix(".yaml").partition(".")
    page = browser.shown(f"/{path}", *words(kind, language and f".{language}"))
    browser.picture(settled.folder / f"{path}.png")
    assert page.wrong == []


def test_a_card_that_cannot_be_drawn_would_be_seen(settled: House, browser: Browser) -> None:
    settled.home.call("lovelace/dashboards/create", url_path="wrong-cards", title="wrong", mode="storage")
    cards = [{"type": "heading", "heading": "Here"}, {"type": "no-such-card"}, {"type": "tile"}]
    view = {"title": "wrong", "type": "sections", "sections": [{"type": "grid", "cards": cards}]}
    settled.home.call("lovelace/config/save", url_path="wrong-cards", config={"views": [view]})
    assert len(browser.shown("/wrong-cards", "Here").wrong) == 2


SEEN: Final = (
    "tempo?mode=historique&phases=1",
    "tempo?mode=standard&phases=3",
    "ejp?mode=historique&phases=1",
    "ejp?mode=standard&phases=1",
    "hchp?mode=standard&phases=3",
    "producer?mode=standard&phases=1",
)


@pytest.mark.parametrize("name", SEEN)
def test_a_browser_draws_them_for_a_second_meter(settled: House, browser: Browser, name: str) -> None:
    """With its ids put in the files, pasted into the editor of a new dashboard, as the how-to says."""
    meter = meter_of(SIMULATED[name])
    path = f"linky-{meter[-4:]}"
    views = []
    for kind in KINDS:
        text = (ROOM / "dashboards" / f"{kind}.yaml").read_text()
        views += yaml.safe_load(_ENTITY.sub(rf"\g<1>{meter[-4:]}_\g<2>", text))["views"]
    settled.home.call("lovelace/dashboards/create", url_path=path, title=path, mode="storage", show_in_sidebar=True)
    settled.home.call("lovelace/config/save", url_path=path, config={"title": path, "views": views})
    registered, states = settled.home.entities(meter), settled.home.states()
    for kind, view in zip(KINDS, views, strict=True):
        ids = [registered[key]["entity_id"] for key in promised(kind, name) & in_entity_cards(kind)]
        names = [states[each]["attributes"]["friendly_name"] for each in ids]
        page = browser.shown(f"/{path}/{view['path']}", *words(kind), *names)
        browser.picture(settled.folder / f"{path}-{kind}.png")
        assert page.wrong == [], kind


def in_entity_cards(kind: str) -> set[str]:
    """What a card shows by its own name."""
    sections = yaml.safe_load((ROOM / "dashboards" / f"{kind}.yaml").read_text())["views"][0]["sections"]
    cards = [card for section in sections for card in section["cards"]]
    ids = [each for card in cards if card["type"] == "entity-filter" for each in card["entities"]]
    ids += [card["entity"] for card in cards if card["type"] in ("tile", "gauge") and "name" not in card]
    return {each.partition(".linky_")[2] for each in ids if isinstance(each, str)}


# --- blueprints ----------------------------------------------------------------------------------


class Kettle(Household):
    """A household that draws what a test says."""

    draw = 500.0  # W, on each of them: a test has one

    def watts(self, at: datetime) -> tuple[float, float, float]:
        del at
        return Kettle.draw, 0.0, 0.0


class KettlePlan(Plan):
    """Its contract."""

    @property
    def household(self) -> Household:
        return Kettle(self.seed)


def red_eve(seed: int) -> datetime:
    """Ten minutes before the meter knows that the next day is red: its mobile peak, then its colour."""
    days = (datetime(2026, 1, 5, 16, 50, tzinfo=PARIS) + timedelta(days=n) for n in range(90))
    return next(at for at in days if colour(at.date() + timedelta(days=1), seed) == TEMPO_COLOURS[2])


OFF_PEAK: Final = Plan(Contract.HCHP, seed=401, start=read_clock("2026-01-15T21:50"))
RED: Final = Plan(Contract.TEMPO, seed=402, start=red_eve(402))
BREAKER: Final = KettlePlan(Contract.BASE, seed=403)


@dataclass(frozen=True, slots=True)
class Homestead:
    """Three meters under a test's hand, and the ids of their entities."""

    house: House
    lines: dict[str, Line]

    def entity(self, plan: Plan, key: str) -> str:
        entity_id: str = self.house.home.entities(plan.meter_id)[key]["entity_id"]
        return entity_id

    def state(self, entity_id: str) -> str:
        return str(self.house.home.states().get(entity_id, {"state": "(none)"})["state"])

    def becomes(self, entity_id: str, wanted: str, seconds: float = 60.0) -> None:
        wait_until(
            lambda: self.state(entity_id) == wanted, seconds, f"{entity_id} is {wanted}",
            instead=lambda: self.state(entity_id),
        )  # fmt: skip

    def toggle(self, name: str) -> str:
        """A helper that stands for an appliance."""
        made = self.house.home.call("input_boolean/create", name=name)
        self.becomes(f"input_boolean.{made['id']}", "off")
        return f"input_boolean.{made['id']}"

    def switch(self, entity_id: str, service: str) -> None:
        self.house.home.call("call_service", domain="input_boolean", service=service, target={"entity_id": entity_id})


@pytest.fixture(scope="module")
def homestead(settled: House) -> Iterator[Homestead]:
    plans = (OFF_PEAK, RED, BREAKER)
    lines = {plan.meter_id: Line(plan) for plan in plans}
    program = settled.bridge("ready", [{"source": line.source} for line in lines.values()])
    wait_until(lambda: all(settled.home.entities(plan.meter_id) for plan in plans), 60, "the meters are announced")
    wait_until(
        lambda: all(settled.home.shown(plan.meter_id)["connected"] == "on" for plan in plans), 60, "they are read"
    )
    yield Homestead(settled, lines)
    program.stop()
    for line in lines.values():
        line.close()


def test_the_three_blueprints_are_found(settled: House) -> None:
    found = settled.home.call("blueprint/list", domain="automation")
    ours = {path: about for path, about in found.items() if path.startswith("ticbridge/")}
    assert {path: set(about) for path, about in ours.items()} == {
        f"ticbridge/{name}.yaml": {"metadata"} for name in ("off_peak_load", "shed_load", "tempo_tomorrow")
    }


def test_their_defaults_make_automations(settled: House) -> None:
    """Of a single meter, with what must be said and nothing else."""
    home = settled.home
    required: dict[str, dict[str, Any]] = {
        "off_peak_load": {"load": {"entity_id": "input_boolean.nothing"}},
        "shed_load": {"loads": []},
        "tempo_tomorrow": {},
    }
    made = {name: home.automate(f"default_{name}", name, **inputs) for name, inputs in required.items()}
    states = home.states()
    assert {name: states[entity]["state"] for name, entity in made.items()} == dict.fromkeys(required, "on")


def test_the_boiler_runs_in_off_peak_hours(homestead: Homestead) -> None:
    home, line = homestead.house.home, homestead.lines[OFF_PEAK.meter_id]
    boiler, period = homestead.toggle("boiler"), homestead.entity(OFF_PEAK, "ltarf")
    homestead.becomes(period, "HEURE PLEINE")
    automation = home.automate("boiler", "off_peak_load", load={"entity_id": boiler}, period=period)
    homestead.becomes(automation, "on")
    line.skip(timedelta(minutes=20))
    homestead.becomes(boiler, "on")
    assert homestead.state(period) == "HEURE CREUSE"
    line.skip(timedelta(hours=8))
    homestead.becomes(boiler, "off")
    assert homestead.state(period) == "HEURE PLEINE"


def test_a_red_day_is_told_once(homestead: Homestead) -> None:
    home, line = homestead.house.home, homestead.lines[RED.meter_id]
    tomorrow = f"sensor.linky_{RED.meter_id[-4:]}_tempo_tomorrow"
    assert homestead.state(tomorrow) in ("(none)", "unknown")
    automation = home.automate("red", "tempo_tomorrow", tomorrow=tomorrow)
    homestead.becomes(automation, "on")
    assert told(homestead) == []
    line.skip(timedelta(minutes=20))
    homestead.becomes(tomorrow, "rouge")
    wait_until(lambda: told(homestead), 30, "a notification")
    assert told(homestead) == ["Demain : rouge / Tomorrow: rouge"]


def told(homestead: Homestead) -> list[str]:
    found = homestead.house.home.call("persistent_notification/get")
    return [each["message"] for each in found if each["notification_id"] == "linky_tempo_tomorrow"]


def test_loads_are_shed_before_the_breaker_opens_and_put_back(homestead: Homestead) -> None:
    """First by the power that is left, as after an installation; then by the time that is left, once it is enabled."""
    home, entities = homestead.house.home, homestead.house.home.entities(BREAKER.meter_id)
    heater, lamp, margin = (
        homestead.toggle("heater"),
        homestead.toggle("lamp"),
        homestead.entity(BREAKER, "breaker_margin"),
    )
    seconds = f"sensor.linky_{BREAKER.meter_id[-4:]}_breaker_seconds_to_trip"
    assert entities.get("breaker_seconds_to_trip", {"disabled_by": "integration"})["disabled_by"] == "integration"
    homestead.switch(heater, "turn_on")
    automation = home.automate(
        "shed", "shed_load", loads=[heater, lamp], seconds=seconds, margin=margin, restore_after=0.1
    )
    homestead.becomes(automation, "on")
    shed_and_put_back(homestead, heater, lamp)
    # Once announced, and enabled by its owner, the time decides.
    assert homestead.entity(BREAKER, "breaker_seconds_to_trip") == seconds
    home.call("config/entity_registry/update", entity_id=seconds, disabled_by=None)
    wait_until(lambda: homestead.state(seconds) not in ("(none)", "unavailable"), 120, f"{seconds} is there")
    shed_and_put_back(homestead, heater, lamp)


def shed_and_put_back(homestead: Homestead, heater: str, lamp: str) -> None:
    Kettle.draw = 19_000.0
    try:
        homestead.becomes(heater, "off", 120)
    finally:
        Kettle.draw = 500.0
    homestead.becomes(heater, "on", 120)
    assert homestead.state(lamp) == "off"  # which was not on
