"""What a meter in mode historique tells beyond its labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from bridge.checked import Moment
from bridge.derived import tempo
from bridge.derived.power import MeanPower, drawn_total
from bridge.derived.told import Told
from bridge.tic.models import Historique

# Supplier index of a period, in the order of the indexes of its contract (54E section 6.1).
PERIOD_INDEX: Final = {
    "TH": 1, "HC": 1, "HP": 2, "HN": 1, "PM": 2,
    "HCJB": 1, "HPJB": 2, "HCJW": 3, "HPJW": 4, "HCJR": 5, "HPJR": 6,
}  # fmt: skip
_LINKY_VOLT: Final = 200  # a Linky computes ISOUSC as the subscribed power over 200 V

_SINGLE: Final = ("over_power", "iinst", "adps")
_PHASES: Final = tuple((f"over_power_{n}", f"iinst{n}", f"adir{n}") for n in (1, 2, 3))


class OfHistorique:
    """Follows one meter. Its short frames, on three phases, lack nearly all: that changes nothing."""

    def __init__(self) -> None:
        self._subscribed: int | None = None  # A
        self._period: str | None = None
        self._tomorrow: str | None = None
        self._power = MeanPower()
        self._is_total = False  # the total was told by us, and not by BASE

    def take(self, reading: Historique, at: Moment, gone: Collection[str]) -> Iterator[Told]:
        """What this frame tells. `gone` names the labels that stopped."""
        self._subscribed = reading.isousc or self._subscribed
        yield from self._tariff(reading)
        yield from self._overrun(reading, gone)
        drawn = drawn_total(reading)
        yield from self._total(reading, drawn)
        if drawn is not None or self._power.is_watching:
            yield Told("active_power_mean", self._power.take(drawn, None, at.monotonic))
        if reading.papp is not None and self._subscribed:
            phases = 3 if reading.iinst1 is not None else 1
            yield Told("power_used_percent", round(reading.papp * 100 / (self._subscribed * _LINKY_VOLT * phases)))

    def _total(self, reading: Historique, drawn: int | None) -> Iterator[Told]:
        """EAST of a contract with several indexes: their sum, of a frame that has them all."""
        if reading.base is not None and self._is_total:
            self._is_total = False
            yield Told("east", None)
        elif reading.base is None and drawn is not None:
            self._is_total = True
            yield Told("east", drawn)

    def _tariff(self, reading: Historique) -> Iterator[Told]:
        """No label tells when the period ends, and an hour learned is wrong the day that it is moved: not guessed."""
        sent = reading.model_fields_set
        if reading.ptec is not None:
            yield Told("tariff_period", reading.ptec)
            yield Told("tariff_index", PERIOD_INDEX[reading.ptec])
            self._period = reading.ptec
        if "demain" in sent:  # `----` is None, and was said
            self._tomorrow = reading.demain
        colours = tempo.of_historique(self._period, self._tomorrow)
        if colours is not None and not sent.isdisjoint(("ptec", "demain")):
            yield from colours.told()

    def _overrun(self, reading: Historique, gone: Collection[str]) -> Iterator[Told]:
        if reading.iinst1 is None:
            yield from self._above(reading, gone, *_SINGLE)
            return
        phases = [told for names in _PHASES for told in self._above(reading, gone, *names)]
        yield from phases
        if phases:
            yield Told("over_power", any(told.value for told in phases))

    def _above(
        self, reading: Historique, gone: Collection[str], slug: str, current: str, warning: str
    ) -> Iterator[Told]:
        """Whether a phase draws more than subscribed. Some meters were never seen to send ADIRn."""
        amperes = getattr(reading, current)
        if getattr(reading, warning) is not None:
            yield Told(slug, True)
        elif amperes is not None and self._subscribed is not None:
            yield Told(slug, amperes > self._subscribed)
        elif warning in gone:
            yield Told(slug, False)
