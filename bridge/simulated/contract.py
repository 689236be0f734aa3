"""What a simulated household pays by: indexes, days of each colour, mobile peaks, the meter's names for them.

Pure functions of a local time (an aware one, in French legal time) and a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from bridge.simulated.household import noise
from bridge.tic.catalogue import TEMPO_COLOURS, Mode
from bridge.tic.values import PARIS, DayProfile


class Contract(StrEnum):
    """What the simulated household pays by. A producer is on Base and injects its surplus."""

    BASE = "base"
    HCHP = "hchp"
    TEMPO = "tempo"
    EJP = "ejp"
    PRODUCER = "producer"


@dataclass(frozen=True, slots=True)
class Terms:
    """How the meter calls a contract and its periods, in the order of its supplier indexes."""

    calendar: str  # NGTF
    labels: tuple[str, ...]  # LTARF
    option: str  # OPTARIF
    indexes: tuple[str, ...]  # slugs in mode historique
    periods: tuple[str, ...]  # PTEC


_BASE: Final = Terms("BASE", ("BASE",), "BASE", ("base",), ("TH",))
TERMS: Final = {
    Contract.BASE: _BASE,
    Contract.PRODUCER: _BASE,
    Contract.HCHP: Terms(
        "H PLEINE/CREUSE", ("HEURE CREUSE", "HEURE PLEINE"), "HC", ("hchc", "hchp"), ("HC", "HP")
    ),
    Contract.EJP: Terms(
        "EJP", ("HEURE NORMALE", "POINTE MOBILE"), "EJP", ("ejphn", "ejphpm"), ("HN", "PM")
    ),
    Contract.TEMPO: Terms(
        "TEMPO",
        ("HC BLEU", "HP BLEU", "HC BLANC", "HP BLANC", "HC ROUGE", "HP ROUGE"),
        "BBR",
        ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
        ("HCJB", "HPJB", "HCJW", "HPJW", "HCJR", "HPJR"),
    ),
}  # fmt: skip
INDEXES: Final = {contract: terms.indexes for contract, terms in TERMS.items()}


def name(contract: Contract, mode: Mode, index: int) -> str:
    """What the meter calls a supplier index: LTARF, or PTEC in mode historique."""
    terms = TERMS[contract]
    return (terms.periods if mode is Mode.HISTORIQUE else terms.labels)[index - 1]


# --- days ----------------------------------------------------------------------------------------


def colour(day: date, seed: int) -> str:
    """The Tempo colour of a day (06:00 to 06:00): red on winter weekdays, white never on a Sunday."""
    draw = noise(seed, 30, day.toordinal())
    winter = day.month in (11, 12, 1, 2, 3)
    if winter and day.weekday() < 5 and draw < 0.2:
        return TEMPO_COLOURS[2]
    if (winter or day.month in (4, 10)) and day.weekday() != 6 and draw < 0.45:
        return TEMPO_COLOURS[1]
    return TEMPO_COLOURS[0]


def tempo_day(at: datetime) -> date:
    """The Tempo day of an instant: it begins at 06:00."""
    return (at - timedelta(hours=6)).date()


def tomorrow(at: datetime, seed: int) -> str | None:
    """The next Tempo day's colour, announced at 20:00."""
    return None if 6 <= at.hour < 20 else colour(tempo_day(at) + timedelta(days=1), seed)


def mobile_peak(day: date, seed: int) -> bool:
    """Whether an EJP peak runs from 07:00 of this day to 01:00 of the next."""
    return day.month in (11, 12, 1, 2, 3) and noise(seed, 31, day.toordinal()) < 22 / 151


def ejp_notice(at: datetime, seed: int) -> bool:
    """Whether the half hour before an EJP peak runs, in which a meter in mode historique sends PEJP."""
    return at.hour == 6 and at.minute >= 30 and mobile_peak(at.date(), seed)


def is_off_peak(at: datetime) -> bool:
    """Off-peak hours are 22:00 to 06:00, for every contract that has them."""
    return at.hour >= 22 or at.hour < 6


