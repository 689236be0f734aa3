"""In which period of an offer an hour's energy falls: pure. Where that is not known there are several, no guess.

Every offer is a list of rules, the first that fits decides: those of the known options stand here, those of any other
offer are its owner's to enter (`rules.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, product
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from bridge.tic.values import PARIS
from storage.tariffs.costs import DRAWN, UNKNOWN, Bucket, Known, Told, periods_of
from storage.tariffs.holidays import is_public_holiday
from storage.tariffs.seasons import is_winter

DAY: Final = 1440  # minutes
COLOURS: Final = ("bleu", "blanc", "rouge")
EVENT, NORMAL = "event", "normal"
_SATURDAY, _SUNDAY = 5, 6
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What the meter's own indexes may decide: their hours are the same with every supplier.
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    "hphc": frozenset({"hc", "hp"}),
    "tempo": frozenset(f"{colour}_{hours}" for colour in COLOURS for hours in ("hc", "hp")),
    "ejp": frozenset({"hn", "pm"}),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """When a period counts: all that it says must be so. Hours over midnight belong to the day on which they begin."""

    period: str
    days: str = (
        "every"  # every, working, weekend, holiday, a weekday; bleu, blanc, rouge, event: somebody declares them
    )
    begins: int | None = None  # minute of the day; None: any hour
    ends: int | None = None
    off_peak: bool = False  # in the off-peak slots of the meter
    season: str = "all"  # all, summer, winter

    @property
    def is_declared(self) -> bool:
        """Whether nobody can tell its days in advance."""
        return self.days == EVENT or self.days in COLOURS

    def has(self, minute: int) -> bool:
        """Whether it counts at a minute of the day."""
        return self.begins is None or self.ends is None or _lies(minute, self.begins, self.ends)

    def day(self, wall: datetime) -> date:
        """To which day an instant belongs."""
        began_yesterday = (
            self.begins is not None and self.ends is not None and self.ends <= self.begins and _minute(wall) < self.ends
        )
        return wall.date() - timedelta(days=began_yesterday)


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "base": (Rule("base"),),
    "hphc": (Rule("hc", off_peak=True), Rule("hp")),
    "tempo": tuple(
        Rule(f"{colour}_{hours}", colour, begins * 60, ends * 60)
        for colour, (hours, begins, ends) in product(COLOURS, (("hp", 6, 22), ("hc", 22, 6)))
    ),
    "ejp": (Rule("pm", EVENT, 7 * 60, 60, season="winter"), Rule("hn")),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """Minutes of the day that are off-peak; over midnight when it ends before it begins."""

    start: int  # valid from, seconds since 1970
    end: int | None
    begins: int
    ends: int
    season: str  # all, summer, winter

    def holds(self, at: int, day: date) -> bool:
        """Whether it is in use at a moment."""
        return _in_season(self.season, day) and self.start <= at and (self.end is None or at < self.end)

    def has(self, minute: int) -> bool:
        """Whether a minute of the day lies in it."""
        return _lies(minute, self.begins, self.ends)


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
    pieces: Callable[[int], Sequence[Piece]] = _no_pieces  # minutes or half hours of the hour that begins then


@dataclass(frozen=True, slots=True)
class Plan:
    """An offer's hours."""

    offer: int
    option: str
    periods: tuple[str, ...]  # those that it prices
    rules: tuple[Rule, ...] = ()
    declared: Mapping[date, str] = field(default_factory=dict)  # colours, or event and normal days, as far as known


@dataclass(frozen=True, slots=True)
class Part:
    """Energy in one of these periods, or shared by them in a way that nobody knows."""

    periods: tuple[str, ...]
    wh: int
    why: str = ""  # it is not certain


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, in seconds since 1970, the same period counts, or nobody knows which of several."""

    start: int
    end: int
    periods: tuple[str, ...]
    why: str = ""  # it is not certain


Answer: TypeAlias = tuple[tuple[str, ...], str]  # the periods that it may be, and why there are several
Counted: TypeAlias = Sequence[tuple[str, int]] | None  # the periods of a bucket that ran, and their Wh
Question: TypeAlias = date | None  # of which day the word is not known; None: whether it is off-peak


def counted(bucket: Bucket, known: Known) -> Counted:
    """What the meter's own indexes say of a bucket; None if it is not known what one of them counts."""
    told = [(period, wh) for period, wh in periods_of(bucket, known) if wh] if bucket.indexes else []
    return told if told and all(period != UNKNOWN for period, _ in told) else None


