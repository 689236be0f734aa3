"""Readings to minutes, hours and days. Whatever came, in whatever order, the rows are those of one pass over all.

A batch of readings marks its hours (`storage.dirty`). A turn takes the marks of some hours, reads what their buckets
need, and writes them, in one transaction: cut off at any moment, either the mark or the rows are there.
"""

from __future__ import annotations

import logging
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import transaction
from django.dispatch import Signal

from storage.bucket import Bucket, upsert
from storage.buckets import HOUR, MINUTE, ceiling, floor, midnights, zone_of
from storage.energy import LONGEST, SILENCE, covered, silences
from storage.models import Dirty, Meter, Register, Rollup
from storage.retention import thin
from storage.turns import alone
from storage.window import REGISTERS, Window, moment, read_window

log = logging.getLogger("ticbridge.store")

# Sent in the transaction that writes roll-ups, with `meter` (its key) and the seconds from `start` to `end`.
rolled_up: Final = Signal()

_HOURS: Final = 6  # of one transaction: a writer of readings waits no longer than these take


def roll_up() -> Iterator[int]:
    """Bring the roll-ups up to date; yields after each transaction how many marks it worked off."""
    pks = list(Meter.objects.filter(dirty__isnull=False).distinct().values_list("pk", flat=True))
    random.shuffle(pks)  # workers that share them do not walk behind each other
    for pk in pks:
        while hours := _turn(pk):
            yield hours


