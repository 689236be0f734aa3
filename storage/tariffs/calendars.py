"""In which period of an offer an hour's energy falls: pure. Where that is not known there are several, no guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bridge.tic.values import PARIS
from storage.tariffs.costs import UNKNOWN, Bucket, Known, periods_of

DAY: Final = 1440  # minutes
COLOURS: Final = ("bleu", "blanc", "rouge")
_SUNDAY: Final = 6
_WINTER: Final = (11, 12, 1, 2, 3)  # months with red days and mobile peaks, and of an off-peak slot's winter
# What the meter's own indexes may decide: their hours are the same with every supplier.
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    "hphc": frozenset({"hc", "hp"}),
    "tempo": frozenset(f"{colour}_{hours}" for colour in COLOURS for hours in ("hc", "hp")),
    "ejp": frozenset({"hn", "pm"}),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """Minutes of the day that are off-peak; over midnight when it ends before it begins."""

    start: int  # valid from, seconds since 1970
    end: int | None
    begins: int
    ends: int
    season: str  # all, summer, winter

    def holds(self, at: int, month: int) -> bool:
        """Whether it is in use at a moment."""
        in_season = self.season == "all" or (self.season == "winter") == (month in _WINTER)
        return in_season and self.start <= at and (self.end is None or at < self.end)

    def has(self, minute: int) -> bool:
        """Whether a minute of the day lies in it."""
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an hour, in seconds since 1970, and its Wh."""

    start: int
    length: int
    wh: int


def _no_pieces(_: int) -> Sequence[Piece]:
    return ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a household's hours."""

    zone: ZoneInfo
    known: Known
    slots: Sequence[Slot] = ()
    colours: Mapping[date, str] = field(default_factory=dict)  # of Tempo days
    pieces: Callable[[int], Sequence[Piece]] = _no_pieces  # minutes or half hours of the hour that begins then


@dataclass(frozen=True, slots=True)
class Plan:
    """An offer's hours."""

    offer: int
    option: str
    periods: tuple[str, ...]  # those that it prices


@dataclass(frozen=True, slots=True)
class Part:
    """Energy in one of these periods, or shared by them in a way that nobody knows."""

    periods: tuple[str, ...]
    wh: int
    why: str = ""  # it is not certain


def parts(plan: Plan, bucket: Bucket, facts: Facts) -> Iterator[Part]:
    """An hour's energy under an offer."""
    total = sum(bucket.indexes.values()) if bucket.east is None else bucket.east
    if plan.option == "base":
        yield Part(("base",), total)
    elif (own := _counted(plan, bucket, facts.known)) is not None:
        yield from own
    elif plan.option == "hphc":
        yield from _off_peak(bucket, total, facts)
    elif plan.option == "tempo":
        yield _tempo(bucket, total, facts)
    elif plan.option == "ejp":
        yield _ejp(bucket, total)
    else:
        yield Part(plan.periods, total, "no rule tells the hours of this offer")


def _counted(plan: Plan, bucket: Bucket, known: Known) -> list[Part] | None:
    """What the meter's own indexes say, if they count the periods of this offer."""
    told = [(period, wh) for period, wh in periods_of(bucket, known) if wh]
    if not bucket.indexes or any(period == UNKNOWN for period, _ in told):
        return None
    contract = known.agreement("drawn", bucket.start)
    common = _COMMON.get(plan.option)
    if common is None:  # the hours of such an offer are its own
        common = frozenset(plan.periods) if contract is not None and contract.offer == plan.offer else frozenset()
    if not told or not all(period in common for period, _ in told):
        return None
    return [Part((period,), wh) for period, wh in told]


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)


def _off_peak(bucket: Bucket, total: int, facts: Facts) -> Iterable[Part]:
    wall = _local(bucket.start, facts.zone)
    slots = [slot for slot in facts.slots if slot.holds(bucket.start, wall.month)]
    if not slots:
        return [Part(("hc", "hp"), total, "no off-peak slots are known")]
    first = wall.hour * 60 + wall.minute
    kinds = [_kind(slots, first + n) for n in range(60)]
    if len(set(kinds)) == 1:
        return [Part((kinds[0],), total)]
    pieces = facts.pieces(bucket.start)
    whole = sum(piece.length for piece in pieces) == 3600 and sum(piece.wh for piece in pieces) == total
    found = [_piece(piece, bucket.start, kinds) for piece in pieces] if whole else []
    if found and all(kind is not None for kind in found):
        by_kind = zip(found, pieces, strict=True)
        return [Part((str(kind),), piece.wh) for kind, piece in by_kind]
    return [Part(("hc", "hp"), total, "a slot begins or ends within the hour, and its minutes are not known")]


def _kind(slots: Sequence[Slot], minute: int) -> str:
    return "hc" if any(slot.has(minute % DAY) for slot in slots) else "hp"


def _piece(piece: Piece, hour: int, kinds: Sequence[str]) -> str | None:
    """The one period in which it lies."""
    first = (piece.start - hour) // 60
    own = set(kinds[first : first + max(1, piece.length // 60)])
    return own.pop() if len(own) == 1 else None


def _tempo(bucket: Bucket, total: int, facts: Facts) -> Part:
    """A day lasts from six to six, Paris time; its first sixteen hours are peak hours."""
    begun = _local(bucket.start, PARIS) - timedelta(hours=6)
    hours, day = "hp" if begun.hour < 16 else "hc", begun.date()
    colour = facts.colours.get(day)
    if colour is not None:
        return Part((f"{colour}_{hours}",), total)
    possible = ["bleu"]
    if day.weekday() != _SUNDAY:
        possible.append("blanc")
        if day.month in _WINTER and day.weekday() < 5:
            possible.append("rouge")
    why = "the colours of its days are not known" if len(possible) > 1 else ""
    return Part(tuple(f"{name}_{hours}" for name in possible), total, why)


def _ejp(bucket: Bucket, total: int) -> Part:
    """A mobile peak lasts from seven to one, Paris time, and begins between November and March."""
    begun = _local(bucket.start, PARIS) - timedelta(hours=7)
    if begun.hour < 18 and begun.month in _WINTER:
        return Part(("hn", "pm"), total, "the days of its mobile peaks are not known")
    return Part(("hn",), total)
