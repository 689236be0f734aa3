"""Quantity and slug to the way Home Assistant shows them: class, state class, precision, icon, category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bridge.tic.catalogue import Field, Quantity


@dataclass(frozen=True, slots=True)
class Look:
    """How an entity is shown. `diagnostic` is Home Assistant's category; `enabled` only counts at first sight."""

    device_class: str | None = None
    state_class: str | None = None
    precision: int | None = None
    icon: str | None = None
    diagnostic: bool = False
    enabled: bool = True
    binary: bool = False
    explained: bool = False  # its attributes say what stands behind it


_Q = Quantity
_BY_QUANTITY: Final[Mapping[Quantity, Look]] = MappingProxyType({
    _Q.IDENTIFIER: Look(icon="mdi:identifier", diagnostic=True, enabled=False),
    _Q.TEXT: Look(icon="mdi:text", diagnostic=True, enabled=False),
    _Q.WORD: Look("enum", diagnostic=True, enabled=False),
    _Q.INSTANT: Look("timestamp", enabled=False),
    _Q.NUMBER: Look(icon="mdi:numeric", diagnostic=True, enabled=False),
    _Q.ENERGY: Look("energy", "total_increasing", 0),
    _Q.REACTIVE_ENERGY: Look("reactive_energy", "total_increasing", 0, diagnostic=True, enabled=False),
    _Q.APPARENT_POWER: Look("apparent_power", "measurement", 0),
    _Q.ACTIVE_POWER: Look("power", None, 0, diagnostic=True, enabled=False),
    _Q.CURRENT: Look("current", "measurement", 0),
    _Q.VOLTAGE: Look("voltage", "measurement", 0),
    _Q.DURATION: Look("duration", None, 0),
    _Q.SHARE: Look(None, "measurement", 0, "mdi:percent", diagnostic=True, enabled=False),
    _Q.RATE: Look(None, "measurement", 0, "mdi:speedometer", diagnostic=True, enabled=False),
    _Q.STATUS_REGISTER: Look(icon="mdi:state-machine", diagnostic=True, enabled=False),
    _Q.RELAYS: Look(icon="mdi:electric-switch", diagnostic=True, enabled=False),
    _Q.PHASE_LOSS: Look(icon="mdi:flash-triangle", diagnostic=True, enabled=False),
    _Q.DAY_PROFILE: Look(icon="mdi:calendar-clock", diagnostic=True, enabled=False),
    _Q.FACT: Look(diagnostic=True, enabled=False, binary=True),
})  # fmt: skip

_MAXIMUM: Final = Look("apparent_power", None, 0)  # a mean of maxima has no sense: no state class
_SETTING: Final = Look("apparent_power", None, 0, diagnostic=True)


def _off(shown: Look) -> Look:
    """A detail: in Home Assistant's diagnostic list, and not enabled until the owner asks for it."""
    return replace(shown, diagnostic=True, enabled=False)


_BY_SLUG: Final[Mapping[str, Look]] = MappingProxyType({
    "vtic": _off(Look(icon="mdi:tag")),
    "date": _off(Look("timestamp")),  # changes each second: off, or it fills the recorder
    "ngtf": Look(icon="mdi:calendar-text", diagnostic=True),
    "ltarf": Look(icon="mdi:cash-clock"),
    "ptec": Look("enum"),
    "demain": Look("enum"),
    "optarif": Look("enum", diagnostic=True),
    "isousc": Look("current", None, 0, diagnostic=True),
    "pref": _SETTING,
    "pcoup": replace(_SETTING, enabled=False),
    **{f"easd{n:02}": _off(Look("energy", "total_increasing", 0)) for n in range(1, 5)},
    **dict.fromkeys(("smaxsn", "smaxin"), _MAXIMUM),
    **{f"smaxsn{n}": replace(_MAXIMUM, enabled=False) for n in (1, 2, 3)},
    **{f"smaxsn{n}_prev": _off(_MAXIMUM) for n in ("", 1, 2, 3)},
    "smaxin_prev": _off(_MAXIMUM),
    "pmax": _off(_MAXIMUM),
    **{f"umoy{n}": _off(Look("voltage", "measurement", 0)) for n in (1, 2, 3)},
    **{f"imax{n}": _off(Look("current", None, 0)) for n in ("", 1, 2, 3)},
    **{slug: Look("current", None, 0, enabled=False) for slug in ("adps", "adir1", "adir2", "adir3")},
    "msg1": Look(icon="mdi:message-text", diagnostic=True),
    "msg2": _off(Look(icon="mdi:message-text")),
    "njourf": _off(Look(icon="mdi:calendar-today")),
    "njourf_next": _off(Look(icon="mdi:calendar-today")),
    "hhphc": _off(Look(icon="mdi:clock-outline")),
    "motdetat": _off(Look(icon="mdi:file-word-box")),
    "breaker": Look("enum", diagnostic=True, icon="mdi:electric-switch"),
    "terminal_cover": _off(Look("tamper", binary=True)),
    "overvoltage": Look("problem", binary=True),
    "over_power": Look("problem", binary=True),
    "clock_degraded": Look("problem", binary=True, diagnostic=True),
    "plc_synchronised": _off(Look("connectivity", binary=True)),
    "relay_1": Look(icon="mdi:electric-switch", binary=True),
    **{f"relay_{n}": _off(Look(icon="mdi:electric-switch", binary=True)) for n in range(2, 9)},
    **{f"over_power_{n}": Look("problem", binary=True, enabled=False) for n in (1, 2, 3)},
    "tempo_today": Look("enum", icon="mdi:calendar-star", explained=True),
    "tempo_tomorrow": Look("enum", icon="mdi:calendar-star", explained=True),
    "next_tariff_change": Look("timestamp", explained=True),
    "active_power_mean": Look("power", "measurement", 0),  # the only W for the energy dashboard
    "breaker_margin": Look("apparent_power", "measurement", 0, "mdi:gauge"),
    "breaker_seconds_to_trip": Look("duration", None, 0, "mdi:timer-alert-outline"),
    "power_used_percent": Look(None, "measurement", 0, "mdi:gauge", enabled=False),
})  # fmt: skip


def look(field: Field) -> Look:
    """How Home Assistant shows a row of the catalogue."""
    return _BY_SLUG.get(field.slug) or _BY_SLUG.get(field.canonical) or _BY_QUANTITY[field.quantity]
