"""What needs the memory of earlier frames: is this still the same meter?

One flipped bit can turn a serial number into another without touching the checksum (bit 6 does not enter a sum
modulo 64), so an address counts only once two frames in a row agree on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused

_HELD: Final = 16  # frames that may wait for an address before the oldest is given up


class Moment(NamedTuple):
    """When a frame was received: the host's clock (UTC), and one that never steps (seconds)."""

    utc: datetime
    monotonic: float

    @classmethod
    def never(cls) -> Moment:
        """Before anything was received."""
        return cls(datetime.min.replace(tzinfo=UTC), 0.0)


class Checked(NamedTuple):
    """A frame that passed the guard. `meter` is None as long as no address is confirmed."""

    decoded: Decoded
    meter: str | None
    at: Moment


class Guard:
    """Checks the frames of one source, in order; make a new one when the source is opened again.

    With `configured`, the owner's own id names the meter and no frame waits for an address.
    """

    def __init__(self, configured: str | None = None) -> None:
        self._configured = configured
        self._confirmed: str | None = None
        self._candidate: str | None = None
        self._held: list[Checked] = []
        self.meter_changes = 0

    def check(self, decoded: Decoded, at: Moment) -> Iterator[Checked]:
        """Yield what can be told apart now: nothing, this frame, or this one and those that waited for it."""
        frame = Checked(decoded, self._name, at)
        seen = _address(frame)
        if decoded.reading is None:
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
            if self._configured and self._confirmed is None:
                yield _unaddressed(frame)
            else:
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
        if self._confirmed is not None:
            self.meter_changes += 1
        self._confirmed, self._candidate = address, None
        held, self._held = self._held, []
        yield from (frame._replace(meter=self._name) for frame in held)

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
        return _refused(frame) if self._name is None else _unaddressed(frame, Reason.METER_ID)


def _address(frame: Checked) -> str | None:
    return frame.decoded.reading.meter_id if frame.decoded.reading else None


def _unaddressed(frame: Checked, reason: Reason | None = None) -> Checked:
    """The frame without its address, which is refused when a reason is given."""
    reading = frame.decoded.reading
    assert reading is not None, "only frames with a reading wait"
    slug, address = reading.address
    if address is None:
        return frame
    refused = frame.decoded.refused
    if reason is not None:
        refused = (*refused, Refused(slug.upper(), address, reason))
    return frame._replace(decoded=frame.decoded._replace(reading=reading.without(slug), refused=refused))


def _refused(frame: Checked) -> Checked:
    """The whole frame is refused: whose it is cannot be told."""
    reading = frame.decoded.reading
    assert reading is not None, "only frames with a reading wait"
    slug, address = reading.address
    refused = (*frame.decoded.refused, Refused(slug.upper(), address or "", Reason.METER_ID))
    return frame._replace(decoded=frame.decoded._replace(reading=None, refused=refused))
