"""Is the line to the meter good, and if not, why? A verdict in a sentence, from what bridge and readings tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from bridge.tic.errors import Reason
from storage.operations.fleet import Bridge, Fleet, MeterCounts
from storage.web.hub import Heard
from storage.web.said import Said
from storage.web.shown import amount, number

_GOOD: Final = 99  # % of groups; as the dashboards for Home Assistant have it
_FAIR: Final = 90
_FEW: Final = 20  # frames a minute: a Linky sends 30 to 65


class Level(StrEnum):
    """Words that choose a colour."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """What is so, why it probably is, and what to do."""

    level: Level
    sentence: str
    advice: str = ""
    detail: str = ""  # the bridge's own words, in English


class Refusal(NamedTuple):
    """Groups that one reason kept out."""

    groups: int
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a meter's line right now."""

    bridge_id: str = ""  # empty: no bridge says that it reads the meter
    bridge: Bridge | None = None
    counts: MeterCounts | None = None
    online: bool | None = None
    quality: float | None = None  # % of groups, of the last minute
    rate: float | None = None  # frames a minute

    @property
    def since(self) -> datetime | None:
        """When the bridge began to count."""
        try:
            return datetime.fromisoformat(self.bridge.info.started) if self.bridge and self.bridge.info else None
        except ValueError:
            return None

    @property
    def version(self) -> str:
        """Of the bridge's program."""
        return self.bridge.info.version if self.bridge and self.bridge.info else ""

    @property
    def refusals(self) -> list[Refusal]:
        """Since the bridge started, the most frequent reason first."""
        found = [] if self.counts is None else sorted(self.counts.refused.items(), key=lambda one: -one[1])
        return [Refusal(count, *_named(reason)) for reason, count in found]


def line_of(meter_id: str, heard: Heard | None, said: Said | None, fleet: Fleet | None) -> Line:
    """Put together what the bridges say of themselves and what the newest live reading says."""
    name, bridge, counts = _reader(meter_id, fleet)
    return Line(
        name, bridge, counts,
        online=heard.online if heard else None,
        quality=said.number("link_quality") if said else None,
        rate=said.number("frames_per_minute") if said else None,
    )  # fmt: skip


def _reader(meter_id: str, fleet: Fleet | None) -> tuple[str, Bridge | None, MeterCounts | None]:
    """The bridge that reads a meter, one that is there before one that is not."""
    bridges = sorted((fleet.bridges() if fleet else {}).items(), key=lambda item: (item[1].online is not True, item[0]))
    for name, bridge in bridges:
        for counts in bridge.info.meters if bridge.info else ():
            if counts.meter == meter_id:
                return name, bridge, counts
    return "", None, None


def unnamed(fleet: Fleet | None) -> list[tuple[str, MeterCounts]]:
    """(bridge, source) of which nobody knows yet which meter it is."""
    bridges = sorted((fleet.bridges() if fleet else {}).items())
    return [
        (name, counts)
        for name, bridge in bridges
        if bridge.online and bridge.info
        for counts in bridge.info.meters
        if counts.meter is None
    ]


# --- the verdict ---------------------------------------------------------------------------------


def verdict(line: Line) -> Verdict:
    """The first that applies: no bridge, no source, no frame, damage, few frames; else all is well."""
    counts = line.counts
    if line.bridge is not None and line.bridge.online is False:
        name = gettext("The bridge {name} is not there: nobody reads this meter.").format(name=line.bridge_id)
        return Verdict(
            Level.BAD, name, gettext("Start it: ticbridge bridge. As a service its log says why it stopped.")
        )
    if counts is not None and counts.cause in _CAUSES:
        found, todo = _CAUSES[counts.cause]
        return Verdict(Level.BAD, str(found), str(todo), counts.trouble)
    if counts is not None and not counts.source_open:
        return Verdict(
            Level.BAD, gettext("The source of this meter cannot be read."),
            gettext("Is the adapter plugged in, and is the name of the port right?"), counts.trouble,
        )  # fmt: skip
    if line.online is False:
        sentence = gettext("No valid frame has come for 30 seconds.")
        advice = gettext("Are the wires in place at I1 and I2? Does the meter have power?")
        return Verdict(Level.BAD, sentence, advice, counts.trouble if counts else "")
    if line.quality is None:
        return Verdict(
            Level.UNKNOWN, gettext("Nothing was heard of this meter since this page's program started."),
            gettext("Does the bridge run, and does it use the same broker as this page?"),
        )  # fmt: skip
    return _of_groups(line, line.quality)


