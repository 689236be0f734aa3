"""The dashboards and blueprints name entities that discovery announces, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.simulated.contract import TERMS
from bridge.tic.catalogue import FIELDS, Mode
from bridge.topics import Topics
from homeassistant.discovery import MeterFacts, Setting, meter_message

ROOM = Path(__file__).resolve().parents[2] / "homeassistant"
DASHBOARDS = sorted((ROOM / "dashboards").glob("*.yaml"))
BLUEPRINTS = sorted((ROOM / "blueprints" / "automation" / "ticbridge").glob("*.yaml"))
FRENCH = [path for path in DASHBOARDS if not path.name.endswith(".en.yaml")]
WORDS = {"title", "heading", "name", "content"}  # of a card: what a person reads
GRAPHS = {"history-graph", "statistics-graph"}


class Input(str):
    """What `!input` names."""

    __slots__ = ()


class Loader(yaml.SafeLoader):
    """YAML with Home Assistant's `!input`."""


Loader.add_constructor("!input", lambda loader, node: Input(node.value))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)


def announced() -> set[str]:
    """The entity ids of all that a meter can send, in each mode."""
    ids = set[str]()
    for mode in Mode:
        slugs = tuple(row.slug for row in FIELDS if row.mode in (mode, None))
        message = meter_message(
            Setting(topics=Topics("linky"), bridge_id="pi", version="1"),
            MeterFacts(meter="021861000001", name="Linky", mode=mode, slugs=slugs, phases=3),
        )
        ids |= {each["default_entity_id"] for each in json.loads(message.payload)["components"].values()}
    return ids


def parts(node: Any) -> Iterator[Any]:
    """A tree's nodes, itself first."""
    yield node
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from parts(child)


def inputs(about: dict[str, Any]) -> set[str]:
    """The names of a blueprint's inputs."""
    return set(about["blueprint"]["input"])


def wordless(node: Any) -> Any:
    """A dashboard without what a person reads."""
    if isinstance(node, dict):
        return {key: "" if key in WORDS else wordless(child) for key, child in node.items()}
    return [wordless(child) for child in node] if isinstance(node, list) else node


def test_there_is_one_dashboard_for_each_subject_and_language() -> None:
    assert [path.name for path in DASHBOARDS] == [
        f"{name}{language}.yaml" for name in ("energy", "line_quality", "live", "tempo") for language in (".en", "")
    ]


@pytest.mark.parametrize("path", [*DASHBOARDS, *BLUEPRINTS], ids=lambda path: path.name)
def test_every_entity_is_one_that_discovery_announces(path: Path) -> None:
    named = set(re.findall(r"\b[a-z_]+\.linky_\w+", path.read_text()))
    assert named, "a file without our entities would pass for nothing"
    assert named - announced() == set()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_has_only_cards_of_home_assistant(path: Path) -> None:
    cards = [part["type"] for part in parts(read(path)) if isinstance(part, dict) and "type" in part]
    assert {card for card in cards if card.startswith("custom:")} == set()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_card_whose_entity_a_meter_may_lack_is_hidden_then(path: Path) -> None:
    """Filters leave out what does not exist, graphs too if anything is left; any other card needs its condition."""
    for section in (section for view in read(path)["views"] for section in view["sections"]):
        for card in (card for card in section["cards"] if card["type"] != "entity-filter"):
            entities = [each["entity"] if isinstance(each, dict) else each for each in card.get("entities", [])]
            shown = {card["entity"]} if "entity" in card else set(entities)
            conditions = parts(card.get("visibility", []) + section.get("visibility", []))
            about = {each["entity"] for each in conditions if isinstance(each, dict) and "entity" in each}
            assert shown <= about or (card["type"] in GRAPHS and shown & about), card


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_no_condition_waits_for_an_entity_to_be_missing(path: Path) -> None:
    """Home Assistant takes a condition about what does not exist as not met, whatever it asks."""
    conditions = [part for part in parts(read(path)) if isinstance(part, dict) and part.get("condition") == "state"]
    assert [each for each in conditions if each.get("state") == "unavailable"] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_no_graph_stands_in_an_entity_filter(path: Path) -> None:
    """Home Assistant loads the code of a graph when it is first shown, and a filter does not wait for it: an error."""
    filters = [part for part in parts(read(path)) if isinstance(part, dict) and part.get("type") == "entity-filter"]
    assert [part for part in filters if part.get("card", {}).get("type") in GRAPHS] == []


@pytest.mark.parametrize("path", FRENCH, ids=lambda path: path.name)
def test_the_english_dashboard_is_the_french_one_in_other_words(path: Path) -> None:
    french, english = read(path), read(path.with_suffix(".en.yaml"))
    assert wordless(french) == wordless(english)
    assert french != english


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.name)
def test_every_input_of_a_blueprint_has_a_selector_and_is_used(path: Path) -> None:
    about = read(path)
    assert about["blueprint"]["domain"] == "automation"
    assert set(about["blueprint"]["homeassistant"]) == {"min_version"}
    for name, each in about["blueprint"]["input"].items():
        assert each["name"], name
        assert each["selector"], name
    body = {key: part for key, part in about.items() if key != "blueprint"}
    assert {str(part) for part in parts(body) if isinstance(part, Input)} == inputs(about)


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.name)
def test_a_template_knows_each_variable_that_it_names(path: Path) -> None:
    """An input is no variable of a template unless `variables` makes it one."""
    about = read(path)
    body = {key: part for key, part in about.items() if key != "blueprint"}
    templates = " ".join(part for part in parts(body) if isinstance(part, str) and "{{" in part)
    named = {name for name in inputs(about) if re.search(rf"\b{name}\b(?!['\"(])", templates)}
    assert named - set(about["variables"]) == set()


def test_what_a_blueprint_offers_as_a_colour_is_what_the_meter_says() -> None:
    [colours] = (row.words for row in FIELDS if row.slug == "tempo_tomorrow")
    about = read(ROOM / "blueprints" / "automation" / "ticbridge" / "tempo_tomorrow.yaml")
    assert about["blueprint"]["input"]["colours"]["selector"]["select"]["options"] == list((colours or {}).values())


def test_the_off_peak_periods_are_those_of_the_catalogue_and_of_the_simulated_contracts() -> None:
    [periods] = (row.words for row in FIELDS if row.slug == "ptec")
    said = {*(periods or {}).values(), *(label for terms in TERMS.values() for label in terms.labels)}
    about = read(ROOM / "blueprints" / "automation" / "ticbridge" / "off_peak_load.yaml")
    assert set(about["blueprint"]["input"]["off_peak"]["default"]) == {
        word for word in said if word and word.startswith(("HC", "HEURE CREUSE"))
    }
