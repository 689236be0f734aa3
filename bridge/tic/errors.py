"""What can be wrong with a line.

    TicError                 anything that the meter's line can do wrong
    └── GroupError           one group is refused; its neighbours are kept

A refusal is a value (`Refused`), not an exception, as soon as it leaves the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a group, or a value, was not let through."""

    SHAPE = "shape"  # no separator, no checksum, too short or too long
    PARITY = "parity"  # a character arrived with the wrong parity
    CHECKSUM = "checksum"
    UNKNOWN_LABEL = "unknown_label"  # right checksum, first sight of a label that the catalogue does not know
    MODE = "mode"  # a group of the other mode inside a frame
    LENGTH = "length"  # not the exact number of characters
    CHARACTERS = "characters"  # a character outside the label's class
    STAMP = "stamp"  # no horodate where one is due, or no such date
    VALUE = "value"  # outside what the note defines
    REPEATED = "repeated"  # the same label twice in one frame with different data
    TEST_FRAME = "test_frame"  # a PME-PMI says that its values are made up (TRAME TEST)
    UNCONFIRMED = "unconfirmed"  # an index seen for the first time waits for a second frame
    INDEX = "index"  # an index that falls, or jumps beyond what the breaker allows, waits for two further frames
    POWER = "power"  # a phase's power that its voltage and current exclude
    METER_ID = "meter_id"  # the meter's address is not, or no longer, confirmed by a second frame


class TicError(Exception):
    """Anything that the meter's line can do wrong."""


class GroupError(TicError):
    """One group is refused, for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Refused:
    """A group that was not let through: its label as far as it can be told, its text, and why."""

    label: str
    raw: str
    reason: Reason
