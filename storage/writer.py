"""Readings to rows of `Data`, each engine's fastest way. What is there already stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import DateTimeField, Field, JSONField

from storage.models import Data

Row = Mapping[str, Any]  # field of Data -> value of that field's type; `meter` and `epoch` by primary key
Key = tuple[int, int]  # (epoch, seq)

_FIELDS: Final = [field for field in Data._meta.concrete_fields if not field.primary_key]
_CHUNK: Final = 500  # rows of one statement: SQLite takes 32 766 parameters


def insert(rows: Sequence[Row]) -> list[Key]:
    """Insert the rows that are not there yet, in the caller's transaction; give their keys.

    After a `django.db.Error` some may have been inserted: a caller that goes on needs a savepoint around this.
    """
    assert connection.in_atomic_block, "else the rows would be gone between two statements"
    return _copy(rows) if connection.vendor == "postgresql" else _insert(rows)


# Both: never OR IGNORE and its like, which swallow a NOT NULL violation as if it were a duplicate.


def _insert(rows: Sequence[Row]) -> list[Key]:
    """Statements of many rows."""
    one = f"({', '.join(['%s'] * len(_FIELDS))})"
    inserted: list[Key] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            parameters = [value for row in _values(chunk, DateTimeField, JSONField) for value in row]
            cursor.execute(f"{_into()} VALUES {', '.join([one] * len(chunk))} {_unless_there()}", parameters)
            inserted += cursor.fetchall()
    return inserted


def _copy(rows: Sequence[Row]) -> list[Key]:
    """COPY into a table of this session, and from there: a tenth of what a statement of many rows takes.

    The table stays, empty after each commit: one for each batch would fill PostgreSQL's own tables.
    """
    names, data = _names(), connection.ops.quote_name(Data._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS storage_incoming ON COMMIT DELETE ROWS AS SELECT {names} "  # noqa: S608  names
            f"FROM {data} WITH NO DATA"
        )
        # Django hands `copy` through as it is, and with it psycopg's own errors.
        with connection.wrap_database_errors, cursor.copy(f"COPY storage_incoming ({names}) FROM STDIN") as copy:
            for row in _values(rows, JSONField):
                copy.write_row(row)
        cursor.execute(f"{_into()} SELECT {names} FROM storage_incoming {_unless_there()}")  # noqa: S608  as above
        inserted: list[Key] = cursor.fetchall()
        cursor.execute("DELETE FROM storage_incoming")  # a transaction may insert several times
    return inserted


def _names() -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in _FIELDS)


def _into() -> str:
    return f"INSERT INTO {connection.ops.quote_name(Data._meta.db_table)} ({_names()})"


def _unless_there() -> str:
    return "ON CONFLICT (epoch_id, seq) DO NOTHING RETURNING epoch_id, seq"


def _values(rows: Sequence[Row], *others: type[Field[Any, Any]]) -> Iterator[list[Any]]:  # of any column's type
    """The columns of each row. All but `others` are the same to Python and to the database's library."""
    prepare: dict[int, Callable[..., Any]] = {  # as above
        number: field.get_db_prep_save for number, field in enumerate(_FIELDS) if isinstance(field, others)
    }
    names = [field.name for field in _FIELDS]
    for row in rows:
        values = [row.get(name) for name in names]
        for number, prepared in prepare.items():
            if values[number] is not None:
                values[number] = prepared(values[number], connection)
        yield values
