"""The parts of a check, in their order. The last ones need no configuration."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from ticbridge.commands.check import (
    broker,
    clock,
    config,
    database,
    disk,
    homeassistant,
    line,
    port,
    rights,
    running,
    uart,
    units,
)
from ticbridge.commands.check.finding import Case
from ticbridge.commands.check.running import Part

PARTS: Final = (
    Part("config", "configuration", config.look, 2),
    Part("port", "port", port.look, 7.5),  # it may ask the broker whether a bridge of ours has it
    Part("line quality", "qualité de la ligne", line.look, 11.5, after=("port",)),
    Part("broker", "serveur MQTT", broker.look, 8),
    Part("rights", "droits", rights.look, 8),
    Part("database", "base de données", database.look, 18),
    Part("disk", "disque", disk.look, 2),
    Part("clock", "horloge", clock.look, 8, after=("line quality",)),
    Part("Home Assistant", "Home Assistant", homeassistant.look, 10),
    Part("units", "services", units.look, 3),
)
_FREE: Final = (config.look, clock.look, units.look)

MODULES: Final[dict[str, tuple[ModuleType, ...]]] = {
    "config": (config,), "port": (port, uart), "line quality": (line,), "broker": (broker,), "rights": (rights,),
    "database": (database,), "disk": (disk,), "clock": (clock,), "Home Assistant": (homeassistant,), "units": (units,),
    "": (running,),
}  # fmt: skip


def without_configuration() -> tuple[Part, ...]:
    """The same parts; those that need a configuration say that there is none."""
    return tuple(part if part.look in _FREE else part._replace(look=config.not_looked_at) for part in PARTS)


def cases(part: str) -> list[Case]:
    """All that a part can say, in the order of its files; the empty name: what any part can."""
    return [value for module in MODULES[part] for value in vars(module).values() if isinstance(value, Case)]
