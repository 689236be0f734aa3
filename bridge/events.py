"""What happens once, with a frame: the words of the topic `event`. A state says what is; an event, that it began.

Nothing is said of the first frame: what it shows may have begun long before we listened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bridge.checked import Checked, Event
from bridge.tic.catalogue import Mode
from bridge.tic.values import Value

KINDS: Final = (
    "tariff_change", "over_power", "trip_risk", "peak_notice", "mode_switch", "meter_change", "index_reset",
)  # fmt: skip
CALM: Final = 60.0  # s without a risk after which a new one is worth a word: a load at the edge comes and goes


class Beginnings:
    """Compares what is derived of one meter with what was before; of the first time nothing is said.

    `values` and `at_risk` (seconds, of the last time with a risk) may be kept and given back: the comparison goes on.
    """

    def __init__(self, values: Mapping[str, Value] | None = None, at_risk: float = float("-inf")) -> None:
        self.values: dict[str, Value] = dict(values or {})
        self.at_risk = at_risk
        self._is_first = values is None

    def take(self, values: Mapping[str, Value], now: float) -> list[Event]:
        """What began with these; what is not among them was not denied, and is compared when it comes again."""
        begun = [] if self._is_first else list(self._begun(values, now))
        self._is_first = False
        if values.get("breaker_seconds_to_trip") is not None:
            self.at_risk = now
        self.values |= values
        return begun

    def _begun(self, values: Mapping[str, Value], now: float) -> Iterator[Event]:
        before, after = self.values.get("tariff_index"), values.get("tariff_index")
        if before is not None and after is not None and before != after:
            change = {"before": before, "after": after, "tariff_period": values.get("tariff_period")}
            yield _event("tariff_change", change)
        if values.get("over_power") is True and self.values.get("over_power") is not True:
            yield _event("over_power", {"power_used_percent": values.get("power_used_percent")})
        seconds = values.get("breaker_seconds_to_trip")
        if seconds is not None and now - self.at_risk > CALM:
            yield _event("trip_risk", {"seconds": seconds, "margin": values.get("breaker_margin")})
        peak = values.get("peak_notice")
        if peak is not None and peak != self.values.get("peak_notice"):
            yield _event("peak_notice", {"peak": peak})
        minutes = values.get("pejp")
        if minutes is not None and self.values.get("pejp") is None:
            yield _event("peak_notice", {"minutes": minutes})


class Events:
    """Compares each frame of a line with the one before."""

    def __init__(self) -> None:
        self._meter: str | None = None
        self._mode: Mode | None = None
        self._beginnings = Beginnings()

    def take(self, frame: Checked, derived: Mapping[str, Value], gone: Collection[str] = ()) -> list[Event]:
        """What happened between the last frame and this one, which has a reading of a meter that is sure.

        `gone` names the transient labels that stopped.
        """
        reading = frame.decoded.reading
        assert reading is not None, "a frame that says nothing makes nothing happen"
        events = list(frame.events)
        values: dict[str, Value] = {**derived, **dict.fromkeys(gone)}
        if (minutes := reading.get("pejp")) is not None:
            values["pejp"] = minutes
        if frame.meter != self._meter or reading.mode is not self._mode:
            if self._meter is not None:
                events += self._exchanged(frame.meter, reading.mode)
            self._beginnings = Beginnings(at_risk=self._beginnings.at_risk)
        events += self._beginnings.take(values, frame.at.monotonic)
        self._meter, self._mode = frame.meter, reading.mode
        return events

    def _exchanged(self, meter: str | None, mode: Mode) -> Iterator[Event]:
        if meter != self._meter:
            yield Event("meter_change", {"before": str(self._meter), "after": str(meter)})
        if mode is not self._mode:
            yield Event("mode_switch", {"before": str(self._mode), "after": str(mode)})


def _event(kind: str, values: Mapping[str, Value]) -> Event:
    return Event(kind, {name: value for name, value in values.items() if isinstance(value, int | str)})
