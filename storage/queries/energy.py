"""How much energy between two instants, and of each day, Tempo day and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

from storage.buckets import HOUR, zone_of
from storage.dirty import milliseconds
from storage.models import Meter, Rollup
from storage.queries import periods
from storage.queries.buckets import Bucket, merged
from storage.queries.index import index_at
from storage.queries.periods import TEMPO_HOUR, Period, instant
from storage.queries.within import part
from storage.window import REGISTERS

_HOUR_MS: Final = HOUR * 1000
_NOTHING: Final = [None] * len(REGISTERS)


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy between two instants, in Wh; None: not known of any part of it."""

    start: datetime
    end: datetime
    drawn: int | None
    tariffs: tuple[int | None, ...]  # of the supplier's ten indexes
    injected: int | None
    estimated: bool  # an end lies in a silence: how much was before it and how much after is not known
    covered: int  # seconds in which the meter was heard
    known: int  # seconds of which the energy drawn is known, silences included


def totals(meter: Meter, start: datetime, end: datetime) -> Energy:
    """Energy from one aware instant to another: that of the indexes, so that parts of a period add up to it.

    ValueError when `end` is before `start`.
    """
    if end < start:
        raise ValueError("totals: the end is before the start")
    zone = zone_of(meter.timezone)
    first, last = milliseconds(start), milliseconds(end)
    inner = periods.days_within(Period(-(-first // 1000), max(-(-first // 1000), last // 1000)), zone)
    pieces = _days(meter, inner, zone)
    cuts = ((first, inner.start * 1000), (inner.end * 1000, last)) if inner.seconds else ((first, last),)
    for begins, ends in cuts:
        pieces += _pieces(meter, begins, ends)
    return _sum(meter, start, end, sorted(pieces, key=lambda piece: piece.start))


def _pieces(meter: Meter, begins: int, ends: int) -> list[Bucket]:
    """Whole hours, and parts of one at either end; in milliseconds."""
    hours = Period(-(-begins // 1000), max(-(-begins // 1000), ends // 1000)).whole_hours()
    pieces = merged(meter, Rollup.Step.HOUR, hours) if hours.seconds else []
    rests = ((begins, hours.start * 1000), (hours.end * 1000, ends)) if hours.seconds else ((begins, ends),)
    for since, until in rests:
        at = since
        while at < until:
            next_at = min(until, (at // _HOUR_MS + 1) * _HOUR_MS)
            pieces.append(part(meter, at, next_at))
            at = next_at
    return pieces


def days(meter: Meter, first: date, last: date) -> tuple[Energy, ...]:
    """Energy of each civil day from `first` to `last`, both included."""
    zone = zone_of(meter.timezone)
    return _by_period(meter, list(periods.days(first, last, zone)), zone)


def hours(meter: Meter, first: date, last: date) -> tuple[Energy, ...]:
    """Energy of each hour of the civil days from `first` to `last`: 23 or 25 of two days a year."""
    zone = zone_of(meter.timezone)
    period = Period(periods.day(first, zone).start, periods.day(last, zone).end)
    known = {one.start: one for one in merged(meter, Rollup.Step.HOUR, period)}
    return tuple(_of_hour(at, known.get(at)) for at in range(period.start, period.end, HOUR))


def _of_hour(at: int, found: Bucket | None) -> Energy:
    start, end = instant(at), instant(at + HOUR)
    if found is None:
        return Energy(start, end, None, (None,) * 10, None, estimated=False, covered=0, known=0)
    drawn, *tariffs, injected = found.energies
    known = HOUR if drawn is not None else 0
    return Energy(start, end, drawn, tuple(tariffs), injected, found.estimated, found.covered, known)


def months(meter: Meter, first: date, last: date) -> tuple[Energy, ...]:
    """Energy of the civil months from that of `first` to that of `last`."""
    zone = zone_of(meter.timezone)
    return _by_period(meter, list(periods.months(first, last, zone)), zone)


def tempo_days(meter: Meter, first: date, last: date) -> tuple[Energy, ...]:
    """Energy of each Tempo day (06:00 to 06:00): those that begin on `first` to `last`, both included."""
    wanted = list(periods.days(first, last, zone_of(meter.timezone), TEMPO_HOUR))
    return _distributed(meter, wanted, merged(meter, Rollup.Step.HOUR, _around(wanted)))


def _by_period(meter: Meter, wanted: Sequence[Period], zone: tzinfo) -> tuple[Energy, ...]:
    return _distributed(meter, wanted, _days(meter, _around(wanted), zone))


def _around(wanted: Sequence[Period]) -> Period:
    return Period(wanted[0].start, wanted[-1].end) if wanted else Period(0, 0)


def _distributed(meter: Meter, wanted: Sequence[Period], pieces: Sequence[Bucket]) -> tuple[Energy, ...]:
    """Pieces and periods both come by time."""
    found, number = [], 0
    for period in wanted:
        own = []
        while number < len(pieces) and pieces[number].start < period.end:
            own.append(pieces[number])
            number += 1
        found.append(_sum(meter, instant(period.start), instant(period.end), own))
    return tuple(found)


def _days(meter: Meter, period: Period, zone: tzinfo) -> list[Bucket]:
    """Whole days; the hours of those that were not rolled up."""
    if not period.seconds:
        return []
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (period.start, period.end - 1))
    lengths = {one.start: one.seconds for one in periods.days(first, last, zone)}
    found = (bucket for bucket in merged(meter, Rollup.Step.DAY, period) if bucket.start in lengths)
    pieces = [bucket._replace(seconds=lengths.pop(bucket.start)) for bucket in found if _says(bucket)]
    for run in _runs(lengths):
        pieces += merged(meter, Rollup.Step.HOUR, run)
    return sorted(pieces, key=lambda piece: piece.start)


def _runs(lengths: dict[int, int]) -> list[Period]:
    """Days that follow each other, as one period."""
    found: list[Period] = []
    for start in sorted(lengths):
        since = found.pop().start if found and found[-1].end == start else start
        found.append(Period(since, start + lengths[start]))
    return found


def _says(bucket: Bucket) -> bool:
    return any(energy is not None for energy in bucket.energies)


def _sum(meter: Meter, start: datetime, end: datetime, pieces: Sequence[Bucket]) -> Energy:
    """Of pieces that come by time. Only its own ends can make a sum an estimate: those between cancel out."""
    known = [piece for piece in pieces if _says(piece)]
    sums = [_added(column) for column in zip(*(piece.energies for piece in known), strict=True)] or _NOTHING
    ends = ((known[0], start), (known[-1], end)) if known else ()
    estimated = any(piece.estimated and (piece.seconds < HOUR or _is_unsure(meter, at)) for piece, at in ends)
    return Energy(
        start, end, sums[0], tuple(sums[1:11]), sums[11], estimated,
        sum(piece.covered for piece in pieces), sum(piece.seconds for piece in known if piece.energies[0] is not None),
    )  # fmt: skip


def _added(energies: Iterable[int | None]) -> int | None:
    known = [energy for energy in energies if energy is not None]
    return sum(known) if known else None


def _is_unsure(meter: Meter, at: datetime) -> bool:
    """Whether an hour's end lies in a silence; the readings around it are kept for ever."""
    found = index_at(meter, at)
    return any(value is not None and value.estimated for value in found.registers)
