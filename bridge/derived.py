"""What no label says but the labels tell: parts of registers, tariff, share of the subscribed power, line quality."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from bridge.guard import Checked
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import StatusRegister, Value

REGISTER_PARTS: Final = (
    "breaker", "terminal_cover", "overvoltage", "over_power", "role", "energy_direction", "tariff_index",
    "distributor_tariff", "clock_degraded", "tic_output", "euridis", "plc", "plc_synchronised", "tempo_today",
    "tempo_tomorrow", "peak_notice", "peak",
)  # fmt: skip

# Supplier index of a period, in the order of the indexes of its contract (54E section 6.1).
PERIOD_INDEX: Final = {
    "TH": 1, "HC": 1, "HP": 2, "HN": 1, "PM": 2,
    "HCJB": 1, "HPJB": 2, "HCJW": 3, "HPJW": 4, "HCJR": 5, "HPJR": 6,
}  # fmt: skip
_DAY_COLOUR: Final = {"B": "bleu", "W": "blanc", "R": "rouge"}
_LINKY_VOLT: Final = 200  # a Linky computes ISOUSC as the subscribed power over 200 V


def derive(reading: Reading) -> Iterator[tuple[str, Value]]:
    """(slug, value) of each derived value that this frame alone tells."""
    if isinstance(reading, Standard):
        yield from _of_standard(reading)
    elif isinstance(reading, Historique):
        yield from _of_historique(reading)


def _of_standard(reading: Standard) -> Iterator[tuple[str, Value]]:
    if reading.stge is not None:
        yield from _of_register(reading.stge)
    if reading.relais is not None:
        yield from ((f"relay_{n}", reading.relais.closed(n)) for n in range(1, 9))
    if reading.ltarf is not None:
        yield "tariff_period", reading.ltarf
    drawn = reading.sinsts if reading.sinsts is not None else reading.sinst1  # a pilot meter's spelling
    if drawn is not None and reading.pref:
        yield "power_used_percent", round(drawn / reading.pref / 10)


def _of_register(register: StatusRegister) -> Iterator[tuple[str, Value]]:
    return ((part, getattr(register, part)) for part in REGISTER_PARTS)


def _of_historique(reading: Historique) -> Iterator[tuple[str, Value]]:
    if reading.ptec is not None:
        yield "tariff_period", reading.ptec
        yield "tariff_index", PERIOD_INDEX[reading.ptec]
        if reading.ptec[2:3] == "J":
            yield "tempo_today", _DAY_COLOUR[reading.ptec[3]]
    if "demain" in reading.model_fields_set:
        yield "tempo_tomorrow", reading.demain
    if reading.papp is not None and reading.isousc:
        phases = 3 if reading.iinst1 is not None else 1
        yield "power_used_percent", round(reading.papp * 100 / (reading.isousc * _LINKY_VOLT * phases))


class LineQuality:
    """How well the line works, over the last minute of frames."""

    def __init__(self, window: float = 60.0) -> None:
        self._window = window
        self._frames: deque[tuple[float, int, int]] = deque()  # (monotonic seconds, accepted, refused)

    def add(self, frame: Checked) -> None:
        """Count a frame, and forget those that are too old to count."""
        reading = frame.decoded.reading
        accepted = len(list(reading.values())) + len(reading.extra) if reading else 0
        self._frames.append((frame.at.monotonic, accepted, len(frame.decoded.refused)))
        self._forget(frame.at.monotonic)

    def values(self, now: float) -> Iterator[tuple[str, Value]]:
        """Share of groups accepted (%), and frames a minute."""
        self._forget(now)
        accepted = sum(frame[1] for frame in self._frames)
        total = accepted + sum(frame[2] for frame in self._frames)
        if total:
            yield "link_quality", round(100 * accepted / total)
        if len(self._frames) > 1:
            span = self._frames[-1][0] - self._frames[0][0]
            if span > 0:
                yield "frames_per_minute", round((len(self._frames) - 1) * 60 / span)

    def _forget(self, now: float) -> None:
        while self._frames and now - self._frames[0][0] > self._window:
            self._frames.popleft()
