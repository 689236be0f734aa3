"""Many meters at once, in a number of queries that does not grow with them: energy of days, and what each said last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from storage.buckets import HOUR, zone_of
from storage.models import Data, Meter, Register, Rollup
from storage.queries import periods
from storage.queries.buckets import Bucket, Plain, prefer
from storage.queries.periods import Period, instant

_LAG: Final = 900  # seconds that a reading may take to be rolled up: until then nothing is missing
_SHOWN: Final = ("east", "eait")


@dataclass(frozen=True, slots=True)
class Total:
    """Energy of one or several meters, in Wh; None: not known of any of them."""

    drawn: int | None = None
    injected: int | None = None
    estimated: bool = False  # an end lies in a silence of one of them
    wanted: int = 0  # seconds of all meters together that are asked for, and over
    known: int = 0  # of them: seconds of which the energy drawn is known

    @property
    def lacking(self) -> int:
        """Whole hours of which the energy of a meter is not known, of all meters together."""
        return max(0, self.wanted - self.known) // HOUR

    def __add__(self, other: Total) -> Total:
        """Of both."""
        return Total(
            _plus(self.drawn, other.drawn), _plus(self.injected, other.injected), self.estimated or other.estimated,
            self.wanted + other.wanted, self.known + other.known,
        )  # fmt: skip


def _plus(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else a + b


def added(totals: Iterable[Total]) -> Total:
    """Their sum."""
    return sum(totals, start=Total())


def by_meter(meters: Sequence[Meter], first: date, last: date, now: datetime) -> dict[int, Total]:
    """Of each meter, by its key: the civil days of its zone from `first` to `last`, as far as they are over."""
    found: dict[int, Total] = {}
    for part in _parts(meters, first, last, now):
        own = part.energies("meter", lambda meter, _start: meter)
        for meter in part.meters:
            told = own.get(meter, _NOTHING)
            found[meter] = part.total(told, [meter], part.whole, part.resets.get(meter, 0))
    return found


def by_day(meters: Sequence[Meter], first: date, last: date, now: datetime) -> dict[date, Total]:
    """Of all meters together, each civil day from `first` to `last`."""
    found = {one: Total() for one in _dates(first, last)}
    for part in _parts(meters, first, last, now):
        own = part.energies("start", lambda _meter, start: start)
        for day, period in zip(found, part.days, strict=True):
            told = own.get(period.start, _NOTHING)
            found[day] += part.total(told, part.meters, period, part.reset_days.get(period.start, 0))
    return found


def with_newest(meters: QuerySet[Meter]) -> QuerySet[Any]:
    """Meters, each with when it was heard last and the power it said: `newest_at`, `newest_power`."""
    newest = Data.objects.filter(meter=OuterRef("pk")).order_by("-dateTime")
    return meters.annotate(
        newest_at=Subquery(newest.values("dateTime")[:1]), newest_power=Subquery(newest.values("sinsts")[:1])
    )


class _Told(NamedTuple):
    """What roll-ups say of some days."""

    drawn: int | None
    injected: int | None
    estimated: bool


_NOTHING: Final = _Told(None, None, estimated=False)


class _Part:
    """The meters of one time zone, whose days begin together."""

    def __init__(self, zone: ZoneInfo, meters: list[int], first: date, last: date, now: int) -> None:
        self.meters = meters
        self.days = list(periods.days(first, last, zone))
        self.whole = Period(self.days[0].start, self.days[-1].end)
        self._now = now
        rows = Rollup.objects.filter(
            meter__in=meters, step=Rollup.Step.DAY, start__gte=instant(self.whole.start),
            start__lt=instant(self.whole.end),
        )  # fmt: skip
        self._own = rows.filter(origin=Rollup.Origin.METER)
        self._files = rows.filter(origin=Rollup.Origin.ENEDIS).order_by()
        registers: Any = Register.objects.filter(name="east", meter__in=meters).values_list("meter", "since", "at")
        self._heard: dict[int, Period] = {
            meter: Period(int(since.timestamp()), _newest(int(at.timestamp()), now)) for meter, since, at in registers
        }
        self.resets: dict[int, int] = {}
        self.reset_days: dict[int, int] = {}
        self._from_files: dict[int, dict[int, int]] = {}  # meter -> day -> seconds that only a file tells
        self._changes = list(self._preferred())
        for meter, start in self._own.filter(has_reset=True).order_by().values_list("meter", Plain(F("start"))):
            self.resets[meter] = self.resets.get(meter, 0) + 1
            self.reset_days[start] = self.reset_days.get(start, 0) + 1

    def energies(self, by: str, key: Callable[[int, int], int]) -> dict[int, _Told]:
        """Sums by meter or by day: the database adds up what meters said, files are put in one by one."""
        ends = [instant(self.days[0].start), instant(self.days[-1].start)]
        rows = (
            self._own.order_by()
            .annotate(of=F("meter") if by == "meter" else Plain(F("start")))
            .values_list("of")
            .annotate(
                drawn=Sum("east"), injected=Sum("eait"),
                unsure=Count("pk", filter=Q(estimated=True) & (Q(start__in=ends) if by == "meter" else Q())),
            )
        )  # fmt: skip
        found = {of: _Told(drawn, injected, bool(unsure)) for of, drawn, injected, unsure in rows}
        for meter, start, changes in self._changes:
            at = key(meter, start)
            told = found.get(at, _NOTHING)
            drawn, injected = (_plus(a, b) for a, b in zip(told[:2], changes, strict=True))
            found[at] = _Told(drawn, injected, told.estimated)
        return found

    def total(self, told: _Told, meters: Sequence[int], period: Period, resets: int) -> Total:
        """With how much of the period is known: what lies between a meter's first and newest index, and a file's days;
        of an hour in which an index began anew nothing is.
        """
        over = Period(period.start, max(period.start, min(period.end, self._now)))
        known = sum(_common(self._heard[meter], over) for meter in meters if meter in self._heard)
        known += sum(
            seconds
            for meter in meters
            for start, seconds in self._from_files.get(meter, {}).items()
            if over.start <= start < over.end
        )
        wanted = over.seconds * len(meters)
        return Total(*told, wanted, max(0, min(wanted, known - resets * HOUR)))

    def _preferred(self) -> Iterator[tuple[int, int, tuple[int | None, int | None]]]:
        """Meter, day, and by how much a file changes its energies."""
        files = list(self._files.values_list("meter", Plain(F("start")), *_SHOWN))
        if not files:
            return
        seconds = {day.start: day.seconds for day in self.days}
        rows = self._own.filter(meter__in={meter for meter, *_ in files}).order_by()
        own = {
            (meter, start): (readings, bool(estimated), tuple(energies))
            for meter, start, readings, estimated, *energies in rows.values_list(
                "meter", Plain(F("start")), "readings", Plain(F("estimated")), *_SHOWN
            )
        }
        for meter, start, *energies in files:
            readings, estimated, mine = own.get((meter, start), (0, False, (None, None)))
            bucket = Bucket(start, seconds.get(start, 0), readings, 0, estimated, False, False, mine)
            chosen = prefer(bucket, energies).energies
            heard = self._heard.get(meter, Period(0, 0))
            day = Period(start, min(start + seconds.get(start, 0), self._now))
            if chosen[0] is not None and day.seconds > 0:
                self._from_files.setdefault(meter, {})[start] = day.seconds - _common(heard, day)
            yield meter, start, (_less(chosen[0], mine[0]), _less(chosen[1], mine[1]))


def _less(new: int | None, old: int | None) -> int | None:
    return None if new is None else new - (old or 0)


def _newest(at: int, now: int) -> int:
    return now if now - at < _LAG else at


def _common(a: Period, b: Period) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def _dates(first: date, last: date) -> Iterator[date]:
    for number in range(last.toordinal() - first.toordinal() + 1):
        yield date.fromordinal(first.toordinal() + number)


def _parts(meters: Sequence[Meter], first: date, last: date, now: datetime) -> Iterator[_Part]:
    zones: dict[ZoneInfo, list[int]] = {}
    for meter in meters:
        zones.setdefault(zone_of(meter.timezone), []).append(meter.pk)
    for zone, own in zones.items():
        yield _Part(zone, own, first, last, int(now.timestamp()))
