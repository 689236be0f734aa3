"""Energy of a part of an hour: from the readings while they are whole, else from the minutes, else its share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

from storage.buckets import HOUR
from storage.models import Meter, Rollup
from storage.queries.buckets import Bucket, merged
from storage.queries.index import Indexes, IndexValue, index_at
from storage.queries.periods import Period, instant, instant_of
from storage.window import REGISTERS

_MINUTE_MS: Final = 60_000
Energies = tuple[int | None, ...]
_NOTHING: Energies = (None,) * len(REGISTERS)


class _Counted(NamedTuple):
    energies: Energies
    estimated: bool
    covered: int


class Hour:
    """What is known of an hour."""

    def __init__(self, meter: Meter, start: int) -> None:
        self._meter, self._start = meter, start
        found = merged(meter, Rollup.Step.HOUR, Period(start, start + 1))
        self._row = found[0] if found else None
        self._minutes = merged(meter, Rollup.Step.MINUTE, Period(start, start + HOUR))
        whole = meter.raw_since is None or meter.raw_since.timestamp() <= start
        # The parts of a file's hour are shares of it, and so are those of an hour in which an index began anew.
        differs = self._row is not None and (self._row.from_file or self._row.has_reset)
        self._first = index_at(meter, instant(start)) if whole and not differs else None

    def until(self, ms: int) -> _Counted:
        """From the hour's beginning up to an instant, in milliseconds since 1970; the whole hour is its row's."""
        part = ms - self._start * 1000
        if part == 0:
            return _Counted(tuple(0 for _ in REGISTERS), estimated=False, covered=0)
        if part == HOUR * 1000 and self._row is not None:
            return _Counted(self._row.energies, estimated=False, covered=self._row.covered)
        if self._first is not None:
            return self._by_readings(self._first, ms)
        if self._row is None:
            return _Counted(_NOTHING, estimated=False, covered=0)
        return self._by_minutes(self._row, ms)

    def _by_readings(self, first: Indexes, ms: int) -> _Counted:
        last = index_at(self._meter, instant_of(ms))
        pairs = zip(first.registers, last.registers, strict=True)
        energies = tuple(
            None if b is None else b.value - a.value if a is not None else self._since_it_was_said(n, b)
            for n, (a, b) in enumerate(pairs)
        )
        return _Counted(energies, last.estimated, self._covered(ms))

    def _since_it_was_said(self, register: int, now: IndexValue) -> int | None:
        """Of one that came to be known within the hour: the hour's, without what is still to come."""
        whole = self._row.energies[register] if self._row is not None else None
        end = self._last.registers[register]
        return None if whole is None or end is None else max(0, whole - (end.value - now.value))

    @cached_property
    def _last(self) -> Indexes:
        return index_at(self._meter, instant(self._start + HOUR))

    def _by_minutes(self, row: Bucket, ms: int) -> _Counted:
        """Heard minutes say what they took; the rest of the hour is spread over the minutes that were not heard."""
        part = ms - self._start * 1000
        before = [minute for minute in self._minutes if (minute.start + 60) * 1000 <= ms]
        inside = next((m for m in self._minutes if m.start * 1000 < ms < (m.start + 60) * 1000), None)
        begun = ms - inside.start * 1000 if inside else 0
        unheard = HOUR * 1000 - len(self._minutes) * _MINUTE_MS
        unheard_before = part - len(before) * _MINUTE_MS - begun
        energies: list[int | None] = []
        for n, whole in enumerate(row.energies):
            heard = _known(self._minutes, n)
            if whole is None:
                energies.append(None)
                continue
            rest = max(0, whole - sum(heard))
            share = rest * unheard_before // unheard if unheard else 0
            own = (inside.energies[n] or 0) * begun // _MINUTE_MS if inside else 0
            energies.append(sum(_known(before, n)) + own + share)
        return _Counted(tuple(energies), bool(part % _MINUTE_MS) or not before or unheard > 0, self._covered(ms))

    def _covered(self, ms: int) -> int:
        return sum(min(minute.covered, max(0, ms // 1000 - minute.start)) for minute in self._minutes)


def _known(minutes: Sequence[Bucket], register: int) -> list[int]:
    return [energy for minute in minutes if (energy := minute.energies[register]) is not None]


def part(meter: Meter, begins: int, ends: int) -> Bucket:
    """A bucket of what lies between two instants of one hour, in milliseconds since 1970."""
    start = begins // 1000 // HOUR * HOUR
    hour = Hour(meter, start)
    until, since = hour.until(ends), hour.until(begins)
    pairs = zip(until.energies, since.energies, strict=True)
    energies = tuple(None if b is None else b - (a or 0) for b, a in pairs)
    return Bucket(
        begins // 1000, (ends - begins) // 1000, 0, until.covered - since.covered, until.estimated or since.estimated,
        False, False, energies,
    )  # fmt: skip
