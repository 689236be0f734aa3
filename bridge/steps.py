"""Can an index have come this far? The breaker limits what a meter can count between two frames.

A value that falls, or jumps further than that, waits until two further frames agree with it: then the meter was reset
or its register replaced, and the new value is believed. What comes in between and continues the old count is believed
at once. Nothing is ever repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bridge.checked import Checked, Event
from bridge.tic.catalogue import BY_SLUG, FIELDS, Quantity
from bridge.tic.errors import Reason
from bridge.tic.models import Reading

_AGREE: Final = 2  # further frames that must agree with a value that cannot follow from the last
_MARGIN: Final = 2.0  # the breaker lets more than its rating through for a while
_ROUNDING: Final = 2  # Wh: both ends of a step are rounded down
_LARGEST: Final = 36_000  # VA: no customer of these meters has more
_LINKY_VOLT: Final = 200  # a Linky computes ISOUSC as the subscribed power over 200 V

INDEXES: Final = frozenset(
    row.slug for row in FIELDS if row.quantity in (Quantity.ENERGY, Quantity.REACTIVE_ENERGY) and not row.derived
)
CANONICAL: Final = {slug: BY_SLUG[slug].canonical for slug in INDEXES}
_NOT_DRAWN: Final = frozenset({"eait", "erq1", "erq2", "erq3", "erq4"})  # PCOUP does not limit these
_LIMITS: Final = frozenset({"pcoup", "isousc"})


class Count(NamedTuple):
    """An index that was believed, and when (seconds of `Checked.clock`)."""

    value: int
    at: float


@dataclass(slots=True)
class _Doubt:
    """A value that cannot follow from the last one, and how many further frames agreed with it."""

    value: int
    at: float
    agreed: int = 0


class Steps:
    """The indexes of one meter, by canonical slug: a meter that changes mode counts on."""

    def __init__(self, believed: Mapping[str, Count] | None = None) -> None:
        self._believed: dict[str, int] = {}
        self._absent: dict[str, float] = {}  # indexes that the last frame did not confirm: when they last were
        self._doubts: dict[str, _Doubt] = {}
        self._at = float("-inf")  # when all others were confirmed
        self._sent: frozenset[str] | set[str] = frozenset()  # labels of the last frame
        self._power = _LARGEST
        for slug, count in (believed or {}).items():
            self._believed[slug] = count.value
            self._absent[slug] = count.at

    def believed(self) -> dict[str, Count]:
        """What is known now, by canonical slug: for the next start."""
        return {slug: Count(value, self._absent.get(slug, self._at)) for slug, value in self._believed.items()}

    def check(self, frame: Checked, following: Reading | None = None) -> Checked:
        """The frame with its events, and without the indexes that it takes further frames to believe.

        An index seen for the first time is believed when the `following` reading agrees; without one it waits.
        """
        reading = frame.decoded.reading
        assert reading is not None, "a frame without a reading has no index"
        now = frame.clock
        sent = reading.model_fields_set
        to_check: Iterable[str] = frame.decoded.changed & INDEXES
        if sent is not self._sent:
            to_check = {*to_check, *self._compare_labels(sent)}
        if frame.decoded.changed & _LIMITS:
            self._power = _maximum_power(reading) or self._power
        if self._doubts:
            to_check = {*to_check, *(slug for slug in sent & INDEXES if CANONICAL[slug] in self._doubts)}
        withheld: dict[str, Reason] = {}
        events: list[Event] = []
        # Nearly all follow from the last frame: for those the limit is computed once, and nothing is called.
        since = now - self._at
        drawn, others = self._limit("east", since), self._limit("eait", since)
        believed, absent, values = self._believed, self._absent, vars(reading)
        for slug in to_check:
            canonical, value = CANONICAL[slug], values[slug]
            before = believed.get(canonical)
            if (
                before is not None
                and 0 <= value - before <= (others if canonical in _NOT_DRAWN else drawn)
                and canonical not in absent
            ):
                believed[canonical] = value  # one that is in doubt waits among the absent
                continue
            verdict = self._doubtful(slug, canonical, value, now, following)
            if isinstance(verdict, Reason):
                withheld[slug] = verdict
            elif verdict is not None:
                events.append(verdict)
        self._at = now
        if events:
            frame = frame._replace(events=(*frame.events, *events))
        return frame.without(withheld) if withheld else frame

    def _compare_labels(self, sent: set[str]) -> Iterable[str]:
        """Labels came or went: remember since when the missing ones wait; what came is to be looked at."""
        differing = sent ^ self._sent
        self._sent = sent
        came = {slug for slug in differing if slug in sent and slug in INDEXES}
        went = {CANONICAL[slug] for slug in differing if slug not in sent and slug in INDEXES}
        for canonical in went.difference(map(CANONICAL.__getitem__, came)):
            if canonical in self._believed:
                self._absent.setdefault(canonical, self._at)
        return came

    def _doubtful(
        self, slug: str, canonical: str, value: int, now: float, following: Reading | None
    ) -> Event | Reason | None:
        """An index that does not simply follow: believed (None, or the event of a reset), or withheld for a reason."""
        since = self._absent.get(canonical, self._at)
        before = self._believed.get(canonical)
        if before is not None and 0 <= value - before <= self._limit(canonical, now - since):
            self._believe(canonical, value)
            return None
        doubt = self._doubts.get(canonical)
        if doubt is not None and 0 <= value - doubt.value <= self._limit(canonical, now - doubt.at):
            doubt.value, doubt.at, doubt.agreed = value, now, doubt.agreed + 1
            if doubt.agreed >= (_AGREE if before is not None else _AGREE - 1):
                self._believe(canonical, value)
                return None if before is None else Event(
                    "index_reset", {"field": canonical, "before": before, "after": value}
                )  # fmt: skip
        elif before is None and following is not None and self._agrees(canonical, value, following.get(slug)):
            self._believe(canonical, value)
            return None
        else:
            self._doubts[canonical] = _Doubt(value, now)
        if before is not None:
            self._absent.setdefault(canonical, since)
        return Reason.INDEX if before is not None else Reason.UNCONFIRMED

    def _agrees(self, canonical: str, value: int, later: int | None) -> bool:
        """Whether the next frame's value can follow: the two are a frame apart."""
        return later is not None and 0 <= later - value <= self._limit(canonical, 60.0)

    def _believe(self, canonical: str, value: int) -> None:
        self._believed[canonical] = value
        self._absent.pop(canonical, None)
        self._doubts.pop(canonical, None)

    def _limit(self, canonical: str, seconds: float) -> float:
        """How far an index can move in a time, in Wh or varh."""
        power = _LARGEST if canonical in _NOT_DRAWN else self._power
        return _MARGIN * power * max(0.0, seconds) / 3600 + _ROUNDING


def _maximum_power(reading: Reading) -> int | None:
    """VA that the breaker lets through, as far as this frame tells; a damaged limit widens the step only so far."""
    cutoff = reading.get("pcoup")
    if cutoff:
        return min(int(cutoff) * 1000, _LARGEST)
    subscribed = reading.get("isousc")
    if subscribed:
        phases = 3 if reading.get("iinst1") is not None else 1
        return min(int(subscribed) * _LINKY_VOLT * phases, _LARGEST)
    return None
