"""Every contract, in both modes: the entities are those meant, say what was published, and count for energy."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import pytest

from bridge.simulated.contract import INDEXES
from bridge.simulated.plan import read_plan
from bridge.tic.catalogue import BY_SLUG
from bridge.topics import UNKNOWN
from homeassistant.mapping import look
from tests.real_homeassistant.conftest import WEEKEND, House
from tests.real_homeassistant.home import wait_until
from tests.real_homeassistant.meters import SIMULATED, billed, meter_of

pytestmark = pytest.mark.real_homeassistant

_SIMULATED: Final = [pytest.param(meter_of(source), id=name) for name, source in SIMULATED.items()]
ALL: Final = pytest.mark.parametrize("meter", [*_SIMULATED, pytest.param(WEEKEND, id="three indexes")])
# The supplier indexes that were counted in are those of the contract; the simulated ones are never 0.
TARIFFS: Final = {meter_of(s): len(INDEXES[read_plan(s.removeprefix("sim:"))[0].contract]) for s in SIMULATED.values()}
TARIFFS[WEEKEND] = 3
_ABOUT_THE_INSTALLATION: Final = ("http", "homeassistant")


def as_shown(text: str, component: dict[str, Any]) -> str:
    """What Home Assistant makes of a payload."""
    if text == UNKNOWN:
        return "unknown"
    if component["platform"] == "binary_sensor":
        return {component.get("payload_on", "ON"): "on", component.get("payload_off", "OFF"): "off"}[text]
    return str(datetime.fromisoformat(text).timestamp()) if component.get("device_class") == "timestamp" else text


def said(state: str, device_class: str | None) -> str:
    """A state, in the form of `as_shown`: Home Assistant writes instants in UTC."""
    if device_class == "timestamp" and state not in ("unknown", "unavailable"):
        return str(datetime.fromisoformat(state).timestamp())
    return state


def different(house: House, meter: str) -> dict[str, tuple[str | None, str]]:
    """Enabled entities whose state is neither what was published before nor after it was asked for."""
    before, states, after = house.published(meter), house.home.shown(meter), house.published(meter)
    components = house.announced(meter)
    wrong = {}
    for key, state in states.items():
        component = components[key]
        if "state_topic" not in component or component["platform"] == "event":
            continue
        meant = [as_shown(texts[key], component) for texts in (before, after) if key in texts]
        if said(state, component.get("device_class")) not in meant:
            wrong[key] = (after.get(key), state)
    return wrong


@ALL
def test_every_field_that_is_published_is_announced(settled: House, meter: str) -> None:
    prefix = f"linky/{meter}/"
    fields = {topic.removeprefix(prefix) for topic in settled.ear.last() if topic.startswith(prefix)}
    components = settled.announced(meter)
    counted = {slug for slug in fields if slug in BY_SLUG}
    # An index that was always 0, and what was not known yet, are published and not announced.
    texts = {slug: settled.ear.last()[prefix + slug] for slug in counted}
    empty = {slug for slug in counted if texts[slug] == UNKNOWN or (BY_SLUG[slug].unit == "Wh" and texts[slug] == "0")}
    assert {BY_SLUG[slug].canonical for slug in counted - empty} <= set(components)


@ALL
def test_entities_are_those_of_the_catalogue(settled: House, meter: str) -> None:
    components = settled.announced(meter)
    registered = settled.home.entities(meter)
    assert set(registered) == set(components)
    seen, meant = {}, {}
    for key, component in components.items():
        entity, row = registered[key], BY_SLUG.get(key)
        abilities = entity["capabilities"] or {}
        seen[key] = (
            entity["entity_id"].partition(".")[0], entity["original_device_class"], abilities.get("state_class"),
            abilities.get("options"), entity["entity_category"], entity["disabled_by"], entity["original_name"],
        )  # fmt: skip
        shown = look(row) if row is not None else None
        meant[key] = (
            component["platform"],
            shown.device_class if shown else component.get("device_class"),
            shown.state_class if shown else component.get("state_class"),
            component.get("options"),
            ("diagnostic" if shown.diagnostic else None) if shown else component.get("entity_category"),
            None if component.get("enabled_by_default", True) else "integration",
            component["name"],
        )
    assert seen == meant


@ALL
def test_units_are_the_catalogues(settled: House, meter: str) -> None:
    states, registered = settled.home.states(), settled.home.entities(meter)
    units = {
        key: states[entity["entity_id"]]["attributes"].get("unit_of_measurement")
        for key, entity in registered.items()
        if entity["disabled_by"] is None and key in BY_SLUG
    }
    assert units == {key: BY_SLUG[key].unit or None for key in units}


@ALL
def test_states_are_what_was_published(settled: House, meter: str) -> None:
    wait_until(
        lambda: not different(settled, meter), 15, "states as published", instead=lambda: different(settled, meter)
    )


def test_two_meters_never_share_an_entity_id(settled: House) -> None:
    ids = [entity["entity_id"] for s in SIMULATED.values() for entity in settled.home.entities(meter_of(s)).values()]
    assert len(ids) == len(set(ids))
    first = settled.home.entities(meter_of(next(iter(SIMULATED.values()))))
    assert first["sinsts"]["entity_id"] == "sensor.linky_sinsts"


def test_devices_are_named_by_their_address(settled: House) -> None:
    devices = {d["serial_number"]: d for d in settled.home.devices() if d["serial_number"]}
    for source in SIMULATED.values():
        meter = meter_of(source)
        phases = "triphasé" if "phases=3" in source else "monophasé"
        assert (devices[meter]["manufacturer"], devices[meter]["model"]) == ("Landis+Gyr", f"Linky {phases}")


def test_nothing_is_to_be_repaired(settled: House) -> None:
    assert [issue for issue in settled.home.issues() if issue["domain"] not in _ABOUT_THE_INSTALLATION] == []


# --- energy --------------------------------------------------------------------------------------


def grid(drawn: str, injected: str | None, price: float) -> dict[str, Any]:
    """A connection to the grid, as the energy page saves it."""
    return {
        "type": "grid", "stat_energy_from": drawn, "stat_energy_to": injected, "cost_adjustment_day": 0,
        "stat_cost": None, "entity_energy_price": None, "number_energy_price": price,
        "stat_compensation": None, "entity_energy_price_export": None,
        "number_energy_price_export": 0.1 if injected else None,
    }  # fmt: skip


def energy_remarks(house: House, meter: str) -> tuple[list[str], Any]:
    """The indexes that were configured, and what Home Assistant has to say of them."""
    components, entities = house.announced(meter), house.home.entities(meter)
    drawn = billed(components)
    ids = [entities[key]["entity_id"] for key in drawn]
    injected = entities["eait"]["entity_id"] if "eait" in components else None
    wanted = {*ids, injected or ids[0]}
    # Five minutes at most until there are statistics; ten seconds until they are written.
    wait_until(
        lambda: len(house.home.statistics(sorted(wanted), house.began)) == len(wanted),
        330, f"statistics of {wanted}", step=3,
    )  # fmt: skip
    sources = [grid(entity, injected if n == 0 else None, 0.2 + n / 100) for n, entity in enumerate(ids)]
    house.home.call("energy/save_prefs", energy_sources=sources)
    return drawn, house.home.call("energy/validate")


@ALL
def test_the_indexes_make_an_energy_dashboard(settled: House, meter: str) -> None:
    drawn, remarks = energy_remarks(settled, meter)
    assert len(drawn) == TARIFFS[meter]
    assert [remark for part in remarks.values() for remark in part if remark] == []
