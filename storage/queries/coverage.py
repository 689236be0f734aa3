"""How much of each day a meter was heard, and whether its energy is known all the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from storage.buckets import HOUR, zone_of
from storage.models import Dirty, Meter, Rollup
from storage.queries import periods
from storage.queries.buckets import Bucket, merged
from storage.queries.periods import Period

_SPARE: Final = 60  # seconds of a day that a restart may take without being told of


@dataclass(frozen=True, slots=True)
class Covered:
    """A civil day of the meter's zone: of `seconds`, `heard` were heard. Of the last one, the hours that are over."""

    day: date
    seconds: int
    heard: int
    known: bool  # its energy is, by the indexes or a file

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.heard / self.seconds

    @property
    def is_whole(self) -> bool:
        return self.seconds - self.heard <= _SPARE


def coverage(meter: Meter, first: date, last: date, now: datetime) -> tuple[Covered, ...]:
    """Each day from `first` to `last`, both included, as far as it is over and rolled up."""
    zone = zone_of(meter.timezone)
    over = _rolled_up(meter, int(now.timestamp()) // HOUR * HOUR)
    days = [one for one in periods.days(first, last, zone) if one.start < over]
    if not days:
        return ()
    told = {one.start: one for one in merged(meter, Rollup.Step.DAY, Period(days[0].start, days[-1].end), ("east",))}
    found = []
    for one in days:
        bucket = told.get(one.start)
        seconds, heard = one.seconds, _heard(bucket)
        if one.end > over:
            seconds = over - one.start
            heard = sum(map(_heard, merged(meter, Rollup.Step.HOUR, Period(one.start, over), ())))
        known = bucket is not None and bucket.energies[0] is not None
        found.append(Covered(datetime.fromtimestamp(one.start, zone).date(), seconds, min(heard, seconds), known))
    return tuple(found)


def _heard(bucket: Bucket | None) -> int:
    """A file hears nothing."""
    return 0 if bucket is None or (bucket.from_file and not bucket.readings) else bucket.covered


def _rolled_up(meter: Meter, over: int) -> int:
    """What readings say of the hours from here on is not rolled up yet."""
    waiting = Dirty.objects.filter(meter=meter).order_by("hour").values_list("hour", flat=True).first()
    return over if waiting is None else min(over, int(waiting.timestamp()))
