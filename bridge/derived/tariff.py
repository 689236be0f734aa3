"""The supplier index in force, and when another one follows.

A meter in mode standard sends tomorrow's profile (PJOURF+1) and the numbers of today's and tomorrow's (NJOURF,
NJOURF+1). Each profile seen is remembered under its number, so today's is known at once when both numbers are the same,
else once it was tomorrow's. What the profiles foretell must agree with the index in force, or nothing is said. Times
are those of the meter's clock, without a zone: by that clock it switches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from bridge.derived.peaks import Peak
from bridge.tic.models import Standard
from bridge.tic.values import DayProfile

_DAY: Final = timedelta(days=1)
_LATE: Final = timedelta(minutes=1)  # that a switch may come before or after its time
_INDEXES_PER_COLOUR: Final = 2  # Tempo: PM1 moves indexes 1 and 2 to 3 and 4, PM2 to 5 and 6


class Change(NamedTuple):
    """From `at` on the supplier index of this number runs; None when only the time is known."""

    at: datetime
    number: int | None


class NextDay(NamedTuple):
    """The Tempo day that follows the one in force."""

    begins: datetime
    peak: int | None  # the number of the mobile peak that its colour is, 0 for blue; None: the colour is not known


class Running:
    """The supplier index in force, as STGE and NTARF agree on it.

    They are written into a frame one after the other, so around a switch they may differ for one frame.
    """

    def __init__(self) -> None:
        self._differed = False
        self.index: int | None = None

    def take(self, *said: int | None) -> None:
        """Hear what each says in a frame; None for the one that is missing, or whose code is not defined."""
        indexes = {index for index in said if index is not None}
        if len(indexes) == 1:
            self.index, self._differed = indexes.pop(), False
        elif indexes and self._differed:
            self.index = None
        elif indexes:
            self._differed = True


class Days:
    """Which profile rules today and tomorrow."""

    def __init__(self) -> None:
        self._profiles: dict[int, DayProfile] = {}  # by number
        self._sent: Any = None  # of the last frame: the numbers, the profile, and the day
        self.known: Mapping[date, DayProfile] = {}

    def take(self, reading: Standard, today: date) -> None:
        """Learn from a frame, sent on this day of the meter's calendar."""
        sent = (reading.njourf, reading.njourf_next, reading.pjourf_next, today)
        if sent == self._sent:
            return
        number, next_number, profile, _ = self._sent = sent
        if next_number is not None and profile is not None:
            self._profiles[next_number] = profile
        if number is not None and next_number is not None:
            days = ((today, number), (today + _DAY, next_number))
            self.known = {day: self._profiles[n] for day, n in days if n in self._profiles}
        elif today not in self.known:
            self.known = {}

    def forget(self) -> None:
        """Another contract has other profiles."""
        self._profiles.clear()
        self._sent = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """What is known of the days around now."""

    days: Mapping[date, DayProfile]
    peaks: tuple[Peak, ...] = ()
    tempo: NextDay | None = None  # None: the meter is not on Tempo

    def next_change(self, now: datetime, running: int) -> Change | None:
        """When another index follows the running one; None when that is not known, or not within these days."""
        # The running index is the one that is due now, unless its switch comes a little early or late.
        for seen_from in (now, now + _LATE, now - _LATE):
            if self._index(seen_from) == running:
                return self._change(seen_from, running)
        return None

    def _change(self, after: datetime, running: int) -> Change | None:
        # There always is one: beyond the last switch nothing is known, and that is no index.
        at = min(at for at in set(self._switches()) if at > after and self._index(at) != running)
        index = self._index(at)
        is_known = index is not None or self._begins_a_day(at) or any(peak.begins == at for peak in self.peaks)
        return Change(at, index) if is_known else None

    def _begins_a_day(self, at: datetime) -> bool:
        """Whether the next Tempo day begins with other hours: then its index is another one in any colour."""
        if self.tempo is None or at != self.tempo.begins:
            return False
        before, then = self._plain(at - _LATE), self._plain(at)
        return None not in (before, then) and before != then

    def _index(self, at: datetime) -> int | None:
        peak = next((peak for peak in self.peaks if peak.is_in_force(at)), None)
        if peak is not None and peak.profile is not None:
            return index_at(peak.profile, at)
        number = self._colour(at) if peak is None else peak.number
        # A peak's profile may have been said before we came, and that of a peak right after one of the same number is
        # never said. In every public pair of a Tempo contract it has the hours of the day.
        index = self._plain(at) if self.tempo is not None or not number else None
        return None if index is None or number is None else index + _INDEXES_PER_COLOUR * number

    def _colour(self, at: datetime) -> int | None:
        """The number of the peak that a time without one belongs to, which on Tempo may have been announced alone."""
        if self.tempo is None or at < self.tempo.begins:
            return 0
        return self.tempo.peak if at < self.tempo.begins + _DAY else None

    def _plain(self, at: datetime) -> int | None:
        """The index of the day's own profile."""
        return index_at(self.days.get(at.date()), at)

    def _switches(self) -> Iterator[datetime]:
        """All times at which something may change; beyond the last one nothing is known."""
        of_peaks = [peak.profile for peak in self.peaks if peak.profile is not None]
        for day in {*self.days, *(at.date() for peak in self.peaks for at in (peak.begins, peak.ends))}:
            yield datetime.combine(day, time())
            yield datetime.combine(day + _DAY, time())
            for profile in (*of_peaks, *([self.days[day]] if day in self.days else ())):
                yield from (datetime.combine(day, time.fromisoformat(switch.at)) for switch in profile.switches)
        for peak in self.peaks:
            yield from (peak.begins, peak.ends)
        if self.tempo is not None:
            yield from (self.tempo.begins, self.tempo.begins + _DAY)


def index_at(profile: DayProfile | None, at: datetime) -> int | None:
    """The supplier index of a profile at a time of its day."""
    clock = f"{at:%H:%M}"
    begun = [switch for switch in profile.switches if switch.at <= clock and switch.index] if profile else []
    return max(begun, key=attrgetter("at")).index if begun else None
