"""Tempo: the colour of today and of tomorrow, reconciled from all that speak of them.

A Tempo day runs from 06:00 to 06:00. *Today* is the one in force, whose price the household pays now: at 03:00 that is
still the day that began the morning before. *Tomorrow* is the one that follows: at 03:00 the day that begins in three
hours. PTEC and DEMAIN count so; for STGE no document tells whether its two colours turn at midnight or at 06:00, so at
night its colour of today is compared with the tariff that it says to be in force.

Nothing says blue by being silent: without a source the colour is unknown. docs/design/derived.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple

from bridge.derived.peaks import Peak
from bridge.derived.told import Told
from bridge.tic.catalogue import TEMPO_COLOURS
from bridge.tic.values import StatusRegister

BLUE, WHITE, RED = TEMPO_COLOURS
_BEGINS: Final = timedelta(hours=6)
_DAY: Final = timedelta(days=1)
_BY_PEAK: Final = {None: BLUE, "pm1": WHITE, "pm2": RED}
_BY_PEAK_NUMBER: Final = {1: WHITE, 2: RED}
_BY_PERIOD: Final = {"B": BLUE, "W": WHITE, "R": RED}  # the last letter of PTEC


class Colour(NamedTuple):
    """A day's colour and who says it: stge, dpm, ptec or demain; None when nobody does."""

    word: str | None = None
    source: str | None = None


class Colours(NamedTuple):
    """Of the Tempo day in force, and of the next."""

    today: Colour = Colour()
    tomorrow: Colour = Colour()

    def told(self) -> Iterator[Told]:
        """Both as derived values."""
        yield Told("tempo_today", self.today.word, {"source": self.today.source})
        yield Told("tempo_tomorrow", self.tomorrow.word, {"source": self.tomorrow.source})


def of_standard(register: StatusRegister, peaks: Iterable[Peak], wall: datetime) -> Colours | None:
    """Colours in mode standard, at a time of the meter's clock; None for a meter that is not on Tempo.

    On Tempo, the register's colour of today is never "not announced" (54E section 6.2.3.14), elsewhere always.
    """
    today, tomorrow = register.tempo_today, register.tempo_tomorrow
    if today is None and tomorrow is None:
        return None
    in_force = _in_force(register)
    if wall.hour < 6 and today is not None and in_force not in (None, today):
        # This register turns at midnight: its today is the day that begins at 06:00.
        return Colours(Colour(in_force, "stge"), Colour(today, "stge"))
    return Colours(
        _first(Colour(today, "stge"), Colour(_running(peaks, wall), "dpm")),
        _first(Colour(tomorrow, "stge"), Colour(_announced(peaks, wall), "dpm")),
    )


def of_historique(period: str | None, tomorrow: str | None) -> Colours | None:
    """Colours in mode historique, from PTEC and DEMAIN; None for a period that is not Tempo's."""
    today = _BY_PERIOD.get(period[-1:]) if period and period[2:3] == "J" else None
    if today is None and tomorrow is None:
        return None
    return Colours(_first(Colour(today, "ptec")), _first(Colour(tomorrow, "demain")))


def next_day(wall: datetime) -> datetime:
    """When the Tempo day that follows the one in force begins."""
    return datetime.combine((wall - _BEGINS).date(), time()) + _DAY + _BEGINS


def _first(*colours: Colour) -> Colour:
    return next((colour for colour in colours if colour.word is not None), Colour())


def _in_force(register: StatusRegister) -> str | None:
    """The colour that is being paid, when the register's index and mobile peak agree on it.

    Indexes 1 and 2 are blue, 3 and 4 white, 5 and 6 red (54E section 6.1); PM1 is white, PM2 red (public frames).
    """
    index = register.tariff_index
    by_index = TEMPO_COLOURS[(index - 1) // 2] if index is not None and index <= 6 else None
    return by_index if by_index == _BY_PEAK.get(register.peak) else None


def _running(peaks: Iterable[Peak], wall: datetime) -> str | None:
    return _only({_BY_PEAK_NUMBER.get(peak.number) for peak in peaks if peak.is_in_force(wall)})


def _announced(peaks: Iterable[Peak], wall: datetime) -> str | None:
    """Known hours before STGE says it. A running peak hides a second one of its colour, so absence tells nothing."""
    tomorrow = next_day(wall)
    return _only({_BY_PEAK_NUMBER.get(p.number) for p in peaks if tomorrow <= p.begins < tomorrow + _DAY})


def _only(colours: set[str | None]) -> str | None:
    """The one colour; two contradict each other, and STGE will settle it."""
    return colours.pop() if len(colours) == 1 else None
