"""What happens once, as the stored readings tell it: for alerts, and for whoever is to be told of it.

`occurred` is sent in the transaction that also remembers up to which reading its meter was looked at: what a receiver
writes to the database is there exactly once, whatever is killed. So a receiver writes, and never talks to the outside.
Nothing is said of a meter's first reading, as what it shows may have begun long before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from django.dispatch import Signal

from bridge.derived.tempo import next_day
from bridge.events import Beginnings
from storage.buckets import zone_of
from storage.energy import follows
from storage.ingest import Stored
from storage.models import Meter
from storage.window import REGISTERS

occurred: Final = Signal()  # sender: Event; event: the Event


class Kind(StrEnum):
    """The words of events; those that the bridge knows too are spelled as in the topic `event`."""

    TARIFF_CHANGE = "tariff_change"
    OVER_POWER = "over_power"
    TRIP_RISK = "trip_risk"
    PEAK_NOTICE = "peak_notice"
    INDEX_RESET = "index_reset"
    TEMPO_KNOWN = "tempo_known"
    METER_SILENT = "meter_silent"
    ALERT_RAISED = "alert_raised"
    ALERT_CLEARED = "alert_cleared"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a meter; `at` is the time of the reading that shows it."""

    kind: Kind
    meter: Meter
    at: datetime
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # JSON values


def tell(event: Event) -> None:
    """Send it to whoever listens, in the caller's transaction."""
    occurred.send(Event, event=event)


_COMPARED: Final = (
    "tariff_index", "tariff_period", "over_power", "power_used_percent", "breaker_seconds_to_trip", "breaker_margin",
    "peak_notice",
)  # fmt: skip
Sight = tuple[int, int]  # milliseconds since 1970, Wh


class Memory:
    """What the next reading of a meter is compared with; goes to the database and back as JSON."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self._beginnings = Beginnings(kept.get("values"), kept.get("at_risk", float("-inf")))
        self._registers: dict[str, Sight] = {name: (at, wh) for name, (at, wh) in kept.get("registers", {}).items()}
        self._suspects: dict[str, Sight] = {name: (at, wh) for name, (at, wh) in kept.get("suspects", {}).items()}
        self._colour: str | None = kept.get("colour")
        self._told: str | None = kept.get("told")  # day and colour
        self._is_first = not kept

    def keep(self) -> dict[str, Any]:
        """As JSON; what no reading told yet is empty."""
        if self._is_first:
            return {}
        kept = {"values": self._beginnings.values, "registers": self._registers, "suspects": self._suspects}
        at_risk = self._beginnings.at_risk
        risk = {} if at_risk == float("-inf") else {"at_risk": at_risk}
        return {**kept, **risk, "colour": self._colour, "told": self._told}

    def take(self, reading: Stored, zone: str) -> list[tuple[Kind, Mapping[str, Any]]]:
        """What this reading shows to have happened since the one before."""
        derived, at = reading.envelope.derived, reading.columns["dateTime"]
        values: dict[str, Any] = {slug: derived[slug] for slug in _COMPARED if slug in derived}  # JSON scalars
        if "pejp" in reading.envelope.values:
            values["pejp"] = reading.envelope.values["pejp"]
        seconds = at.timestamp()
        happened: list[tuple[Kind, Mapping[str, Any]]] = [
            (Kind(event.kind), event.attributes) for event in self._beginnings.take(values, seconds)
        ]
        happened += self._resets(reading.columns, int(seconds * 1000))
        if "tempo_tomorrow" in derived:
            happened += self._tempo(derived["tempo_tomorrow"], at, zone)
        self._is_first = False
        return happened

    def _resets(self, columns: Mapping[str, Any], now: int) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
        """An index began anew when two readings agree on what cannot follow: one alone may have been wrong."""
        for name in REGISTERS:
            value = columns.get(name)
            if value is None:
                continue
            at, before = self._registers.get(name, (now, value))
            if follows(before, value, max(0, now - at)):
                self._registers[name] = now, value
                if self._suspects:
                    self._suspects.pop(name, None)
                continue
            suspect = self._suspects.pop(name, None)
            if suspect is not None and follows(suspect[1], value, max(0, now - suspect[0])):
                self._registers[name] = now, value
                yield Kind.INDEX_RESET, {"field": name, "before": before, "after": suspect[1]}
            else:
                self._suspects[name] = now, value

    def _tempo(self, colour: Any, at: datetime, zone: str) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
        """Once for each day and colour, when it becomes known: at six, an old one may stand for some seconds yet."""
        if colour is not None and colour != self._colour:
            day = next_day(at.astimezone(zone_of(zone)).replace(tzinfo=None)).date().isoformat()
            if f"{day} {colour}" != self._told and not self._is_first:
                yield Kind.TEMPO_KNOWN, {"day": day, "colour": colour}
            self._told = f"{day} {colour}"
        self._colour = colour
