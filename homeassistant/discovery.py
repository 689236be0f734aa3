"""Catalogue and settings to the discovery message of a meter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.tic.catalogue import BY_SLUG, Field, Mode, Quantity
from bridge.tic.identity import identify
from bridge.topics import Message, Topics
from homeassistant.mapping import Look, enabled, look
from homeassistant.models import Availability, Component, Device, DeviceMessage, Origin


@dataclass(frozen=True, slots=True)
class Setting:
    """What does not depend on the meter."""

    topics: Topics
    bridge_id: str
    version: str
    prefix: str = "homeassistant"
    language: str = "fr"
    url: str | None = None  # our own pages


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What is known of a meter. `alias` tells a second meter's entity ids from the first's."""

    meter: str
    name: str
    mode: Mode
    slugs: tuple[str, ...]
    phases: int = 1
    address: str | None = None
    tic_version: str | None = None
    alias: str = ""


def meter_message(setting: Setting, facts: MeterFacts) -> Message:
    """The retained message that describes a meter: only what it really sends."""
    topics = setting.topics
    rows = _rows(facts)
    on = enabled({row.canonical for row in rows})
    components = {row.canonical: _component(setting, facts, row, is_on=row.canonical in on) for row in rows}
    message = DeviceMessage(
        device=_device(setting, facts),
        origin=Origin(name="ticbridge", sw_version=setting.version),
        availability=[
            Availability(topic=topics.bridge(setting.bridge_id, "status")),
            Availability(topic=topics.meter(facts.meter, "status")),
        ],
        components=components,
    )
    return Message(topic(setting, facts.meter), message.model_dump_json(exclude_none=True), retain=True, qos=1)


def topic(setting: Setting, meter: str) -> str:
    """Where a meter is announced."""
    return f"{setting.prefix}/device/linky_{meter}/config"


def _rows(facts: MeterFacts) -> list[Field]:
    """The rows to announce, in the catalogue's order; of two that say the same, the one of the mode in force."""
    rows: dict[str, Field] = {}
    for slug in sorted(facts.slugs, key=list(BY_SLUG).index):
        row = BY_SLUG[slug]
        if row.canonical not in rows or row.mode is facts.mode:
            rows[row.canonical] = row
    return list(rows.values())


def _device(setting: Setting, facts: MeterFacts) -> Device:
    known = identify(facts.address) if facts.address else None
    phases = {"fr": ("monophasé", "triphasé"), "en": ("single-phase", "three-phase")}[setting.language]
    model = (known.model if known else "") or "Linky"
    return Device(
        identifiers=[f"linky_{facts.meter}"],
        name=facts.name,
        manufacturer=(known.maker if known else "") or "Enedis",
        model=f"{model} {phases[facts.phases == 3]}",
        model_id=known.code if known else None,
        serial_number=facts.address,
        sw_version=f"TIC {facts.tic_version}" if facts.tic_version else None,
        hw_version=(known.generation or None) if known else None,
        configuration_url=setting.url,
    )


def _component(setting: Setting, facts: MeterFacts, row: Field, *, is_on: bool) -> Component:
    shown: Look = look(row)
    platform = "binary_sensor" if shown.binary else "sensor"
    alias = re.sub(r"[^a-z0-9]", "_", facts.alias.lower()) + "_" if facts.alias else ""
    has_attributes = shown.explained or (row.dated and row.quantity is not Quantity.INSTANT)
    return Component(
        platform="binary_sensor" if shown.binary else "sensor",
        unique_id=f"linky_{facts.meter}_{row.canonical}",
        default_entity_id=f"{platform}.linky_{alias}{row.canonical}",
        name=row.fr if setting.language == "fr" else row.en,
        state_topic=setting.topics.meter(facts.meter, row.slug),
        device_class=shown.device_class,
        state_class=shown.state_class,
        unit_of_measurement=row.unit or None,
        options=_options(row) if shown.device_class == "enum" else None,
        entity_category="diagnostic" if shown.diagnostic else None,
        enabled_by_default=is_on,
        suggested_display_precision=shown.precision,
        icon=shown.icon,
        json_attributes_topic=setting.topics.meter(facts.meter, f"{row.slug}/attributes") if has_attributes else None,
    )


def _options(row: Field) -> list[str]:
    """All words that the field can say; "not announced" is no word, it reads as unknown."""
    return [word for word in (row.words or {}).values() if word is not None]
