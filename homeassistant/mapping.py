"""Quantity and slug to the way Home Assistant shows them: class, state class, precision, icon, category."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bridge.tic.catalogue import Field, Quantity


@dataclass(frozen=True, slots=True)
class Look:
    """How an entity is shown; `diagnostic` is Home Assistant's category."""

    device_class: str | None = None
    state_class: str | None = None
    precision: int | None = None
    icon: str | None = None
    diagnostic: bool = False
    binary: bool = False
    explained: bool = False  # its attributes say what stands behind it


_Q = Quantity
_BY_QUANTITY: Final[Mapping[Quantity, Look]] = MappingProxyType({
    _Q.IDENTIFIER: Look(icon="mdi:identifier", diagnostic=True),
    _Q.TEXT: Look(icon="mdi:text", diagnostic=True),
    _Q.WORD: Look("enum", diagnostic=True),
    _Q.INSTANT: Look("timestamp"),
    _Q.NUMBER: Look(icon="mdi:numeric", diagnostic=True),
    _Q.ENERGY: Look("energy", "total_increasing", 0),
    _Q.REACTIVE_ENERGY: Look("reactive_energy", "total_increasing", 0, diagnostic=True),
    _Q.APPARENT_POWER: Look("apparent_power", "measurement", 0),
    _Q.ACTIVE_POWER: Look("power", None, 0, diagnostic=True),
    _Q.CURRENT: Look("current", "measurement", 0),
    _Q.VOLTAGE: Look("voltage", "measurement", 0),
    _Q.DURATION: Look("duration", None, 0),
    _Q.SHARE: Look(None, "measurement", 0, "mdi:percent", diagnostic=True),
    _Q.RATE: Look(None, "measurement", 0, "mdi:speedometer", diagnostic=True),
    _Q.STATUS_REGISTER: Look(icon="mdi:state-machine", diagnostic=True),
    _Q.RELAYS: Look(icon="mdi:electric-switch", diagnostic=True),
    _Q.PHASE_LOSS: Look(icon="mdi:flash-triangle", diagnostic=True),
    _Q.DAY_PROFILE: Look(icon="mdi:calendar-clock", diagnostic=True),
    _Q.FACT: Look(diagnostic=True, binary=True),
})  # fmt: skip

_MAXIMUM: Final = Look("apparent_power", None, 0)  # a mean of maxima has no sense: no state class
_SETTING: Final = Look("apparent_power", None, 0, diagnostic=True)


def _detail(shown: Look) -> Look:
    """In Home Assistant's list of diagnostics."""
    return replace(shown, diagnostic=True)


_BY_SLUG: Final[Mapping[str, Look]] = MappingProxyType({
    "vtic": _detail(Look(icon="mdi:tag")),
    "date": _detail(Look("timestamp")),  # changes each second: off, or it fills the recorder
    "ngtf": Look(icon="mdi:calendar-text", diagnostic=True),
    "ltarf": Look(icon="mdi:cash-clock"),
    "ptec": Look("enum"),
    "demain": Look("enum"),
    "optarif": Look("enum", diagnostic=True),
    "isousc": Look("current", None, 0, diagnostic=True),
    "pref": _SETTING,
    "pcoup": _SETTING,
    **{f"easd{n:02}": _detail(Look("energy", "total_increasing", 0)) for n in range(1, 5)},
    **dict.fromkeys(("smaxsn", "smaxin"), _MAXIMUM),
    **{f"smaxsn{n}": _MAXIMUM for n in (1, 2, 3)},
    **{f"smaxsn{n}_prev": _detail(_MAXIMUM) for n in ("", 1, 2, 3)},
    "smaxin_prev": _detail(_MAXIMUM),
    "pmax": _detail(_MAXIMUM),
    **{f"umoy{n}": _detail(Look("voltage", "measurement", 0)) for n in (1, 2, 3)},
    **{f"imax{n}": _detail(Look("current", None, 0)) for n in ("", 1, 2, 3)},
    **{slug: Look("current", None, 0) for slug in ("adps", "adir1", "adir2", "adir3")},
    "msg1": Look(icon="mdi:message-text", diagnostic=True),
    "msg2": _detail(Look(icon="mdi:message-text")),
    "njourf": _detail(Look(icon="mdi:calendar-today")),
    "njourf_next": _detail(Look(icon="mdi:calendar-today")),
    "hhphc": _detail(Look(icon="mdi:clock-outline")),
    "motdetat": _detail(Look(icon="mdi:file-word-box")),
    "breaker": Look("enum", diagnostic=True, icon="mdi:electric-switch"),
    "terminal_cover": _detail(Look("tamper", binary=True)),
    "overvoltage": Look("problem", binary=True),
    "over_power": Look("problem", binary=True),
    "clock_degraded": Look("problem", binary=True, diagnostic=True),
    "plc_synchronised": _detail(Look("connectivity", binary=True)),
    "relay_1": Look(icon="mdi:electric-switch", binary=True),
    **{f"relay_{n}": _detail(Look(icon="mdi:electric-switch", binary=True)) for n in range(2, 9)},
    **{f"over_power_{n}": Look("problem", binary=True) for n in (1, 2, 3)},
    "tempo_today": Look("enum", icon="mdi:calendar-star", explained=True),
    "tempo_tomorrow": Look("enum", icon="mdi:calendar-star", explained=True),
    "next_tariff_change": Look("timestamp", explained=True),
    "active_power_mean": Look("power", "measurement", 0),  # the only W for the energy dashboard
    "breaker_margin": Look("apparent_power", "measurement", 0, "mdi:gauge"),
    "breaker_seconds_to_trip": Look("duration", None, 0, "mdi:timer-alert-outline"),
    "last_frame": _detail(Look("timestamp")),
    "refused_groups": _detail(Look(None, "total_increasing", 0, "mdi:counter")),
    "power_used_percent": Look(None, "measurement", 0, "mdi:gauge"),
})  # fmt: skip


PLACES: Final = 15  # entities of a meter that are on until its owner asks for more

# Who gets them, in this order, a group whole or not at all; all else is off (docs/how-to/home-assistant.md says why).
_ORDER: Final = tuple(group.split() for group in (
    "sinsts", "east eait", "easf01 easf02 easf03 easf04 easf05 easf06 easf07 easf08 easf09 easf10", "ltarf ptec",
    "tempo_today tempo_tomorrow", "over_power", "breaker_margin", "connected", "next_tariff_change",
    "active_power_mean", "event", "overvoltage", "pejp", "sinsti", "irms1 irms2 irms3", "urms1 urms2 urms3", "smaxsn",
    "sinsts1 sinsts2 sinsts3",
))  # fmt: skip
_LATE: Final = frozenset({"tempo_tomorrow", "next_tariff_change", "active_power_mean"})


def enabled(announced: Collection[str]) -> frozenset[str]:
    """Which of these entities are on at first sight, by canonical slug.

    What is known only minutes after the first frame keeps its place: what got it meanwhile would stay enabled.
    """
    on: set[str] = set()
    for group in _ORDER:
        members = [key for key in group if key in announced or key in _LATE]
        if len(on) + len(members) <= PLACES:
            on.update(members)
    return frozenset(on)


def look(field: Field) -> Look:
    """How Home Assistant shows a row of the catalogue."""
    return _BY_SLUG.get(field.slug) or _BY_SLUG.get(field.canonical) or _BY_QUANTITY[field.quantity]
