"""What roll-ups are, in the plainest loops: for tests of whoever writes them and whoever reads them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from storage import rollups
from storage.dirty import mark_all
from storage.models import Data, Meter, Rollup

REGISTERS: Final = ("east", *(f"easf{n:02}" for n in range(1, 11)), "eait")
_SILENCE: Final = {60: 60_000, 3600: 300_000, 86_400: 300_000}


@dataclass(frozen=True)
class Said:
    """A reading: milliseconds since 1970, and its columns."""

    ms: int
    values: Mapping[str, int | None]


@dataclass(frozen=True)
class Bucket:
    """A row of Rollup."""

    step: int
    start: int
    readings: int
    covered: int
    sinsts: tuple[int | None, int | None, int | None]  # sum, min, max
    sinsti: tuple[int, int | None, int | None]  # readings, sum, max
    energies: Mapping[str, int | None] = field(default_factory=dict)
    estimated: bool = False
    has_reset: bool = False


class Counted:
    """What a register counted since its first reading; a fall begins anew."""

    def __init__(self, said: Sequence[Said], name: str) -> None:
        known = [(one.ms, value) for one in said if (value := one.values.get(name)) is not None]
        self.at = [ms for ms, _ in known]
        self.total = [0] * len(known)
        self.falls = []
        for n, ((_, value), (ms, after)) in enumerate(pairwise(known), start=1):
            self.total[n] = self.total[n - 1] + max(0, after - value)
            if after < value:
                self.falls.append(ms)

    def until(self, ms: int) -> tuple[int, bool] | None:
        """Wh up to an instant, and whether that lies in a silence of five minutes; None before the first reading."""
        n = bisect_right(self.at, ms) - 1
        if n < 0:
            return None
        if n == len(self.at) - 1:
            return self.total[n], False
        rise, gap = self.total[n + 1] - self.total[n], self.at[n + 1] - self.at[n]
        part = ms - self.at[n]
        return self.total[n] + rise * part // gap, gap > 300_000 and rise > 0 and part > 0


def energy_at(said: Sequence[Said], name: str, ms: int) -> tuple[int, bool] | None:
    """As `Counted.until`."""
    return Counted(said, name).until(ms)


def between(said: Sequence[Said], name: str, start: int, end: int) -> int | None:
    """Wh from one instant to another; from the first reading on, if it came later than `start`."""
    return _between(Counted(said, name), start, end)


def _between(counted: Counted, start: int, end: int) -> int | None:
    until, since = counted.until(end), counted.until(start)
    return None if until is None else until[0] - (since[0] if since else 0)


def buckets(said: Sequence[Said], zone: tzinfo) -> list[Bucket]:
    """All roll-ups of a history, oldest readings first."""
    found = []
    counted = {name: Counted(said, name) for name in REGISTERS}
    for step, next_start in ((60, _fixed(60)), (3600, _fixed(3600)), (86_400, _days(zone))):
        start = _floor(said[0].ms // 1000, step, zone)
        while start * 1000 <= said[-1].ms:
            end = next_start(start)
            if step > 60 or _is_heard(said, start, end):
                found.append(_bucket(said, counted, step, start, end))
            start = end
    return found


def _is_heard(said: Sequence[Said], start: int, end: int) -> bool:
    first, last = (bisect_left(said, at * 1000, key=lambda one: one.ms) for at in (start, end))
    return first < last


def _fixed(step: int) -> Callable[[int], int]:
    return lambda start: start + step


def _days(zone: tzinfo) -> Callable[[int], int]:
    return lambda start: int((datetime.fromtimestamp(start, zone) + timedelta(days=1)).timestamp())


def _floor(at: int, step: int, zone: tzinfo) -> int:
    if step < 86_400:
        return at // step * step
    midnight = datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp())


def _bucket(said: Sequence[Said], counted: Mapping[str, Counted], step: int, start: int, end: int) -> Bucket:
    first, last = (bisect_left(said, at * 1000, key=lambda one: one.ms) for at in (start, end))
    drawn = [value for one in said[first:last] if (value := one.values.get("sinsts")) is not None]
    given = [value for one in said[first:last] if (value := one.values.get("sinsti")) is not None]
    ends = [one.until(at * 1000) for one in counted.values() for at in (start, end)]
    return Bucket(
        step, start, len(drawn), _covered(said[max(0, first - 1) : last + 1], step, start, end),
        (sum(drawn) if drawn else None, min(drawn, default=None), max(drawn, default=None)),
        (len(given), sum(given) if given else None, max(given, default=None)),
        {name: _between(one, start * 1000, end * 1000) for name, one in counted.items()},
        any(found is not None and found[1] for found in ends),
        any(start * 1000 <= ms < end * 1000 for one in counted.values() for ms in one.falls),
    )  # fmt: skip


def _covered(said: Sequence[Said], step: int, start: int, end: int) -> int:
    """`said` with one reading before `start` and one after `end`."""
    heard = 0
    for one, after in pairwise(said):
        if after.ms - one.ms <= _SILENCE[step]:
            heard += max(0, min(after.ms, end * 1000) - max(one.ms, start * 1000))
    return heard // 1000


def said_of(meter: Meter) -> list[Said]:
    """The stored readings."""
    rows = Data.objects.filter(meter=meter).order_by("dateTime")
    names = (*REGISTERS, "sinsts", "sinsti")
    return [Said(_ms(row.dateTime), {name: getattr(row, name) for name in names}) for row in rows]


def _ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def roll_up(meter: Meter, zone: tzinfo) -> None:
    """As the store does it."""
    assert str(zone) == meter.timezone, "its days are those of its zone"
    mark_all(meter.pk)
    for _ in rollups.roll_up():
        pass


def stored_buckets(meter: Meter) -> Iterator[Bucket]:
    """The roll-ups that the database holds, in the order of `buckets`."""
    for row in Rollup.objects.filter(meter=meter, origin=Rollup.Origin.METER).order_by("step", "start"):
        yield Bucket(
            row.step, int(row.start.timestamp()), row.readings, row.covered,
            (row.sinsts_sum, row.sinsts_min, row.sinsts_max), (row.sinsti_readings, row.sinsti_sum, row.sinsti_max),
            {name: getattr(row, name) for name in REGISTERS}, row.estimated, row.has_reset,
        )  # fmt: skip
