"""What needs the memory of earlier frames: whose they are, whether an index can have come this far, what is impossible.

A checksum of six bits lets one damaged group in 64 through; length, characters and parity stop most of the rest, and
this the last of it. What it withholds is refused with its reason; nothing is ever repaired.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from bridge.address import Address
from bridge.checked import Checked, Event, Moment
from bridge.steps import Count, Steps
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason
from bridge.tic.models import Reading, Standard

__all__ = ["Checked", "Event", "Guard", "Memory", "Moment"]

# What outlives a guard: meter -> canonical slug of an index -> the value believed last, and when (host's UTC).
Memory = dict[str, dict[str, tuple[int, datetime]]]

_METERS: Final = 16  # that one source may be remembered to have had
_reason = attrgetter("reason")
_IMPOSSIBLE: Final = 1.1  # SINSTSn beyond URMSn x (IRMSn + 1) by more than this; IRMSn is rounded down


class Guard:
    """Checks the frames of one source, in order; make a new one, with the same memory, when it is opened again.

    The first frame of a meter waits for the second: two that agree prove more than one. With `configured`, the
    owner's own id names the meter.
    """

    def __init__(self, configured: str | None = None, memory: Memory | None = None) -> None:
        self._address = Address(configured)
        self._memory: Memory = {} if memory is None else memory
        self._meter: str | None = None
        self._steps = Steps()
        self._first: Checked | None = None
        self._last = Checked(Decoded(None), None, Moment.never())
        self._owed: frozenset[str] = frozenset()  # slugs that changed in a frame which had to withhold them
        self._at: float | None = None
        self._clock = 0.0

    def check(self, decoded: Decoded, at: Moment, seconds: float = 0.0) -> Iterator[Checked]:
        """Yield what can be told apart now: nothing, this frame, or this one and those that waited for it.

        `seconds` is how long the frame took on the line at least. A recorded file is read faster than that, and what
        an index may have counted meanwhile depends on the meter's time.
        """
        passed = 0.0 if self._at is None else at.monotonic - self._at
        self._at = at.monotonic
        self._clock += max(passed, seconds)
        if self._meter is not None and self._first is None and self._address.knows(decoded.reading):
            yield self._settle(Checked(decoded, self._meter, at, (), self._clock))
            return
        for frame in self._address.check(Checked(decoded, None, at, (), self._clock)):
            yield from self._pass(frame)

    def flush(self) -> Iterator[Checked]:
        """Yield what still waits, at the end of a stream."""
        for frame in self._address.flush():
            yield from self._pass(frame)
        if self._first is not None:
            first, self._first = self._first, None
            yield self._settle(first)

    def remember(self) -> None:
        """Write what is believed now into the memory."""
        if self._meter is not None:
            utc, clock = self._last.at.utc, self._last.clock
            self._memory.pop(self._meter, None)  # the newest stands last
            self._memory[self._meter] = {
                slug: (count.value, utc - timedelta(seconds=clock - count.at))
                for slug, count in self._steps.believed().items()
            }
            if len(self._memory) > _METERS:
                del self._memory[next(iter(self._memory))]

    def _pass(self, frame: Checked) -> Iterator[Checked]:
        reading = frame.decoded.reading
        if reading is None or frame.meter is None:
            yield _possible(frame)
            return
        if frame.meter != self._meter:
            self._begin(frame)
            return
        if self._first is not None:
            first, self._first = self._first, None
            yield self._settle(first, reading)
        yield self._settle(frame)

    def _begin(self, frame: Checked) -> None:
        """Another meter, or the first: its first frame waits."""
        assert self._first is None, "two frames made the last meter sure"
        self.remember()
        self._meter, self._first, self._last = frame.meter, frame, frame
        self._steps = Steps(self._recall(frame))

    def _recall(self, frame: Checked) -> dict[str, Count]:
        """What an earlier guard believed of this meter; a memory from the future tells nothing."""
        assert frame.meter is not None, "only a meter that is sure has a memory"
        believed = self._memory.get(frame.meter, {})
        return {
            slug: Count(value, frame.clock - (frame.at.utc - utc).total_seconds())
            for slug, (value, utc) in believed.items()
            if utc <= frame.at.utc
        }

    def _settle(self, frame: Checked, following: Reading | None = None) -> Checked:
        """The frame as it may leave."""
        given = frame
        frame = _possible(self._steps.check(frame, following))
        self._last = frame
        if self._owed or frame.decoded is not given.decoded or _lost_address(frame):
            frame = self._settle_changes(given, frame)
        return frame

    def _settle_changes(self, given: Checked, frame: Checked) -> Checked:
        """Name as changed what changed while it was withheld."""
        reading = frame.decoded.reading
        assert reading is not None, "frames without one pass by"
        before = given.decoded.reading
        assert before is not None, "as above"
        withheld = before.model_fields_set - reading.model_fields_set
        if _lost_address(frame):
            withheld = {*withheld, reading.address[0]}
        due = self._owed & reading.model_fields_set
        self._owed = (self._owed - due) | withheld
        return frame._replace(decoded=frame.decoded._replace(changed=frame.decoded.changed | due)) if due else frame


def _lost_address(frame: Checked) -> bool:
    """Whether the address was taken out of the frame, since another was expected."""
    return Reason.METER_ID in map(_reason, frame.decoded.refused)


def _possible(frame: Checked) -> Checked:
    """The frame without what no meter can mean, whichever it is."""
    impossible = _impossible(frame.decoded.reading)
    return frame if impossible is None else frame.without(impossible)


def _impossible(reading: Reading | None) -> dict[str, Reason] | None:
    """Power of a phase that its own voltage and current exclude; some three-phase meters send such.

    The sum of the phases is no such test: a phase that injects shows 0.
    """
    if not isinstance(reading, Standard) or reading.sinsts1 is None:
        return None
    wrong = {}
    for n in (1, 2, 3):
        power, volts, amperes = (reading.get(f"{label}{n}") for label in ("sinsts", "urms", "irms"))
        if None not in (power, volts, amperes) and power > volts * (amperes + 1) * _IMPOSSIBLE:
            wrong[f"sinsts{n}"] = Reason.POWER
    return wrong or None
