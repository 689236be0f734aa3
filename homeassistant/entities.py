"""The entities that stand for no field: what Home Assistant shows of a meter's line, its events, and the bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.events import KINDS
from bridge.topics import OFFLINE, ONLINE
from homeassistant.mapping import Look


@dataclass(frozen=True, slots=True)
class Entity:
    """One of them; `leaf` is the last level of the topic that tells its state."""

    key: str
    platform: str
    fr: str
    en: str
    leaf: str
    look: Look
    template: str | None = None
    event_types: tuple[str, ...] | None = None
    enabled: bool = True

    @property
    def payloads(self) -> dict[str, str]:
        """How a status topic says yes and no."""
        return {"payload_on": ONLINE, "payload_off": OFFLINE} if self.look.binary else {}


_CONNECTED: Final = Look("connectivity", diagnostic=True, binary=True)

OF_METER: Final = (
    Entity("connected", "binary_sensor", "Connecté", "Connected", "status", _CONNECTED),
    Entity("event", "event", "Événement", "Event", "event", Look(icon="mdi:bell-ring-outline"), event_types=KINDS),
)
OF_BRIDGE: Final = (
    Entity("connected", "binary_sensor", "Connecté", "Connected", "status", _CONNECTED),
    Entity("version", "sensor", "Version", "Version", "info", Look(icon="mdi:tag", diagnostic=True),
           template="{{ value_json.version }}", enabled=False),
    Entity("started", "sensor", "Démarré", "Started", "info", Look("timestamp", diagnostic=True),
           template="{{ value_json.started }}", enabled=False),
    Entity("spool_depth", "sensor", "Relevés en attente", "Readings waiting", "info",
           Look(icon="mdi:tray-full", diagnostic=True), template="{{ value_json.spool.depth }}", enabled=False),
    Entity("spool_dropped", "sensor", "Relevés perdus", "Readings lost", "info",
           Look(icon="mdi:tray-remove", diagnostic=True), template="{{ value_json.spool.dropped }}"),
)  # fmt: skip
