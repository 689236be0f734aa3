"""Rows of `Data` that no bridge sent: written in bulk, each once, and told to the roll-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from django.db import connection
from django.db.models import F

from storage.dirty import mark
from storage.models import Data, Epoch, Import

T = TypeVar("T")

ROWS: Final = 1000  # of one statement and transaction: SQLite takes 32 766 parameters


class Reading(NamedTuple):
    """A row to be: its number in the file, its instant, and its columns in the order that the writer was given."""

    seq: int
    at: datetime
    values: tuple[Any, ...]  # of any column's type, as the database takes them


def store(epoch: Epoch, taken: Import, columns: Sequence[str], rows: Sequence[Reading]) -> int:
    """Write those that are not there yet and mark their hours, in the caller's transaction; how many there were."""
    if not rows:
        return 0
    quote, adapt = connection.ops.quote_name, connection.ops.adapt_datetimefield_value
    names = ", ".join(map(quote, ("meter_id", "epoch_id", "seq", "dateTime", *columns)))
    one = f"({', '.join(['%s'] * (4 + len(columns)))})"
    parameters: list[Any] = []
    for row in rows:
        parameters += (epoch.meter_id, epoch.pk, row.seq, adapt(row.at), *row.values)
    statement = (
        f"INSERT INTO {quote(Data._meta.db_table)} ({names}) VALUES {', '.join([one] * len(rows))} "  # noqa: S608  names only
        "ON CONFLICT (epoch_id, seq) DO NOTHING RETURNING seq"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        inserted = {seq for (seq,) in cursor.fetchall()}
    instants = [row.at for row in rows if row.seq in inserted]
    if instants:
        mark({epoch.meter_id: instants})
        grow(taken, len(instants), min(instants), max(instants))
    return len(instants)


def chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many."""
    all_rows = iter(rows)
    while chunk := list(islice(all_rows, size)):
        yield chunk


def grow(taken: Import, rows: int, begins: datetime, ends: datetime) -> None:
    """Write down in the import that it has more rows now."""
    taken.begins = min(begins, taken.begins or begins)
    taken.ends = max(ends, taken.ends or ends)
    Import.objects.filter(pk=taken.pk).update(rows=F("rows") + rows, begins=taken.begins, ends=taken.ends)
