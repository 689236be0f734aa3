"""Catalogue and settings to the discovery message of a meter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.events import KINDS
from bridge.tic.catalogue import BY_LABEL, BY_SLUG, FIELDS, Mode
from bridge.topics import ENTITIES, Topics
from homeassistant.discovery import MeterFacts, Setting, bridge_message, meter_message, mistakes, topic
from homeassistant.models import DeviceMessage
from tests.bridge.wire import METER

FRENCH = Setting(topics=Topics("linky"), bridge_id="pi", version="1.2.3")
ENGLISH = Setting(topics=Topics("linky"), bridge_id="pi", version="1.2.3", language="en")


def facts(*slugs: str, mode: Mode = Mode.STANDARD, **others: Any) -> MeterFacts:
    return MeterFacts(meter=METER, name="Linky", mode=mode, slugs=slugs, **others)


def announced(setting: Setting, facts: MeterFacts) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(meter_message(setting, facts).payload)
    return body


def components(setting: Setting, facts: MeterFacts) -> dict[str, dict[str, Any]]:
    """Those of the fields, without those that every meter has."""
    told: dict[str, dict[str, Any]] = announced(setting, facts)["components"]
    return {key: component for key, component in told.items() if key not in ENTITIES}


def test_a_small_meter_whole() -> None:
    setting = Setting(
        topics=Topics("maison"),
        bridge_id="pi",
        version="1.2.3",
        prefix="ha",
        language="fr",
        url="https://linky.example.org/",
    )
    small = facts("smaxsn", "sinsts", "tempo_today", "over_power", "stge", address=METER, tic_version="02")
    message = meter_message(setting, small)
    assert (message.topic, message.retain, message.qos) == (f"ha/device/linky_{METER}/config", True, 1)
    assert json.loads(message.payload) == {
        "device": {
            "identifiers": [f"linky_{METER}"],
            "name": "Linky",
            "manufacturer": "Sagemcom",
            "model": "Linky monophasé",
            "model_id": "61",
            "serial_number": METER,
            "sw_version": "TIC 02",
            "hw_version": "G3",
            "configuration_url": "https://linky.example.org/",
            "via_device": "linky_bridge_pi",
        },
        "origin": {"name": "ticbridge", "sw_version": "1.2.3"},
        "availability": [{"topic": "maison/bridge/pi/status"}, {"topic": f"maison/{METER}/status"}],
        "availability_mode": "all",
        "qos": 1,
        "components": {
            "connected": {
                "platform": "binary_sensor",
                "unique_id": f"linky_{METER}_connected",
                "default_entity_id": "binary_sensor.linky_connected",
                "name": "Connecté",
                "state_topic": f"maison/{METER}/status",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "enabled_by_default": True,
                "payload_on": "online",
                "payload_off": "offline",
                "availability": [{"topic": "maison/bridge/pi/status"}],
            },
            "event": {
                "platform": "event",
                "unique_id": f"linky_{METER}_event",
                "default_entity_id": "event.linky_event",
                "name": "Événement",
                "state_topic": f"maison/{METER}/event",
                "enabled_by_default": True,
                "icon": "mdi:bell-ring-outline",
                "event_types": list(KINDS),
            },
            "sinsts": {
                "platform": "sensor",
                "unique_id": f"linky_{METER}_sinsts",
                "default_entity_id": "sensor.linky_sinsts",
                "name": "Puissance apparente",
                "state_topic": f"maison/{METER}/sinsts",
                "device_class": "apparent_power",
                "state_class": "measurement",
                "unit_of_measurement": "VA",
                "enabled_by_default": True,
                "suggested_display_precision": 0,
            },
            "smaxsn": {
                "platform": "sensor",
                "unique_id": f"linky_{METER}_smaxsn",
                "default_entity_id": "sensor.linky_smaxsn",
                "name": "Puissance maximale du jour",
                "state_topic": f"maison/{METER}/smaxsn",
                "device_class": "apparent_power",
                "unit_of_measurement": "VA",
                "enabled_by_default": True,
                "suggested_display_precision": 0,
                "json_attributes_topic": f"maison/{METER}/smaxsn/attributes",
            },
            "stge": {
                "platform": "sensor",
                "unique_id": f"linky_{METER}_stge",
                "default_entity_id": "sensor.linky_stge",
                "name": "Registre de statuts",
                "state_topic": f"maison/{METER}/stge",
                "entity_category": "diagnostic",
                "enabled_by_default": False,
                "icon": "mdi:state-machine",
            },
            "over_power": {
                "platform": "binary_sensor",
                "unique_id": f"linky_{METER}_over_power",
                "default_entity_id": "binary_sensor.linky_over_power",
                "name": "Dépassement de la puissance souscrite",
                "state_topic": f"maison/{METER}/over_power",
                "device_class": "problem",
                "enabled_by_default": True,
            },
            "tempo_today": {
                "platform": "sensor",
                "unique_id": f"linky_{METER}_tempo_today",
                "default_entity_id": "sensor.linky_tempo_today",
                "name": "Couleur Tempo du jour",
                "state_topic": f"maison/{METER}/tempo_today",
                "device_class": "enum",
                "options": ["bleu", "blanc", "rouge"],
                "enabled_by_default": True,
                "icon": "mdi:calendar-star",
                "json_attributes_topic": f"maison/{METER}/tempo_today/attributes",
            },
        },
    }


@pytest.mark.parametrize("setting", [FRENCH, ENGLISH], ids=["fr", "en"])
@pytest.mark.parametrize("mode", Mode)
def test_everything_that_a_mode_can_say_is_accepted_by_the_strict_model(mode: Mode, setting: Setting) -> None:
    slugs = [row.slug for row in FIELDS if row.mode in (mode, None)]
    told = announced(setting, facts(*slugs, mode=mode))
    assert DeviceMessage.model_validate(told).model_dump(exclude_none=True) == told
    assert set(told["components"]) == {*ENTITIES, *(BY_SLUG[slug].canonical for slug in slugs)}


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.slug)
def test_every_row_becomes_a_component_in_both_languages(row: Any) -> None:
    mode = row.mode or Mode.STANDARD
    [french], [english] = (components(setting, facts(row.slug, mode=mode)).values() for setting in (FRENCH, ENGLISH))
    assert (french.pop("name"), english.pop("name")) == (row.fr, row.en)
    # nothing else depends on the language: entities keep their ids, automations their words
    assert french == english
    assert french["state_topic"] == f"linky/{METER}/{row.slug}"
    assert french["unique_id"] == f"linky_{METER}_{row.canonical}"
    assert french["default_entity_id"] == f"{french['platform']}.linky_{row.canonical}"


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("optarif", ["BASE", "HC", "EJP", "BBR"]),
        ("ptec", ["TH", "HC", "HP", "HN", "PM", "HCJB", "HCJW", "HCJR", "HPJB", "HPJW", "HPJR"]),
        ("demain", ["bleu", "blanc", "rouge"]),  # "not announced" reads as unknown
        ("tempo_tomorrow", ["bleu", "blanc", "rouge"]),
        ("peak", ["pm1", "pm2", "pm3"]),
        ("euridis", ["off", "open", "secured", "unknown"]),
    ],
)
def test_an_enum_has_every_word_that_the_field_can_say(slug: str, options: list[str]) -> None:
    [component] = components(FRENCH, facts(slug, mode=BY_SLUG[slug].mode or Mode.STANDARD)).values()
    assert (component["device_class"], component["options"]) == ("enum", options)


def test_the_meters_own_time_is_an_attribute_of_dated_values_only() -> None:
    dated = [row.slug for row in BY_LABEL[Mode.STANDARD].values() if row.dated]
    told = components(FRENCH, facts(*dated, "sinsts"))
    with_attributes = {key for key, component in told.items() if "json_attributes_topic" in component}
    assert with_attributes == set(told) - {"sinsts", "date", "dpm1", "fpm1", "dpm2", "fpm2", "dpm3", "fpm3"}


# --- the device ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "device"),
    [
        ({}, {"manufacturer": "Enedis", "model": "Linky monophasé"}),
        ({"phases": 3}, {"manufacturer": "Enedis", "model": "Linky triphasé"}),
        (
            {"address": "042176000001", "phases": 3},
            {
                "manufacturer": "Landis+Gyr",
                "model": "Linky triphasé",
                "model_id": "76",
                "serial_number": "042176000001",
                "hw_version": "G3",
            },
        ),
        # an older meter has no generation, an unknown one neither maker nor model
        (
            {"address": "040528000001"},
            {
                "manufacturer": "Landis+Gyr",
                "model": "CBEMM monophasé",
                "model_id": "28",
                "serial_number": "040528000001",
            },
        ),
        (
            {"address": "991899000001"},
            {"manufacturer": "Enedis", "model": "Linky monophasé", "model_id": "99", "serial_number": "991899000001"},
        ),
    ],
)
def test_the_device_is_what_its_address_tells(known: dict[str, Any], device: dict[str, Any]) -> None:
    told = announced(FRENCH, facts("sinsts", **known))["device"]
    whole = {"identifiers": [f"linky_{METER}"], "name": "Linky", "via_device": "linky_bridge_pi", **device}
    assert told == whole


def test_the_model_speaks_the_owners_language() -> None:
    told = [announced(ENGLISH, facts("sinsts", phases=phases))["device"]["model"] for phases in (1, 3)]
    assert told == ["Linky single-phase", "Linky three-phase"]


def test_a_device_is_announced_on_a_topic_of_its_own() -> None:
    assert topic(FRENCH, METER) == f"homeassistant/device/linky_{METER}/config"


def test_the_bridge_is_a_device_of_its_own() -> None:
    setting = Setting(topics=Topics("maison"), bridge_id="Pi-2", version="1.2.3", prefix="ha", language="en")
    message = bridge_message(setting)
    assert (message.topic, message.retain, message.qos) == ("ha/device/linky_bridge_Pi-2/config", True, 1)
    body = json.loads(message.payload)
    assert body["components"].keys() == {"connected", "version", "started", "spool_depth", "spool_dropped"}
    assert body == {
        "device": {
            "identifiers": ["linky_bridge_Pi-2"],
            "name": "ticbridge Pi-2",
            "manufacturer": "ticbridge",
            "model": "TIC to MQTT bridge",
            "sw_version": "1.2.3",
        },
        "origin": {"name": "ticbridge", "sw_version": "1.2.3"},
        "availability_mode": "all",
        "qos": 1,
        "components": {
            # without availability: when the bridge is gone, this says so
            "connected": {
                "platform": "binary_sensor",
                "unique_id": "linky_bridge_Pi-2_connected",
                "default_entity_id": "binary_sensor.ticbridge_pi_2_connected",
                "name": "Connected",
                "state_topic": "maison/bridge/Pi-2/status",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "enabled_by_default": True,
                "payload_on": "online",
                "payload_off": "offline",
            },
            "version": {
                "platform": "sensor",
                "unique_id": "linky_bridge_Pi-2_version",
                "default_entity_id": "sensor.ticbridge_pi_2_version",
                "name": "Version",
                "state_topic": "maison/bridge/Pi-2/info",
                "entity_category": "diagnostic",
                "enabled_by_default": False,
                "icon": "mdi:tag",
                "value_template": "{{ value_json.version }}",
            },
            "started": {
                "platform": "sensor",
                "unique_id": "linky_bridge_Pi-2_started",
                "default_entity_id": "sensor.ticbridge_pi_2_started",
                "name": "Started",
                "state_topic": "maison/bridge/Pi-2/info",
                "device_class": "timestamp",
                "entity_category": "diagnostic",
                "enabled_by_default": False,
                "value_template": "{{ value_json.started }}",
            },
            "spool_depth": {
                "platform": "sensor",
                "unique_id": "linky_bridge_Pi-2_spool_depth",
                "default_entity_id": "sensor.ticbridge_pi_2_spool_depth",
                "name": "Readings waiting",
                "state_topic": "maison/bridge/Pi-2/info",
                "entity_category": "diagnostic",
                "enabled_by_default": False,
                "icon": "mdi:tray-full",
                "value_template": "{{ value_json.spool.depth }}",
            },
            "spool_dropped": {
                "platform": "sensor",
                "unique_id": "linky_bridge_Pi-2_spool_dropped",
                "default_entity_id": "sensor.ticbridge_pi_2_spool_dropped",
                "name": "Readings lost",
                "state_topic": "maison/bridge/Pi-2/info",
                "entity_category": "diagnostic",
                "enabled_by_default": True,
                "icon": "mdi:tray-remove",
                "value_template": "{{ value_json.spool.dropped }}",
            },
        },
    }


# --- what the owner wants otherwise -----------------------------------------------------------------


def test_an_owner_renames_reclassifies_enables_and_removes() -> None:
    overrides: dict[str, Any] = {
        "east": {"name": "Total", "icon": "mdi:sigma", "enabled_by_default": False},
        "relay_1": {"device_class": "heat", "enabled_by_default": True},
        "msg1": None,
        "event": None,
        "sinsts1": {"name": "not sent by this meter"},
    }
    setting = Setting(topics=Topics("linky"), bridge_id="pi", version="1.2.3", overrides=overrides)
    meter = facts("base", "relay_1", "msg1", "sinsts", mode=Mode.HISTORIQUE)
    plain, told = announced(FRENCH, meter)["components"], announced(setting, meter)["components"]
    assert told == {
        "connected": plain["connected"],
        "event": {"platform": "event"},
        "east": {**plain["east"], **overrides["east"]},
        "sinsts": plain["sinsts"],
        "relay_1": {**plain["relay_1"], **overrides["relay_1"]},
        "msg1": {"platform": "sensor"},  # with nothing else it is removed; left out, it would stay
    }
    assert list(mistakes(setting)) == []


@pytest.mark.parametrize(
    ("key", "device_class", "expected"),
    [
        ("sinsts", "power", "apparent_power"),
        ("east", "apparent_power", "energy"),
        ("tempo_today", "date", "enum"),
        ("date", "enum", "timestamp"),
        ("ltarf", "power", "timestamp"),
        ("event", "heat", "button, doorbell, motion"),
    ],
)
def test_a_class_that_home_assistant_would_refuse_is_a_mistake(key: str, device_class: str, expected: str) -> None:
    overrides = {key: {"device_class": device_class}}
    setting = Setting(topics=Topics("linky"), bridge_id="pi", version="1.2.3", overrides=overrides)
    assert list(mistakes(setting)) == [(key, expected)]


# --- several meters, several modes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "entity"),
    [
        ("", "sensor.linky_sinsts"),
        ("0001", "sensor.linky_0001_sinsts"),
        ("ve-2", "sensor.linky_ve_2_sinsts"),
        ("Cave", "sensor.linky_cave_sinsts"),
    ],
)
def test_a_second_meters_entities_are_told_apart_by_its_alias(alias: str, entity: str) -> None:
    [component] = components(FRENCH, facts("sinsts", alias=alias)).values()
    # the unique id holds the whole address anyway
    assert (component["default_entity_id"], component["unique_id"]) == (entity, f"linky_{METER}_sinsts")


HISTORIQUE = ("adco", "papp", "iinst", "base", "hchc", "bbrhpjr", "ptec")
STANDARD = ("adsc", "sinsts", "irms1", "east", "easf01", "easf06", "ltarf")


SHARED = ("adsc", "sinsts", "irms1", "east", "easf01", "easf06")


def test_a_meter_that_changes_mode_keeps_its_entities() -> None:
    before = components(FRENCH, facts(*HISTORIQUE, mode=Mode.HISTORIQUE))
    after = components(FRENCH, facts(*HISTORIQUE, *STANDARD, mode=Mode.STANDARD))
    kept = ("unique_id", "default_entity_id", "platform", "device_class", "state_class", "unit_of_measurement")
    assert [[before[key].get(name) for name in kept] for key in SHARED] == [
        [after[key].get(name) for name in kept] for key in SHARED
    ]
    assert set(after) == {*SHARED, "ptec", "ltarf"}


@pytest.mark.parametrize(
    ("mode", "topics"),
    [
        (Mode.HISTORIQUE, ["adco", "papp", "iinst", "base", "hchc", "bbrhpjr"]),
        (Mode.STANDARD, ["adsc", "sinsts", "irms1", "east", "easf01", "easf06"]),
    ],
)
def test_an_entity_is_read_where_the_meter_now_speaks(mode: Mode, topics: list[str]) -> None:
    told = components(FRENCH, facts(*HISTORIQUE, *STANDARD, mode=mode))
    assert [told[key]["state_topic"] for key in SHARED] == [f"linky/{METER}/{slug}" for slug in topics]


def test_the_order_in_which_labels_were_seen_does_not_matter() -> None:
    forwards = meter_message(FRENCH, facts(*HISTORIQUE, *STANDARD))
    assert meter_message(FRENCH, facts(*reversed((*HISTORIQUE, *STANDARD)))) == forwards