def parts(plan: Plan, bucket: Bucket, facts: Facts, told: Counted) -> Iterable[Part]:
    """Energy of an hour (or of a day whose hours are not known) under an offer; `told` is what `counted` says."""
    total = sum(bucket.indexes.values()) if bucket.east is None else bucket.east
    if plan.option == "base":
        return [Part(("base",), total)]
    own = _counted(plan, bucket, facts.known, told)
    if own is not None:
        return own
    if not plan.rules:
        return [Part(plan.periods, total, "no rule tells the hours of this offer")]
    return _by_clock(plan, bucket, total, facts)


def stretches(plan: Plan, start: int, end: int, facts: Facts) -> list[Stretch]:
    """What counts between two full hours; neighbours that say the same are one."""
    found: list[Stretch] = []
    for hour in range(start, end, 3600):
        at = hour
        for minutes, (periods, why) in _spans(plan, hour, facts):
            last = found[-1] if found else None
            if last is not None and (last.periods, last.why) == (periods, why):
                found[-1] = replace(last, end=at + 60 * minutes)
            else:
                found.append(Stretch(at, at + 60 * minutes, periods, why))
            at += 60 * minutes
    return found


def by_rules(plans: Mapping[int, Plan], facts: Facts) -> Told:
    """For `price_day`: what the rules of the contract's offer say of a bucket; None if it has none of its own."""

    def told(bucket: Bucket) -> Iterable[tuple[str, int]] | None:
        agreement = facts.known.agreement(DRAWN, bucket.start)
        plan = None if agreement is None else plans.get(agreement.offer)
        if plan is None:
            return None
        shared = parts(plan, bucket, facts, counted(bucket, facts.known))
        return [(part.periods[0] if len(part.periods) == 1 else UNKNOWN, part.wh) for part in shared]

    return told


def telling(plan: Plan, bucket: Bucket, facts: Facts) -> tuple[date, str] | None:
    """The day, and what it is, that the index which runs in an hour gives away: the period is possible on no other."""
    told = [(wh, period) for period, wh in periods_of(bucket, facts.known) if wh]
    if bucket.estimated or not told:
        return None
    _, period = max(told)  # what a reading after the full hour leaves to the index before is less
    if all(rule.period != period for rule in plan.rules):
        return None
    blank = replace(plan, declared={})
    found = set()
    for minute in (0, 59):
        wall, paris = (_local(bucket.start + 60 * minute, zone) for zone in (facts.zone, PARIS))
        slots = [slot for slot in facts.slots if slot.holds(bucket.start, wall.date())]
        ways = [assumed for assumed, name in _walk(blank, blank.rules, wall, paris, slots, {}) if name == period]
        found |= {tuple((day, word) for day, word in way.items() if day is not None) for way in ways} or {()}
    [only, *others] = found
    return only[0] if not others and len(only) == 1 else None


def _counted(plan: Plan, bucket: Bucket, known: Known, told: Counted) -> list[Part] | None:
    """What the meter's own indexes say, if they count the periods of this offer."""
    if told is None:
        return None
    contract = known.agreement(DRAWN, bucket.start)
    common = _COMMON.get(plan.option)
    if common is None:  # the hours of such an offer are its own
        common = frozenset(plan.periods) if contract is not None and contract.offer == plan.offer else frozenset()
    if not all(period in common for period, _ in told):
        return None
    return [Part((period,), wh) for period, wh in told]


def _by_clock(plan: Plan, bucket: Bucket, total: int, facts: Facts) -> list[Part]:
    spans = [span for start in range(bucket.start, bucket.end, 3600) for span in _spans(plan, start, facts)]
    if len({answer for _, answer in spans}) == 1:
        [(_, (periods, why)), *_] = spans
        return [Part(periods, total, why)]
    kinds = [answer for minutes, answer in spans for _ in range(minutes)]
    pieces = facts.pieces(bucket.start)
    whole = sum(piece.length for piece in pieces) == 60 * len(kinds) and sum(piece.wh for piece in pieces) == total
    found = [_piece(piece, bucket.start, kinds) for piece in pieces] if whole else [None]
    if all(kind is not None for kind in found):
        return [Part(kind[0], piece.wh, kind[1]) for kind, piece in zip(found, pieces, strict=True) if kind]
    possible = tuple(dict.fromkeys(period for periods, _ in kinds for period in periods))
    if any(not periods for periods, _ in kinds):
        return [Part((), total, "no rule of this offer tells all of its hours")]
    return [Part(possible, total, "a slot begins or ends within the hour, and its minutes are not known")]


