"""Mobile peaks that the meter knows of: DPMn, FPMn and PPOINTE (54E sections 6.2.3.15 and 6.2.3.23)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo
from operator import attrgetter
from typing import Any, Final, NamedTuple

from bridge.tic.models import Standard
from bridge.tic.values import DayProfile

_NUMBERS: Final = (1, 2, 3)
_SLUGS: Final = (*(f"{edge}pm{n}" for n in _NUMBERS for edge in "df"), "ppointe")
_sent = attrgetter(*_SLUGS)


class Peak(NamedTuple):
    """From when to when the profile of mobile peak `number` rules instead of the day's; times on the meter's clock."""

    number: int
    begins: datetime
    ends: datetime
    profile: DayProfile | None = None  # None: the meter was not heard to say it

    def is_in_force(self, wall: datetime) -> bool:
        """Whether it rules at that time."""
        return self.begins <= wall < self.ends


class Peaks:
    """Remembers them over frames that lack a group, and a profile once its peak began and PPOINTE went."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._sent: Any = None  # of the last frame, in the order of `_SLUGS`
        self._kept: dict[str, Any] = {}  # datetimes, and PPOINTE's profile
        self._profiles: dict[int, DayProfile] = {}  # by number: the contract fixes them
        self.known: tuple[Peak, ...] = ()

    def take(self, reading: Standard, gone: Collection[str], wall: datetime) -> None:
        """Learn from a frame. `gone` names the labels that stopped."""
        sent = _sent(reading)
        if sent == self._sent and not gone:
            return
        self._sent = sent
        self._kept |= {slug: value for slug, value in zip(_SLUGS, sent, strict=True) if value is not None}
        for slug in gone:
            self._kept.pop(slug, None)
        self._learn(wall)
        self.known = tuple(peak._replace(profile=self._profiles.get(peak.number)) for peak in self._windows())

    def forget(self) -> None:
        """Another contract has other profiles."""
        self._profiles.clear()
        self._sent = None

    def _windows(self) -> list[Peak]:
        """The peaks whose begin and end are both known."""
        edges = ((n, self._kept.get(f"dpm{n}"), self._kept.get(f"fpm{n}")) for n in _NUMBERS)
        return [Peak(n, self._wall(begins), self._wall(ends)) for n, begins, ends in edges if begins and ends]

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self._zone).replace(tzinfo=None)

    def _learn(self, wall: datetime) -> None:
        """PPOINTE is the profile of the next peak that did not begin; some meters go on sending it when it did."""
        profile = self._kept.get("ppointe")
        if profile is None:
            return
        windows = self._windows()
        coming = sorted((peak for peak in windows if peak.begins > wall), key=lambda peak: peak.begins)
        for peak in coming[:1] or (peak for peak in windows if peak.is_in_force(wall)):
            self._profiles[peak.number] = profile
