"""The tutorial's rows into the database: in chunks that are each a transaction, so that a stop loses nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from storage.exchange.readings import ROWS, Reading, chunks, store
from storage.exchange.tutorial import COLUMNS, Clock, Row, Tutorial
from storage.models import Data, Epoch, Import, Meter

LAYOUT: Final = "tutorial"
_STAMP: Final = COLUMNS.index("stamp_utc")
_SAME: Final = tuple(COLUMNS.index(name) for name in ("east", "sinsts"))


@dataclass(slots=True)
class Taken:
    """What became of the rows that were not refused."""

    stored: int = 0
    there: int = 0  # already, of this file or of an older copy of it
    begins: datetime | None = None
    ends: datetime | None = None


def take(
    tutorial: Tutorial, meter: Meter, zone: ZoneInfo, clock: Clock, now: datetime, *,
    dry_run: bool = False, advance: Callable[[int], None] = lambda _: None,
) -> Taken:  # fmt: skip
    """Store the rows that are not there yet. Run again, after a stop or by mistake, it stores what is missing."""
    taken = Taken()
    if not dry_run and meter.pk is None:
        meter.save()
    writer = None if dry_run else _Writer(tutorial, meter)
    known = _known(tutorial, meter)
    for chunk in chunks(tutorial.rows(zone, clock, now), ROWS):
        good = [row for row in chunk if row.at is not None]
        fresh = [row for row in _new(good, meter, tutorial) if row.number > known.handled]
        for row in good:
            assert row.at is not None, "chosen so"
            taken.begins, taken.ends = min(row.at, taken.begins or row.at), max(row.at, taken.ends or row.at)
        stored = len(fresh) if writer is None else writer.write(chunk[-1].number, fresh)
        taken.stored += stored
        taken.there += len(good) - stored
        advance(chunk[-1].number)
    return taken


def _epoch(tutorial: Tutorial) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"ticbridge:import:{tutorial.sha256}")


def _known(tutorial: Tutorial, meter: Meter) -> Epoch:
    """How far an earlier run came."""
    found = Epoch.objects.filter(meter_id=meter.pk or 0, uuid=_epoch(tutorial)).first()
    return found or Epoch(handled=0)


def _new(rows: list[Row], meter: Meter, tutorial: Tutorial) -> list[Row]:
    """Those that an older copy of the file did not bring: the tutorial may go on, and its file grow."""
    others = Import.objects.filter(meter_id=meter.pk or 0, layout=LAYOUT).exclude(sha256=tutorial.sha256)
    epochs = list(others.values_list("epoch", flat=True))
    if not epochs or not rows:
        return rows
    instants = [row.at for row in rows]
    found = Data.objects.filter(meter=meter, dateTime__range=(min(instants), max(instants)), epoch__in=epochs)  # type: ignore[type-var]
    there = set(found.values_list("dateTime", "east", "sinsts"))
    return [row for row in rows if (row.at, *(row.values[n] for n in _SAME)) not in there]


class _Writer:
    """Writes chunks into one epoch, whose `handled` tells how far the file was read."""

    def __init__(self, tutorial: Tutorial, meter: Meter) -> None:
        with transaction.atomic():
            self._epoch, _ = Epoch.objects.get_or_create(
                meter=meter, uuid=_epoch(tutorial), defaults={"bridge": LAYOUT, "handled": 0, "floor": 1}
            )
            self._import, _ = Import.objects.get_or_create(
                meter=meter, sha256=tutorial.sha256, block=1,
                defaults={"epoch": self._epoch, "layout": LAYOUT, "name": tutorial.path.name[-255:]},
            )  # fmt: skip

    def write(self, last: int, rows: list[Row]) -> int:
        """The chunk that ends with row number `last` of the file."""
        adapt = connection.ops.adapt_datetimefield_value
        with transaction.atomic():
            epoch = Epoch.objects.select_for_update().get(pk=self._epoch.pk)
            readings = []
            for row in rows:
                assert row.at is not None, "the refused ones are no longer here"
                stamp = row.values[_STAMP]
                values = (*row.values[:_STAMP], stamp and adapt(stamp), *row.values[_STAMP + 1 :])
                readings.append(Reading(row.number, row.at, values))
            stored = store(epoch, self._import, COLUMNS, readings)
            if last > epoch.handled:
                epoch.handled = last
                epoch.save(update_fields=["handled"])
        return stored
