"""The discovery payload is as strict as Home Assistant itself reads it (home-assistant.md sections 1 and 4)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from homeassistant.models import Component, DeviceMessage

SENSOR: dict[str, Any] = {
    "platform": "sensor",
    "unique_id": "linky_x_sinsts",
    "default_entity_id": "sensor.linky_sinsts",
    "name": "Puissance apparente",
    "state_topic": "linky/x/sinsts",
    "device_class": "apparent_power",
    "state_class": "measurement",
    "unit_of_measurement": "VA",
}
BINARY: dict[str, Any] = {
    "platform": "binary_sensor",
    "unique_id": "linky_x_over_power",
    "default_entity_id": "binary_sensor.linky_over_power",
    "name": "Dépassement",
    "state_topic": "linky/x/over_power",
    "device_class": "problem",
}
MESSAGE: dict[str, Any] = {
    "device": {"identifiers": ["linky_x"], "name": "Linky"},
    "origin": {"name": "ticbridge", "sw_version": "1"},
    "availability": [{"topic": "linky/bridge/pi/status"}],
    "components": {"sinsts": SENSOR, "over_power": BINARY},
}


def test_a_payload_that_home_assistant_accepts_is_accepted() -> None:
    message = DeviceMessage.model_validate(MESSAGE)
    assert message.model_dump(exclude_unset=True) == MESSAGE
    assert (message.availability_mode, message.qos) == ("all", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"~": "linky/x"},  # one unknown key at the root loses the whole message
        {"suggested_area": "Garage"},
        {"origin": None},
        {"origin": {"sw_version": "1"}},
        {"origin": {"name": "ticbridge", "sw_version": "1", "support_url": "example.org"}},
        {"device": {"identifiers": [], "name": "Linky"}},
        {"device": {"identifiers": ["linky_x"], "name": "Linky", "suggested_area": "Garage"}},
        {"device": {"identifiers": ["linky_x"], "name": "Linky", "configuration_url": "raspberry:8000"}},
        {"availability": []},
        {"availability_mode": "latest"},
        {"components": {"sin.sts": SENSOR}},
        {"components": {"sinsts": SENSOR, "papp": SENSOR}},  # the same unique_id twice
    ],
)
def test_what_would_lose_the_whole_message_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DeviceMessage.model_validate({**MESSAGE, **change})


UNITS: dict[str, list[str | None]] = {
    "apparent_power": ["VA", "kVA"],
    "power": ["W"],
    "energy": ["Wh", "kWh"],
    "reactive_energy": ["varh", "kvarh"],
    "current": ["A"],
    "voltage": ["V"],
    "duration": ["min", "s"],
    "timestamp": [None],
}
STATES: dict[str | None, list[str]] = {
    "apparent_power": ["measurement"],
    "power": ["measurement"],
    "energy": ["total_increasing", "total"],
    "reactive_energy": ["total_increasing", "total"],
    "current": ["measurement"],
    "voltage": ["measurement"],
    "duration": ["measurement", "total", "total_increasing"],
    "timestamp": [],
    None: ["measurement", "total_increasing"],
}


def accepted(**change: Any) -> bool:
    try:
        Component.model_validate({**SENSOR, **change})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("device_class", UNITS)
def test_a_class_takes_its_units_and_no_other(device_class: str) -> None:
    units: list[str | None] = [None, "VA", "kVA", "W", "Wh", "kWh", "varh", "VArh", "kvarh", "A", "V", "min", "s", "%"]
    assert [
        unit for unit in units if accepted(device_class=device_class, unit_of_measurement=unit, state_class=None)
    ] == [unit for unit in units if unit in UNITS[device_class]]


@pytest.mark.parametrize("device_class", STATES)
def test_a_class_takes_its_state_classes_and_no_other(device_class: str | None) -> None:
    unit = UNITS.get(device_class or "", [None])[0]
    states = ["measurement", "total", "total_increasing", "measurement_angle"]
    assert [
        state for state in states if accepted(device_class=device_class, unit_of_measurement=unit, state_class=state)
    ] == [state for state in states if state in STATES[device_class]]


ENUM = {**SENSOR, "device_class": "enum", "unit_of_measurement": None, "state_class": None}


def test_words_are_an_enum_with_options() -> None:
    assert Component.model_validate({**ENUM, "options": ["bleu", "blanc"]}).options == ["bleu", "blanc"]


@pytest.mark.parametrize(
    "wrong",
    [
        ENUM,  # without options
        {**ENUM, "options": ["bleu"], "state_class": "measurement"},
        {**ENUM, "options": ["bleu"], "unit_of_measurement": "A"},
        {**SENSOR, "options": ["bleu"]},
        {**SENSOR, "device_class": "apparent_powr"},
        {**SENSOR, "entity_category": "config"},
        {**SENSOR, "icon": "flash"},
        {**SENSOR, "platform": "sensr"},
        {**SENSOR, "object_id": "linky_sinsts"},
        {**SENSOR, "unique_id": "linky.x"},
        {**SENSOR, "default_entity_id": "linky_sinsts"},
        {**SENSOR, "default_entity_id": "binary_sensor.linky_sinsts"},
        {**SENSOR, "default_entity_id": "sensor.linky_ve-2_sinsts"},
        {key: value for key, value in SENSOR.items() if key != "unique_id"},
        {**BINARY, "default_entity_id": "sensor.linky_over_power"},
        {**BINARY, "unit_of_measurement": "A"},
        {**BINARY, "state_class": "measurement"},
        {**BINARY, "options": ["ON"]},
        {**BINARY, "device_class": "energy"},
    ],
)
def test_what_would_lose_a_component_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Component.model_validate(wrong)


EVENT: dict[str, Any] = {
    "platform": "event",
    "unique_id": "linky_x_event",
    "default_entity_id": "event.linky_event",
    "name": "Événement",
    "state_topic": "linky/x/event",
    "event_types": ["tariff_change"],
}


def test_event_types_are_an_events_and_it_has_some() -> None:
    assert Component.model_validate(EVENT).model_dump(exclude_unset=True) == EVENT
    for wrong in (EVENT | {"event_types": None}, SENSOR | {"event_types": ["x"]}, EVENT | {"state_class": "total"}):
        with pytest.raises(ValidationError):
            Component.model_validate(wrong)


def test_a_fact_needs_no_class() -> None:
    assert Component.model_validate({**BINARY, "device_class": None}).device_class is None
