"""Is this still the same meter?

One flipped bit can turn a serial number into another without touching the checksum (bit 6 does not enter a sum
modulo 64), so an address counts only once two frames in a row agree on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bridge.checked import Checked, Event
from bridge.tic.errors import Reason
from bridge.tic.models import Reading

_HELD: Final = 16  # frames that may wait for an address before the oldest is given up


class Address:
    """Tells whose the frames of one source are, in order; make a new one when the source is opened again.

    With `configured`, the owner's own id names the meter; its frames wait only while an address is in doubt.
    """

    def __init__(self, configured: str | None = None) -> None:
        self._configured = configured
        self._confirmed: str | None = None
        self._candidate: str | None = None
        self._held: list[Checked] = []

    def knows(self, reading: Reading | None) -> bool:
        """Whether a reading is the confirmed meter's own, and nothing is in doubt: nearly always so."""
        return (
            reading is not None
            and self._candidate is None
            and self._confirmed is not None
            and reading.meter_id == self._confirmed
        )

    def check(self, frame: Checked) -> Iterator[Checked]:
        """Yield what can be told apart now: nothing, this frame, or this one and those that waited for it."""
        frame = frame._replace(meter=self._name)
        seen = _address(frame)
        if frame.decoded.reading is None:
            yield frame
        elif seen is None:
            yield from self._without_address(frame)
        elif seen == self._confirmed:
            yield from self._give_up_candidate()
            yield frame
        elif seen == self._candidate:
            yield from self._confirm(seen)
            yield frame._replace(meter=self._name)
        else:
            yield from self._give_up_candidate()
            self._candidate = seen
            yield from self._hold(frame)

    def flush(self) -> Iterator[Checked]:
        """Yield what still waits, at the end of a stream."""
        if self._confirmed is None:
            held, self._held = self._held, []
            yield from held
        else:
            yield from self._give_up_candidate()

    @property
    def _name(self) -> str | None:
        return self._configured or self._confirmed

    def _without_address(self, frame: Checked) -> Iterator[Checked]:
        if self._held or self._name is None:
            yield from self._hold(frame)
        else:
            yield frame

    def _hold(self, frame: Checked) -> Iterator[Checked]:
        self._held.append(frame)
        if len(self._held) > _HELD:
            yield self._decide(self._held.pop(0))

    def _confirm(self, address: str) -> Iterator[Checked]:
        events: tuple[Event, ...] = ()
        if self._confirmed is not None:
            events = (Event("meter_change", {"before": self._confirmed, "after": address}),)
        self._confirmed, self._candidate = address, None
        held, self._held = self._held, []
        for frame in held:
            yield frame._replace(meter=self._name, events=events)
            events = ()

    def _give_up_candidate(self) -> Iterator[Checked]:
        """The address that waited for a second frame was not the meter's: its frames are, without it."""
        held, self._held = self._held, []
        self._candidate = None
        for frame in held:
            if self._name is None and _address(frame) is None:
                self._held.append(frame)  # it never said that it was that meter's: it waits on
            else:
                yield self._decide(frame)

    def _decide(self, frame: Checked) -> Checked:
        """A frame that will not wait any longer."""
        if self._name is None:
            return frame.refused_whole(Reason.METER_ID)
        return _unaddressed(frame)


def _address(frame: Checked) -> str | None:
    return frame.decoded.reading.meter_id if frame.decoded.reading else None


def _unaddressed(frame: Checked) -> Checked:
    """The frame without its address, which is refused if there is one."""
    assert frame.decoded.reading is not None, "only frames with a reading wait"
    slug, _ = frame.decoded.reading.address
    return frame.without({slug: Reason.METER_ID})
