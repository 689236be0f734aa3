"""Which hours the roll-ups must look at again: marked in the transaction that writes readings, never after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Max, Min

from storage.buckets import HOUR
from storage.dbtime import Milliseconds
from storage.models import Data, Dirty

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """Since 1970, as roll-ups count time."""
    return (at - _EPOCH) // _MILLISECOND


def mark(touched: Mapping[int, Iterable[datetime]]) -> None:
    """Mark the hours in which readings of these meters (by primary key) came, in the caller's transaction.

    The update of a mark that is there already locks it: a roll-up that takes it waits until these readings can be seen.
    """
    hours: dict[tuple[int, int], tuple[int, int]] = {}
    for meter, instants in touched.items():
        for at in instants:
            ms = milliseconds(at)
            key = meter, ms // (HOUR * 1000) * HOUR
            first, last = hours.get(key, (ms, ms))
            hours[key] = min(first, ms), max(last, ms)
    _write(hours)


def mark_all(meter: int) -> int:
    """Mark every hour that holds readings of a meter; how many."""
    rows: Any = Data.objects.filter(meter=meter).annotate(ms=Milliseconds("dateTime"))
    rows = rows.annotate(number=F("ms") / (HOUR * 1000)).values("number").order_by("number")
    spans = rows.annotate(first=Min("ms"), last=Max("ms")).values_list("number", "first", "last")
    with transaction.atomic():
        _write({(meter, number * HOUR): (first, last) for number, first, last in spans})
    return len(spans)


def _write(hours: Mapping[tuple[int, int], tuple[int, int]]) -> None:
    """(meter, hour) -> first and last, milliseconds."""
    if not hours:
        return
    table = connection.ops.quote_name(Dirty._meta.db_table)
    keys = sorted(hours)  # in one order: two writers that lock the same two would wait for each other
    rows = ", ".join([str((*key, *hours[key])) for key in keys])  # a tuple of numbers reads as SQL does
    statement = (
        f"INSERT INTO {table} (meter_id, hour, first, last) VALUES {rows} "  # noqa: S608  names and numbers
        "ON CONFLICT (meter_id, hour) DO UPDATE SET "
        f"first = CASE WHEN excluded.first < {table}.first THEN excluded.first ELSE {table}.first END, "
        f"last = CASE WHEN excluded.last > {table}.last THEN excluded.last ELSE {table}.last END"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
