"""The colours of Tempo days: who told each, and what their owner tells."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db import transaction

from storage.models import Meter
from storage.tariffs.grids import PARIS
from storage.tariffs.marks import mark
from storage.tariffs.models import TempoDay
from storage.tariffs.observing import USER

_BEGINS = timedelta(hours=6)


class Told(NamedTuple):
    """A day that is known."""

    day: date
    colour: str
    source: str  # meter ...0001; user; a file


def current_day(now: datetime) -> date:
    """The Tempo day that lasts: from six to six, Paris time."""
    wall = now.astimezone(PARIS).replace(tzinfo=None)
    return (wall - _BEGINS).date()


def told(first: date, last: date) -> list[Told]:
    """The known days between two, both included."""
    rows = TempoDay.objects.filter(day__gte=first, day__lte=last).order_by("day")
    return [Told(*row) for row in rows.values_list("day", "colour", "source")]


@transaction.atomic
def tell(day: date, colour: str) -> str | None:
    """The owner's word, which wins; empty: he takes it back, and the meters are asked again. What it was before."""
    row = TempoDay.objects.select_for_update().filter(day=day).first()
    before = None if row is None else str(row.colour)
    if colour:
        TempoDay.objects.update_or_create(day=day, defaults={"colour": colour, "source": USER})
    elif row is not None and row.source == USER:
        row.delete()
        start = datetime.combine(day, time(), UTC)
        mark(Meter.objects.values_list("pk", flat=True), start - timedelta(days=1), start + timedelta(days=2))
    return before
