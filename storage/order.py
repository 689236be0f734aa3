"""What the owner asks of `capture_tic`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.config import MeterSettings
from bridge.recording import is_recording
from bridge.tic.catalogue import BAUD


@dataclass(frozen=True, slots=True)
class Order:
    """What the owner asks for."""

    meter: MeterSettings
    interval: float = 0.0  # seconds between two readings
    once: bool = False
    max_errors: int = 10
    start: datetime | None = None  # of a recording that tells no time


def banner(meter: MeterSettings) -> str:
    """Port, speed and mode in one line."""
    if is_recording(meter.source):
        return f"Reading the recorded file {meter.source}"
    mode = meter.tic_mode
    how = "speed and mode are found by listening" if mode is None else f"{BAUD[mode]} baud, mode {mode.value}"
    return f"Capturing from {meter.source}: {how}"


def chosen_meter(
    meters: Sequence[MeterSettings], port: str | None, mode: str | None, baud: int | None
) -> MeterSettings:
    """The configured meter at this port, or one that is not configured; `ValueError` when mode and speed contradict."""
    meter = meters[0]
    if port is not None:
        new = MeterSettings(source=port, timezone=meter.timezone)
        meter = next((known for known in meters if known.source == port), new)
    of_baud = next((each.value for each, speed in BAUD.items() if speed == baud), None)
    if of_baud is not None and mode not in (None, "auto", of_baud):
        raise ValueError(f"--baud {baud} is mode {of_baud}, not {mode}: give one of the two")
    chosen = of_baud or mode
    return meter if chosen is None else meter.model_copy(update={"mode": chosen})
