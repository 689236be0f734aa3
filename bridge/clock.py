"""Which clock tells when a reading was taken: the host's, the meter's, or nobody's for the moment.

A Raspberry Pi has no clock of its own: until the network gives it the time it lives in the past, and steps when it
comes. The meter's clock (DATE, mode standard) is right to some seconds and says itself when it is not. `ts` is the
only axis of time that queries have, so a reading's must not jump with the host.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from bridge import BUILT
from bridge.checked import Moment
from bridge.tic.values import Stamp

APART: Final = 10.0  # seconds between host and meter from which on one of them is wrong
TOGETHER: Final = 5.0  # and below which they agree again
FOR: Final = 60.0  # seconds that either must last
_PULL: Final = 0.02  # how fast the meter's offset follows its stamps, which come in whole seconds

ClockWord = Literal["host", "meter", "unsure"]


class Told(NamedTuple):
    """When a reading was taken (UTC), and by whose clock."""

    ts: datetime
    clock: ClockWord


def is_plausible(utc: datetime) -> bool:
    """A clock that shows less than this program's own date is wrong."""
    return utc >= BUILT


class ReadingClock:
    """Chooses the clock for the readings of one meter, in order."""

    def __init__(self) -> None:
        self._offset: float | None = None  # the meter's UTC less the monotonic clock, seconds
        self._steady_since = 0.0
        self._host: float | None = None  # the host's UTC less the monotonic clock, at the last reading
        self._by_meter = False
        self._since: float | None = None  # from when on the other clock was to be preferred

    def tell(self, at: Moment, stamp: Stamp | None) -> Told:
        """The time of a reading that was received at `at` and, in mode standard, dated `stamp` by the meter."""
        host = at.utc.timestamp() - at.monotonic
        stepped = self._host is not None and abs(host - self._host) > APART
        self._host = host
        if stamp is not None and not stamp.degraded:
            self._follow(stamp.at.timestamp() - at.monotonic, at.monotonic)
        if not is_plausible(at.utc):
            by_meter = self._by_the_meter(at.monotonic)
            return by_meter if by_meter is not None and is_plausible(by_meter.ts) else Told(at.utc, "unsure")
        self._choose(host, at.monotonic, stepped=stepped)
        by_meter = self._by_the_meter(at.monotonic) if self._by_meter else None
        return by_meter or Told(at.utc, "host")

    def _follow(self, offset: float, now: float) -> None:
        if self._offset is None or abs(offset - self._offset) > APART:
            self._offset, self._steady_since = offset, now  # it was set, or is not the clock of a meter in real time
        else:
            self._offset += _PULL * (offset - self._offset)

    def _choose(self, host: float, now: float, *, stepped: bool) -> None:
        if self._offset is None or now - self._steady_since < FOR:
            self._by_meter, self._since = False, None
            return
        apart = abs(host - self._offset)
        if not (apart < TOGETHER if self._by_meter else apart > APART):
            self._since = None
            return
        self._since = now if self._since is None else self._since
        # The host's clock that steps away from one that keeps its pace is the one that is wrong.
        if now - self._since >= FOR or (stepped and not self._by_meter):
            self._by_meter, self._since = not self._by_meter, None

    def _by_the_meter(self, now: float) -> Told | None:
        if self._offset is None:
            return None
        return Told(datetime.fromtimestamp(0, UTC) + timedelta(seconds=now + self._offset), "meter")
