"""The discovery payload of a device, as strict as Home Assistant itself reads it.

Home Assistant refuses a whole message for one unknown key at its root or in `device` or `origin`, and drops unknown
keys of a component without a word; so nothing is sent that these models do not know.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DEVICE_CLASSES: dict[str, set[str | None]] = {
    "apparent_power": {"VA", "kVA"},
    "power": {"W"},
    "energy": {"Wh", "kWh"},
    "reactive_energy": {"varh", "kvarh"},
    "current": {"A"},
    "voltage": {"V"},
    "duration": {"s", "min"},
    "enum": {None},
    "timestamp": {None},
}
STATE_CLASSES: dict[str, set[str]] = {
    "apparent_power": {"measurement"},
    "power": {"measurement"},
    "energy": {"total_increasing", "total"},
    "reactive_energy": {"total_increasing", "total"},
    "current": {"measurement"},
    "voltage": {"measurement"},
    "duration": {"measurement", "total_increasing", "total"},
    "enum": set(),
    "timestamp": set(),
}
# Ours are connectivity, problem and tamper; an owner knows what the meter's contacts switch.
BINARY_CLASSES = {
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas", "heat",
    "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power", "presence", "problem",
    "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window",
}  # fmt: skip
EVENT_CLASSES = {"button", "doorbell", "motion"}
CLASSES = {"sensor": DEVICE_CLASSES.keys(), "binary_sensor": BINARY_CLASSES, "event": EVENT_CLASSES}
_Url = Annotated[str, Field(pattern=r"^https?://")]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
_EntityId = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(_Payload):
    """The device that Home Assistant shows."""

    identifiers: Annotated[list[str], Field(min_length=1)]
    name: str
    manufacturer: str | None = None
    model: str | None = None
    model_id: str | None = None
    serial_number: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    configuration_url: _Url | None = None
    via_device: str | None = None


class Origin(_Payload):
    """Who announces: required, or the whole message is refused."""

    name: str
    sw_version: str
    support_url: _Url | None = None


class Availability(_Payload):
    """A topic that says `online` or `offline`."""

    topic: str


class Component(_Payload):
    """One entity."""

    platform: Literal["sensor", "binary_sensor", "event"]
    unique_id: _Id
    default_entity_id: _EntityId
    name: str
    state_topic: str
    device_class: str | None = None
    state_class: Literal["measurement", "total_increasing", "total"] | None = None
    unit_of_measurement: str | None = None
    options: list[str] | None = None
    entity_category: Literal["diagnostic"] | None = None
    enabled_by_default: bool = True
    suggested_display_precision: int | None = None
    icon: Annotated[str, Field(pattern=r"^mdi:[a-z0-9-]+$")] | None = None
    json_attributes_topic: str | None = None
    value_template: str | None = None
    event_types: list[str] | None = None
    payload_on: str | None = None
    payload_off: str | None = None
    availability: list[Availability] | None = None  # else that of the device

    @model_validator(mode="after")
    def _agrees(self) -> Component:
        if not self.default_entity_id.startswith(f"{self.platform}."):
            raise ValueError("default_entity_id needs the domain of its platform")
        if (self.event_types is not None) != (self.platform == "event"):
            raise ValueError("event types go with an event, and with nothing else")
        if self.platform == "sensor":
            self._sensor_agrees()
        elif self.state_class or self.unit_of_measurement or self.options:
            raise ValueError(f"a {self.platform} has no state class, unit or options")
        elif self.device_class is not None and self.device_class not in CLASSES[self.platform]:
            raise ValueError(f"{self.device_class} is no class of a {self.platform}")
        return self

    def _sensor_agrees(self) -> None:
        units = DEVICE_CLASSES.get(self.device_class or "")
        if self.device_class is not None and (units is None or self.unit_of_measurement not in units):
            raise ValueError(f"{self.unit_of_measurement} is no unit of {self.device_class}")
        allowed = STATE_CLASSES.get(self.device_class or "", {"measurement", "total_increasing"})
        if self.state_class is not None and self.state_class not in allowed:
            raise ValueError(f"{self.state_class} is no state class of {self.device_class}")
        if (self.options is not None) != (self.device_class == "enum"):
            raise ValueError("options go with the class enum, and with no other")


class _Topic(BaseModel):
    topic: str


class _Stated(BaseModel):
    state_topic: str = ""


class _Origin(BaseModel):
    name: str


class Heard(BaseModel):
    """What tells whose a retained discovery message is; lenient, since anybody may have written it."""

    origin: _Origin
    availability: list[_Topic] = []
    components: dict[str, _Stated] = {}


class Removed(_Payload):
    """What tells Home Assistant to remove an entity; one that is merely left out would stay."""

    platform: Literal["sensor", "binary_sensor", "event"]


class DeviceMessage(_Payload):
    """The retained message that describes one device and all its entities."""

    device: Device
    origin: Origin
    availability: Annotated[list[Availability], Field(min_length=1)] | None = None
    availability_mode: Literal["all"] = "all"
    qos: Literal[0, 1] = 1
    components: dict[_Id, Component | Removed]

    @model_validator(mode="after")
    def _unique(self) -> DeviceMessage:
        ids = [component.unique_id for component in self.components.values() if isinstance(component, Component)]
        if len(set(ids)) != len(ids):
            raise ValueError("unique_id repeats")
        return self