def _of_groups(line: Line, quality: float) -> Verdict:
    share = amount(quality, "%")
    if quality < _GOOD:
        pattern = (
            gettext("The line is fair: {share} of the groups arrive whole, the others are left out.")
            if quality >= _FAIR
            else gettext("The line is bad: only {share} of the groups arrive whole.")
        )
        level = Level.FAIR if quality >= _FAIR else Level.BAD
        return Verdict(level, pattern.format(share=share), _likely(line))
    rate = number(line.rate or 0, 0)
    if line.rate is not None and line.rate < _FEW:
        return Verdict(
            Level.FAIR,
            gettext("What arrives is whole, but it is little: {rate} frames a minute.").format(rate=rate),
            gettext("A Linky sends 30 to 65. Is the machine busy, or does another program read the same port?"),
        )
    sentence = gettext("The line is good: {share} of the groups arrive whole, {rate} frames a minute.")
    return Verdict(Level.GOOD, sentence.format(share=share, rate=rate))


def _likely(line: Line) -> str:
    refused = line.counts.refused if line.counts else {}
    damaged = {reason: count for reason, count in refused.items() if reason not in _NO_DAMAGE}
    worst = max(damaged, key=lambda reason: damaged[reason], default="")
    return str(_ADVICE.get(worst, _NOISE))


_NO_DAMAGE: Final = frozenset(
    {Reason.UNCONFIRMED, Reason.UNKNOWN_LABEL, Reason.METER_ID}
)  # they wait for a second sight
_NOISE: Final = _(
    "Characters arrive damaged, as with a loose wire, a long cable beside the mains, or a weak adapter: check the "
    "terminals I1 and I2, shorten the cable, or try another adapter."
)
_HELD: Final = _(
    "Values come that cannot be, and are held back: damage that the checksum does not show. Check the wires and the "
    "adapter; a capture, below, shows what the meter sent."
)
_ODD: Final = _(
    "The meter sends what its specification does not foresee: make a capture, below, and open an issue with it."
)
_ADVICE: Final[Mapping[str, Promise]] = {
    Reason.INDEX: _HELD,
    Reason.POWER: _HELD,
    Reason.REPEATED: _HELD,
    Reason.VALUE: _ODD,
    Reason.STAMP: _ODD,
    Reason.LENGTH: _ODD,
    Reason.MODE: _("Groups of both modes come. Was the meter switched just now? Else do two meters share the wires?"),
    Reason.TEST_FRAME: _("The meter says that its values are made up: it is in its test mode."),
}
# A word of the bridge -> what it means, what to do.
_CAUSES: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "silent": (
        _("Nothing arrives from the meter."),
        _("Are I1 and I2 connected, and not A? Does the meter have power?"),
    ),
    "noise": (
        _("Something arrives, but nothing that can be understood."),
        _("Noise, an inverted line or the wrong speed: set mode: auto, check the wires, or try another adapter."),
    ),
    "slower": (
        _("Every character arrives damaged, as when the line is slower than the port."),
        _("The meter seems to be in historical mode: set mode: auto or mode: historique."),
    ),
    "other_mode": (
        _("The meter speaks the other mode than the configuration says."),
        _("Set mode: auto in the meters section of config.yaml, and restart the bridge."),
    ),
    "not_raw": (
        _("Another program changes what arrives on the port."),
        _("Stop it: a login shell on the port, cat, a serial server. Then restart the bridge."),
    ),
}


def _named(reason: str) -> tuple[str, str]:
    name, meaning = _REASONS.get(reason, (reason, ""))
    return str(name), str(meaning)


_REASONS: Final[Mapping[str, tuple[Promise | str, Promise | str]]] = {
    Reason.SHAPE: (_("No whole group"), _("characters were lost on the way")),
    Reason.PARITY: (_("Wrong parity"), _("a character was damaged on the way")),
    Reason.CHECKSUM: (_("Wrong checksum"), _("a character was damaged on the way")),
    Reason.UNKNOWN_LABEL: (_("Unknown label"), _("shown from its second sight on")),
    Reason.MODE: (_("Group of the other mode"), _("inside a frame of this one")),
    Reason.LENGTH: (_("Wrong length"), _("not as many characters as the label has")),
    Reason.CHARACTERS: (_("Character out of place"), _("a letter where a digit is due, or the like")),
    Reason.STAMP: (_("Wrong date"), _("none where one is due, or no such day")),
    Reason.VALUE: (_in("refused", "Impossible value"), _("outside of what the specification defines")),
    Reason.REPEATED: (_("Label twice"), _("with two values in one frame")),
    Reason.TEST_FRAME: (_("Test frame"), _("the meter says that its values are made up")),
    Reason.UNCONFIRMED: (_("Index seen once"), _("waits for a second frame; usual after a start")),
    Reason.INDEX: (_("Index that falls or jumps"), _("held back until two more frames confirm it")),
    Reason.POWER: (_("Power that cannot be"), _("its voltage and current exclude it")),
    Reason.METER_ID: (_("Meter not confirmed"), _("waits for a second frame with its number; usual after a start")),
}