@transaction.atomic
def _turn(pk: int) -> int:
    """Work off the oldest marks of a meter; how many."""
    if not alone(pk):
        return 0
    marks = list(Dirty.objects.select_for_update().filter(meter=pk).order_by("hour")[:_HOURS])
    marks = [mark for n, mark in enumerate(marks) if (mark.hour - marks[0].hour).total_seconds() == n * HOUR]
    if not marks:
        return 0
    Dirty.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    meter = Meter.objects.get(pk=pk)
    first, last = min(mark.first for mark in marks), max(mark.last for mark in marks)
    window = read_window(pk, *_whole_hours(first - SILENCE, last + SILENCE))
    if not window.times:
        return len(marks)  # the readings are gone
    low, high = _reach(window, first, last)
    if low < window.start or high > window.end:
        window = read_window(pk, *_whole_hours(min(low, window.start), max(high, window.end)))
    _write(meter, window)
    _remember(pk, window)
    rolled_up.send(Rollup, meter=pk, start=window.start // 1000, end=window.end // 1000)
    for mark in marks:
        if meter.raw_since is not None and mark.hour < meter.raw_since:
            thin(pk, int(mark.hour.timestamp()))  # it came too late to be kept
    return len(marks)


def _whole_hours(low: int, high: int) -> tuple[int, int]:
    """Milliseconds of the hours that a stretch of them touches."""
    return floor(low // 1000, HOUR) * 1000, ceiling(-(-high // 1000), HOUR) * 1000


def _reach(window: Window, first: int, last: int) -> tuple[int, int]:
    """From where to where the readings of first..last matter: to those of each register before and after them."""
    low, high = first, last
    for times, _ in window.samples.values():
        i, j = bisect_left(times, first), bisect_left(times, last + 1)
        if i < j:  # what does not say this register does not move it
            low = min(low, times[i - 1]) if i else low
            high = max(high, times[j]) if j < len(times) else high
    i, j = bisect_left(window.times, first), bisect_left(window.times, last + 1)
    low, high = min(low, window.times[max(0, i - 1)]), max(high, window.times[min(j, len(window.times) - 1)])
    return max(low, first - LONGEST), min(high, last + LONGEST)


# --- buckets -------------------------------------------------------------------------------------


def _write(meter: Meter, window: Window) -> None:
    start, end = window.start // 1000, window.end // 1000
    end = min(end, ceiling(window.times[-1] // 1000 + 1, HOUR))  # nothing is known of what is to come
    start = max(start, floor(window.times[0] // 1000, HOUR))
    hours = list(range(start, end + 1, HOUR))
    if len(hours) < 2:
        return
    quiet = silences(window.times)
    upsert(meter.pk, Rollup.Step.MINUTE, _minutes(window, quiet, hours))
    whole = {hour: Bucket(hour, covered=_heard(window, quiet, hour, HOUR)) for hour in hours[:-1]}
    minutes: Counter[int] = Counter()
    for row in _rows(meter.pk, Rollup.Step.MINUTE, start, end):
        hour = floor(int(row.start.timestamp()), HOUR)
        whole[hour].add_power(row)
        minutes[hour] += row.covered
    for hour, seconds in minutes.items():
        whole[hour].covered = max(whole[hour].covered, seconds)  # of what was thinned since, they know more
    _add_energies(window, hours, whole, SILENCE)
    _tell_resets(meter, whole)
    upsert(meter.pk, Rollup.Step.HOUR, whole.values())
    upsert(meter.pk, Rollup.Step.DAY, _days(meter, window, midnights(start, end, zone_of(meter.timezone))))


def _heard(window: Window, quiet: Sequence[tuple[int, int]], start: int, length: int) -> int:
    return covered(window.times, quiet, start * 1000, (start + length) * 1000) // 1000


def _minutes(window: Window, quiet: Sequence[tuple[int, int]], hours: Sequence[int]) -> Iterable[Bucket]:
    """Those in which anything was heard."""
    found = {}
    for start in _heard_minutes(window, quiet, hours[0], hours[-1]):
        bucket = found[start] = Bucket(start, covered=_heard(window, quiet, start, MINUTE))
        i, j = (bisect_left(window.times, at * 1000) for at in (start, start + MINUTE))
        drawn = [va for va in window.sinsts[i:j] if va is not None]
        if drawn:
            bucket.readings, bucket.sinsts_sum = len(drawn), sum(drawn)
            bucket.sinsts_min, bucket.sinsts_max = min(drawn), max(drawn)
        injected = [va for va in window.sinsti[i:j] if va is not None]
        if injected:
            bucket.sinsti_readings, bucket.sinsti_sum, bucket.sinsti_max = len(injected), sum(injected), max(injected)
    for edges in _runs(found):
        _add_energies(window, edges, found, MINUTE * 1000)
    return found.values()


def _runs(minutes: Iterable[int]) -> Iterator[list[int]]:
    """The edges of minutes that follow each other."""
    run: list[int] = []
    for minute in minutes:
        if run and run[-1] != minute:
            yield run
            run = []
        run = run or [minute]
        run.append(minute + MINUTE)
    if run:
        yield run


def _heard_minutes(window: Window, quiet: Sequence[tuple[int, int]], start: int, end: int) -> Iterable[int]:
    """The minutes of start..end that do not lie in a silence, nor before the first reading or after the last."""
    if not window.times:
        return
    minute = max(start, floor(window.times[0] // 1000, MINUTE))
    last = min(end, window.times[-1] // 1000 + 1)
    for before, after in [*quiet, (last * 1000, 0)]:
        while minute * 1000 <= before and minute < last:
            yield minute
            minute += MINUTE
        minute = max(minute, floor(after // 1000, MINUTE))


def _add_energies(window: Window, edges: Sequence[int], buckets: dict[int, Bucket], tight: int) -> None:
    ms = [edge * 1000 for edge in edges]
    for name, index in window.indexes.items():
        for start, energy in zip(edges, index.energies(ms, tight), strict=False):
            if start in buckets:
                buckets[start].add_energy(name, energy)


def _days(meter: Meter, window: Window, edges: Sequence[int]) -> Iterable[Bucket]:
    """Sums of hours; only whether a day's ends are known is asked of the readings again."""
    days = [Bucket(edge) for edge in edges[:-1]]
    loose = [_is_loose(meter.pk, window, edge * 1000) for edge in edges]
    ends = iter(edges[1:])
    until, day = next(ends), iter(days)
    bucket = next(day)
    for row in _rows(meter.pk, Rollup.Step.HOUR, edges[0], edges[-1]):
        while row.start.timestamp() >= until:
            until, bucket = next(ends), next(day)
        bucket.add_power(row)
        bucket.covered += row.covered
        bucket.has_reset |= row.has_reset
        for name in REGISTERS:
            if (wh := getattr(row, name)) is not None:
                bucket.energy[name] = bucket.energy.get(name, 0) + wh
    for bucket, *ends_loose in zip(days, loose, loose[1:], strict=False):
        bucket.estimated = any(ends_loose) and bool(bucket.energy)
    return days


def _is_loose(meter: int, window: Window, edge: int) -> bool:
    """Whether some index is a guess at this moment."""
    if not window.start <= edge <= window.end:
        if window.times and edge > window.times[-1] and window.end > window.times[-1]:
            return False  # it is still to come
        window = read_window(meter, edge, edge)
    return any(index.is_loose(edge) for index in window.indexes.values())


def _tell_resets(meter: Meter, hours: dict[int, Bucket]) -> None:
    new = {start for start, bucket in hours.items() if bucket.has_reset and bucket.is_known}
    if new:
        rows = _rows(meter.pk, Rollup.Step.HOUR, min(new), max(new) + 1)
        new -= {int(row.start.timestamp()) for row in rows if row.has_reset}
    if new:
        first, end = (moment(at * 1000).astimezone(zone_of(meter.timezone)) for at in (min(new), max(new) + HOUR))
        log.warning(
            "An index of meter ...%s began anew between %s and %s: what it counted in between is not known",
            meter.meter_id[-4:], first.isoformat(), end.isoformat(),
        )  # fmt: skip


# --- the tables ----------------------------------------------------------------------------------


def _rows(meter: int, step: int, start: int, end: int) -> Iterable[Rollup]:
    rows = Rollup.objects.filter(meter=meter, step=step, origin=Rollup.Origin.METER)
    return rows.filter(start__gte=moment(start * 1000), start__lt=moment(end * 1000)).order_by("start")


def _remember(meter: int, window: Window) -> None:
    """What each register said first and last: buckets that do not hear it look there."""
    known = {register.name: register for register in Register.objects.filter(meter=meter)}
    for name, (times, values) in window.samples.items():
        first, last, value = moment(times[0]), moment(times[-1]), values[-1]
        register = known.get(name)
        if register is None:
            Register.objects.create(meter_id=meter, name=name, since=first, at=last, value=value)
            continue
        if last >= register.at and (last, value) != (register.at, register.value):
            register.at, register.value = last, value
            register.save(update_fields=["at", "value"])
        if first < register.since:
            register.since = first
            register.save(update_fields=["since"])
