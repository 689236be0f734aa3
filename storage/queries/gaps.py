"""When a meter was not heard, and why, if that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Final

from django.db.models import F, Max, Min, Q, Window
from django.db.models.functions import Lead

from storage.buckets import HOUR
from storage.models import Data, Gap, Meter, Rollup
from storage.queries.buckets import Bucket, merged
from storage.queries.curve import Seconds
from storage.queries.periods import Period, instant

SILENCE: Final = timedelta(minutes=5)  # the edges of longer ones are kept for ever
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without readings, from the last one before it to the first one after it."""

    begins: datetime
    ends: datetime | None  # None: it goes on
    reason: Gap.Reason | None = None

    def _ends_before(self, at: datetime) -> bool:
        return self.ends is not None and self.ends <= at


@dataclass(frozen=True, slots=True)
class _Heard:
    """A time of which it is known that the meter was heard all along."""

    begins: datetime
    ends: datetime


def gaps(meter: Meter, start: datetime, end: datetime, threshold: timedelta = SILENCE) -> tuple[Silence, ...]:
    """Silences longer than `threshold` that touch start..end (aware), whole, by time; none before the first reading.

    Where only a few readings are kept, those at the ends of a silence of five minutes are. A shorter one ends with
    minutes there, so that one of four may be told as one of five; where minutes are no longer kept, it is not told.
    """
    first = instant(int(start.timestamp()) // HOUR * HOUR)
    last = instant(ceil(end.timestamp() / HOUR) * HOUR)
    heard = sorted(_heard(meter, first, last, threshold), key=lambda one: one.begins)
    found = [one for one in _between(heard, end, threshold) if not one._ends_before(start) and one.begins < end]
    return tuple(_with_reasons(meter, [_refined(meter, one) for one in found], start, end, threshold))


def _between(heard: Sequence[_Heard], end: datetime, threshold: timedelta) -> Iterator[Silence]:
    if not heard:
        return
    until = heard[0].ends
    for one in heard[1:]:
        if one.begins - until > threshold:
            yield Silence(until, one.begins)
        until = max(until, one.ends)
    if end - until > threshold:
        yield Silence(until, None)


# --- what was heard ------------------------------------------------------------------------------


def _heard(meter: Meter, first: datetime, last: datetime, threshold: timedelta) -> Iterator[_Heard]:
    own = Data.objects.filter(meter=meter)
    before = own.filter(dateTime__lt=first).order_by("-dateTime").values_list("dateTime", flat=True).first()
    after = own.filter(dateTime__gte=last).order_by("dateTime").values_list("dateTime", flat=True).first()
    yield from (_Heard(at, at) for at in (before, after) if at is not None)
    period = Period(int(first.timestamp()), int(last.timestamp()))
    hours = {hour.start: hour for hour in merged(meter, Rollup.Step.HOUR, period, ())}
    begins: datetime | None = None  # of hours that were not heard from end to end, one after the other
    since: int | None = None  # and of those that were
    for at in range(period.start, period.end + HOUR, HOUR):
        hour = hours.get(at)
        broken = at < period.end and (hour is None or hour.covered < HOUR - 1)
        if broken and begins is None:
            begins = instant(at)
        if not broken and begins is not None:
            yield from _in_broken_hours(meter, begins, instant(at), hours, threshold)
            begins = None
        if broken or at == period.end:
            if since is not None:
                yield _Heard(instant(since), instant(at))
            since = None
        elif since is None:
            since = at


def _in_broken_hours(
    meter: Meter, begins: datetime, ends: datetime, hours: dict[int, Bucket], threshold: timedelta
) -> Iterator[_Heard]:
    whole = begins if meter.raw_since is None else min(max(meter.raw_since, begins), ends)
    if whole < ends:
        yield from _of_readings(meter, whole, ends, threshold)
    if begins < whole:
        yield from _of_minutes(meter, begins, whole, hours)


def _of_readings(meter: Meter, begins: datetime, ends: datetime, threshold: timedelta) -> Iterator[_Heard]:
    """Readings are a few seconds apart: the database looks for those that are not."""
    rows = Data.objects.filter(meter=meter, dateTime__gte=begins, dateTime__lt=ends)
    edges = rows.aggregate(first=Min("dateTime"), last=Max("dateTime"))
    if edges["first"] is None:
        return
    after = Window(Lead("dateTime"), order_by=F("dateTime").asc())
    far = (
        rows.annotate(after=after)
        .annotate(gap=Seconds("after") - Seconds("dateTime"))
        .filter(gap__gte=int(threshold.total_seconds()))
        .order_by("dateTime")
        .values_list("dateTime", "after")
    )
    since = edges["first"]
    for before, then in far:
        yield _Heard(since, before)
        since = then
    yield _Heard(since, edges["last"])


def _of_minutes(meter: Meter, begins: datetime, ends: datetime, hours: dict[int, Bucket]) -> Iterator[_Heard]:
    """Where a few readings are left: minutes tell when more of them came."""
    rows = Data.objects.filter(meter=meter, dateTime__gte=begins, dateTime__lt=ends).order_by("dateTime")
    kept = list(rows.values_list("dateTime", flat=True))
    yield from (_Heard(at, at) for at in kept)
    period = Period(int(begins.timestamp()), int(ends.timestamp()))
    minutes = merged(meter, Rollup.Step.MINUTE, period, ())
    edges = {int(one.timestamp()) // 60 * 60 for one in kept}
    for one in minutes:
        if one.covered >= 60 or one.start not in edges:  # else its readings that are kept tell more of it
            yield _Heard(instant(one.start), instant(one.start + 60))
    told = {one.start // HOUR * HOUR for one in minutes}
    for at in range(period.start, period.end, HOUR):
        hour = hours.get(at)
        if at not in told and hour is not None and hour.readings:
            yield from _of_edges(instant(at), hour.covered, [one for one in kept if at <= one.timestamp() < at + HOUR])


def _of_edges(start: datetime, covered: int, kept: Sequence[datetime]) -> Iterator[_Heard]:
    """Of an hour without minutes: between two readings that are kept lies a silence, or readings that are not kept.

    How long it was heard tells which: the longest that the hour's silence has room for is silence.
    """
    if not kept:
        return
    outside = sum((one for one in (kept[0] - start, start + _HOUR - kept[-1]) if one > SILENCE), timedelta())
    silent = _HOUR - timedelta(seconds=covered - 1) - outside
    for a, b in sorted(pairwise(kept), key=lambda pair: pair[0] - pair[1]):
        if SILENCE < b - a <= silent:
            silent -= b - a
        else:
            yield _Heard(a, b)


def _refined(meter: Meter, silence: Silence) -> Silence:
    """Of a silence between minutes the readings at its edges, which are kept when it is longer than five minutes."""
    own = Data.objects.filter(meter=meter).values_list("dateTime", flat=True)
    begins, ends = silence.begins, silence.ends
    before = own.filter(dateTime__lte=begins, dateTime__gte=begins - _MINUTE).order_by("-dateTime").first()
    after = own.filter(dateTime__gte=ends, dateTime__lte=ends + _MINUTE).order_by("dateTime").first() if ends else None
    exact = Silence(before or begins, after or ends)
    if exact.ends is not None and exact.ends - exact.begins <= SILENCE:
        return silence
    return exact


# --- why -----------------------------------------------------------------------------------------


def _with_reasons(
    meter: Meter, found: Iterable[Silence], start: datetime, end: datetime, threshold: timedelta
) -> list[Silence]:
    """What was recorded explains what was found, and stands by itself where nothing was."""
    dated = Gap.objects.filter(epoch__meter=meter, begins__lt=end, ends__gt=start).order_by("begins")
    recorded = [
        Silence(gap.begins, gap.ends, Gap.Reason(gap.reason))
        for gap in dated
        if gap.begins is not None and gap.ends is not None
    ]
    explained = []
    for silence in found:
        own = [gap for gap in recorded if _overlap(gap, silence)]
        recorded = [gap for gap in recorded if gap not in own]
        reason = own[0].reason if own else _reason(meter, silence)
        begins = min([silence.begins, *(gap.begins for gap in own)])
        ends = max([gap.ends for gap in (silence, *own) if gap.ends is not None]) if silence.ends else None
        explained.append(replace(silence, begins=begins, ends=ends, reason=reason))
    explained += [gap for gap in recorded if gap.ends is not None and gap.ends - gap.begins > threshold]
    return sorted(explained, key=lambda one: one.begins)


def _overlap(a: Silence, b: Silence) -> bool:
    return (b.ends is None or a.begins < b.ends) and (a.ends is None or b.begins < a.ends)


def _reason(meter: Meter, silence: Silence) -> Gap.Reason | None:
    """Of readings that were numbered and did not come: those between the two numbers."""
    rows = Data.objects.filter(meter=meter).values_list("epoch", "seq")
    before = rows.filter(dateTime=silence.begins).first()
    after = rows.filter(dateTime=silence.ends).first() if silence.ends else None
    if before is None or after is None:
        return None
    if before[0] == after[0]:
        missing = Q(epoch=before[0], first__lt=after[1], last__gt=before[1])
    else:
        missing = Q(epoch=after[0], first__lt=after[1]) | Q(epoch=before[0], last__gt=before[1])
    gap = Gap.objects.filter(missing).order_by("pk").first()
    return Gap.Reason(gap.reason) if gap else None
