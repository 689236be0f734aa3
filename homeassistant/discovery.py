"""Catalogue and settings to the discovery message of a meter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from bridge.tic.catalogue import BY_SLUG, Field, Mode, Quantity
from bridge.tic.identity import identify
from bridge.topics import Message, Topics
from homeassistant.entities import OF_BRIDGE, OF_METER, Entity
from homeassistant.mapping import Look, enabled, look
from homeassistant.models import CLASSES, Availability, Component, Device, DeviceMessage, Heard, Origin, Removed


@dataclass(frozen=True, slots=True)
class Setting:
    """What does not depend on the meter."""

    topics: Topics
    bridge_id: str
    version: str
    prefix: str = "homeassistant"
    language: str = "fr"
    url: str | None = None  # our own pages
    overrides: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)  # the owner's; None removes


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
    adopted: Mapping[str, str] = field(default_factory=dict)  # canonical slug -> unique id of another program's entity
    withheld: tuple[str, ...] = ()  # slugs that were announced once and are removed


def meter_message(setting: Setting, facts: MeterFacts) -> Message:
    """The retained message that describes a meter: only what it really sends."""
    topics = setting.topics
    components = _components(setting, facts, _rows(facts))
    on = enabled(components)
    message = DeviceMessage(
        device=_device(setting, facts),
        origin=_origin(setting),
        availability=[
            Availability(topic=topics.bridge(setting.bridge_id, "status")),
            Availability(topic=topics.meter(facts.meter, "status")),
        ],
        components={
            **{row.canonical: Removed(platform=_platform(row)) for row in _known(facts.withheld)},
            **{
                key: _as_its_owner_wants(setting, key, component.model_copy(update={"enabled_by_default": key in on}))
                for key, component in components.items()
            },
        },
    )
    return Message(topic(setting, facts.meter), message.model_dump_json(exclude_none=True), retain=True, qos=1)


def teller(body: bytes) -> str | None:
    """The status topic of the bridge that sent this discovery message; None when it was none of ours."""
    if b'"ticbridge"' not in body:
        return None
    try:
        heard = Heard.model_validate_json(body)
    except ValidationError:
        return None
    if heard.origin.name != "ticbridge":
        return None
    topics = [available.topic for available in heard.availability]
    topics += [heard.components["connected"].state_topic] if "connected" in heard.components else []
    return topics[0] if topics else None


def mistakes(setting: Setting) -> Iterator[tuple[str, str]]:
    """(key, expectation) of each override that Home Assistant would refuse."""
    for key in setting.overrides:
        rows = [row for row in BY_SLUG.values() if row.canonical == key]
        component = _components(setting, MeterFacts("0", "", Mode.STANDARD, ()), rows)[key]
        try:
            _as_its_owner_wants(setting, key, component)
        except ValidationError:
            fit = ", ".join(word for word in sorted(CLASSES[component.platform]) if _fits(component, word))
            yield key, fit or "no class: it is no measured value"


def bridge_message(setting: Setting) -> Message:
    """The retained message that describes the bridge itself, the parent of its meters.

    Its entities have no availability: when the bridge is gone, one of them says so.
    """
    message = DeviceMessage(
        device=Device(
            identifiers=[_bridge(setting)],
            name=f"ticbridge {setting.bridge_id}",
            manufacturer="ticbridge",
            model={"fr": "Passerelle TIC vers MQTT", "en": "TIC to MQTT bridge"}[setting.language],
            sw_version=setting.version,
            configuration_url=setting.url,
        ),
        origin=_origin(setting),
        components={entity.key: _of_bridge(setting, entity) for entity in OF_BRIDGE},
    )
    return Message(bridge_topic(setting), message.model_dump_json(exclude_none=True), retain=True, qos=1)


def topic(setting: Setting, meter: str) -> str:
    """Where a meter is announced."""
    return f"{setting.prefix}/device/linky_{meter}/config"


def bridge_topic(setting: Setting) -> str:
    """Where the bridge is announced."""
    return f"{setting.prefix}/device/{_bridge(setting)}/config"


def _bridge(setting: Setting) -> str:
    return f"linky_bridge_{setting.bridge_id}"


def _origin(setting: Setting) -> Origin:
    return Origin(name="ticbridge", sw_version=setting.version)


def _rows(facts: MeterFacts) -> list[Field]:
    """The rows to announce, in the catalogue's order; of two that say the same, the one of the mode in force."""
    rows: dict[str, Field] = {}
    for row in _known(facts.slugs):
        if row.canonical not in rows or row.mode is facts.mode:
            rows[row.canonical] = row
    return list(rows.values())