def _piece(piece: Piece, start: int, kinds: Sequence[Answer]) -> Answer | None:
    """The one answer in which it lies."""
    first = (piece.start - start) // 60
    own = set(kinds[first : first + max(1, piece.length // 60)])
    return own.pop() if len(own) == 1 else None


def _spans(plan: Plan, start: int, facts: Facts) -> Iterator[tuple[int, Answer]]:
    """The minutes between two edges of an hour, where something begins or ends, and their answer."""
    walls = {zone: _local(start, zone) for zone in (facts.zone, PARIS)}
    slots = [slot for slot in facts.slots if slot.holds(start, walls[facts.zone].date())]
    clocks = [at for rule in plan.rules for at in (rule.begins, rule.ends)]
    clocks += [at for slot in slots for at in (slot.begins, slot.ends)]
    edges = sorted({0, 60, *((at - walls[facts.zone].minute) % 60 for at in clocks if at is not None)})
    for edge, following in pairwise(edges):
        ahead = timedelta(minutes=edge)
        yield following - edge, _answer(plan, walls[facts.zone] + ahead, walls[PARIS] + ahead, slots)


def _answer(plan: Plan, wall: datetime, paris: datetime, slots: Sequence[Slot]) -> Answer:
    found = list(_walk(plan, plan.rules, wall, paris, slots, {}))
    periods = tuple(dict.fromkeys(period for _, period in found if period is not None))
    if any(period is None for _, period in found):
        return (), "no rule of this offer tells all of its hours"
    if len(periods) == 1:
        return periods, ""
    return periods, _why(plan, {question for assumed, _ in found for question in assumed})


def _why(plan: Plan, questions: set[Question]) -> str:
    if None in questions:
        return "no off-peak slots are known"
    return "the colours of its days are not known" if plan.option == "tempo" else "its event days are not known"


def _walk(
    plan: Plan, rules: Sequence[Rule], wall: datetime, paris: datetime, slots: Sequence[Slot],
    assumed: Mapping[Question, str],
) -> Iterator[tuple[Mapping[Question, str], str | None]]:  # fmt: skip
    """For each way in which what is not known may be: what it is, and the period then (None: no rule fits)."""
    for n, rule in enumerate(rules):
        clock = paris if rule.is_declared else wall  # whoever declares days means those of Paris
        day = rule.day(clock)
        if not (rule.has(_minute(clock)) and _in_season(rule.season, day)):
            continue
        if rule.off_peak and not slots and None not in assumed:
            for each in ("hc", "hp"):
                yield from _walk(plan, rules[n:], wall, paris, slots, {**assumed, None: each})
            return
        if rule.off_peak and not (any(s.has(_minute(wall)) for s in slots) if slots else assumed[None] == "hc"):
            continue
        word = plan.declared.get(day) or assumed.get(day)
        if rule.is_declared and word is None:
            for each in _words(rule, day):
                yield from _walk(plan, rules[n:], wall, paris, slots, {**assumed, day: each})
            return
        if word == rule.days if rule.is_declared else _is_day(rule.days, day):
            yield assumed, rule.period
            return
    yield assumed, None


def _words(rule: Rule, day: date) -> tuple[str, ...]:
    """What a day may be that nobody told."""
    if rule.days == EVENT:
        return EVENT, NORMAL
    if day.weekday() == _SUNDAY:
        return COLOURS[:1]
    return COLOURS if is_winter(day) and day.weekday() < _SATURDAY else COLOURS[:2]


def _is_day(days: str, day: date) -> bool:
    if days == "holiday":
        return is_public_holiday(day)
    if days == "working":
        return day.weekday() < _SATURDAY
    if days == "weekend":
        return day.weekday() >= _SATURDAY
    return days == "every" or days == WEEKDAYS[day.weekday()]


def _in_season(season: str, day: date) -> bool:
    return season == "all" or (season == "winter") == is_winter(day)


def _lies(minute: int, begins: int, ends: int) -> bool:
    """Over midnight when it ends before it begins."""
    if begins < ends:
        return begins <= minute < ends
    return minute >= begins or minute < ends


def _minute(wall: datetime) -> int:
    return wall.hour * 60 + wall.minute


@lru_cache(maxsize=4)  # one hour is asked for under each offer
def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)