def running_index(contract: Contract, at: datetime, seed: int) -> int:
    """Number of the supplier index in force at a local time, from 1."""
    if contract is Contract.HCHP:
        return 1 if is_off_peak(at) else 2
    if contract is Contract.EJP:
        in_peak_hours = not 1 <= at.hour < 7
        return 2 if in_peak_hours and mobile_peak((at - timedelta(hours=7)).date(), seed) else 1
    if contract is Contract.TEMPO:
        return 2 * TEMPO_COLOURS.index(colour(tempo_day(at), seed)) + (1 if is_off_peak(at) else 2)
    return 1


# --- mobile peaks in mode standard ---------------------------------------------------------------

_KNOWN_FROM: Final = time(17)  # of the day before: DPMn, FPMn and PPOINTE are sent
_ANNOUNCED_FROM: Final = time(20)  # of the day before: STGE says so too
_TEMPO_PEAKS: Final = {TEMPO_COLOURS[1]: 1, TEMPO_COLOURS[2]: 2}  # white is PM1, red PM2


@dataclass(frozen=True, slots=True)
class Peak:
    """A mobile peak PM1 to PM3, by local times."""

    number: int
    begins: datetime
    ends: datetime

    def is_known(self, at: datetime) -> bool:
        """Whether the meter was told of it, and it is not over."""
        return self._eve(_KNOWN_FROM) <= at < self.ends

    def is_announced(self, at: datetime) -> bool:
        """Whether STGE gives notice of it: it is in force soon."""
        return self._eve(_ANNOUNCED_FROM) <= at < self.begins

    def is_in_force(self, at: datetime) -> bool:
        """Whether it runs."""
        return self.begins <= at < self.ends

    def _eve(self, clock: time) -> datetime:
        return _at(self.begins.date() - timedelta(days=1), clock)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, PARIS)


def peaks(contract: Contract, at: datetime, seed: int) -> list[Peak]:
    """The mobile peaks that the meter knows of, that in force first."""
    known = (peak for day in (0, 1) if (peak := _peak(contract, at, day, seed)) is not None)
    return [peak for peak in known if peak.is_known(at)]


def _peak(contract: Contract, at: datetime, later: int, seed: int) -> Peak | None:
    """The peak of the contract's day that holds `at`, or of a later one."""
    if contract is Contract.TEMPO:
        day = tempo_day(at) + timedelta(days=later)
        number = _TEMPO_PEAKS.get(colour(day, seed))
        return Peak(number, _at(day, time(6)), _at(day + timedelta(days=1), time(6))) if number else None
    if contract is Contract.EJP:
        day = (at - timedelta(hours=7)).date() + timedelta(days=later)
        begins, ends = _at(day, time(7)), _at(day + timedelta(days=1), time(1))
        return Peak(1, begins, ends) if mobile_peak(day, seed) else None
    return None


def _profile(*blocks: str) -> DayProfile:
    return DayProfile(" ".join(blocks))


_PROFILES: Final = {  # as real meters send them, at our hours; the contact closes off-peak
    Contract.HCHP: _profile("0000C001", "06008002", "2200C001"),
    Contract.TEMPO: _profile("00004001", "06004002", "22004001"),  # the blue day's, whatever the colour
}
_FLAT: Final = _profile("00008001")
_PEAK_PROFILES: Final = {
    (Contract.TEMPO, 1): _profile("00004003", "06004004", "22004003"),
    (Contract.TEMPO, 2): _profile("00004005", "06004006", "22004005"),
    (Contract.EJP, 1): _profile("00008002", "01008001", "07008002"),
}


def next_day(contract: Contract) -> DayProfile:
    """PJOURF+1."""
    return _PROFILES.get(contract, _FLAT)


def next_peak_day(contract: Contract, peak: Peak) -> DayProfile:
    """PPOINTE, of a peak that has not begun."""
    return _PEAK_PROFILES[contract, peak.number]