def _known(slugs: Collection[str]) -> list[Field]:
    """In the catalogue's order; another release may have announced what this one does not know."""
    return [row for slug, row in BY_SLUG.items() if slug in slugs]


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
        via_device=_bridge(setting),
    )


def _components(setting: Setting, facts: MeterFacts, rows: Iterable[Field]) -> dict[str, Component]:
    return {
        **{entity.key: _own(setting, facts, entity) for entity in OF_METER},
        **{row.canonical: _component(setting, facts, row) for row in rows},
    }


def _as_its_owner_wants(setting: Setting, key: str, component: Component) -> Component | Removed:
    if key not in setting.overrides:
        return component
    changes = setting.overrides[key]
    if changes is None:
        return Removed(platform=component.platform)
    return Component.model_validate(component.model_dump() | dict(changes))


def _fits(component: Component, device_class: str) -> bool:
    try:
        Component.model_validate(component.model_dump() | {"device_class": device_class})
    except ValidationError:
        return False
    return True


def _own(setting: Setting, facts: MeterFacts, entity: Entity) -> Component:
    # A meter that is off line is what `connected` tells: only without the bridge it tells nothing.
    bridge = [Availability(topic=setting.topics.bridge(setting.bridge_id, "status"))]
    return Component.model_validate({
        **_shown(setting, entity),
        "unique_id": f"linky_{facts.meter}_{entity.key}",
        "default_entity_id": f"{entity.platform}.linky_{_level(facts.alias)}{entity.key}",
        "state_topic": setting.topics.meter(facts.meter, entity.leaf),
        "availability": bridge if entity.look.binary else None,
    })  # fmt: skip


def _of_bridge(setting: Setting, entity: Entity) -> Component:
    return Component.model_validate({
        **_shown(setting, entity),
        "unique_id": f"{_bridge(setting)}_{entity.key}",
        "default_entity_id": f"{entity.platform}.ticbridge_{_level(setting.bridge_id)}{entity.key}",
        "state_topic": setting.topics.bridge(setting.bridge_id, entity.leaf),
        "enabled_by_default": entity.enabled,
    })  # fmt: skip


def _shown(setting: Setting, entity: Entity) -> dict[str, Any]:  # the fields of a component, each of its own type
    return {
        "platform": entity.platform,
        "name": entity.fr if setting.language == "fr" else entity.en,
        "device_class": entity.look.device_class,
        "entity_category": "diagnostic" if entity.look.diagnostic else None,
        "icon": entity.look.icon,
        "value_template": entity.template,
        "event_types": entity.event_types and list(entity.event_types),
        **entity.payloads,
    }


def _level(text: str) -> str:
    """A part of an entity id."""
    return re.sub(r"[^a-z0-9]", "_", text.lower()) + "_" if text else ""


def _component(setting: Setting, facts: MeterFacts, row: Field) -> Component:
    shown: Look = look(row)
    platform = _platform(row)
    has_attributes = shown.explained or (row.dated and row.quantity is not Quantity.INSTANT)
    return Component(
        platform=platform,
        unique_id=facts.adopted.get(row.canonical, f"linky_{facts.meter}_{row.canonical}"),
        default_entity_id=f"{platform}.linky_{_level(facts.alias)}{row.canonical}",
        name=row.fr if setting.language == "fr" else row.en,
        state_topic=setting.topics.meter(facts.meter, row.slug),
        device_class=shown.device_class,
        state_class=shown.state_class,
        unit_of_measurement=row.unit or None,
        options=_options(row) if shown.device_class == "enum" else None,
        entity_category="diagnostic" if shown.diagnostic else None,
        suggested_display_precision=shown.precision,
        icon=shown.icon,
        json_attributes_topic=setting.topics.meter(facts.meter, f"{row.slug}/attributes") if has_attributes else None,
    )


def _platform(row: Field) -> Literal["sensor", "binary_sensor"]:
    return "binary_sensor" if look(row).binary else "sensor"


def _options(row: Field) -> list[str]:
    """All words that the field can say; "not announced" is no word, it reads as unknown."""
    return [word for word in (row.words or {}).values() if word is not None]
