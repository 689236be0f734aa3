"""A database of each schema that there ever was becomes one of today, with all that was in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.storage.schemas.make import HERE, fill, rows
from tests.storage.scratch import Rows, Scratch

STATES: Final = sorted(path.stem for path in HERE.glob("*.sql"))
_KILLED: Final = (str(Path(__file__).with_name("killed.py")),)

# What is done once for all that is there, and what the marks are then made of.
_INSTANTS: Final = 'SELECT meter_id, "dateTime" FROM storage_data'
_MARKS: Final = "SELECT meter_id, hour, first, last FROM storage_dirty ORDER BY meter_id, hour"


def old(scratch: Scratch, state: str) -> dict[str, Rows]:
    """A database at a migration, and what it holds: on SQLite the file that was kept, else the same rows."""
    if scratch.is_sqlite:
        with closing(sqlite3.connect(scratch.file)) as connection:
            connection.executescript((HERE / f"{state}.sql").read_text())
    else:
        scratch.migrate("storage", state)
        fill(scratch, state)
    return content(scratch, state)


def content(scratch: Scratch, state: str) -> dict[str, Rows]:
    """The columns that were there then. Marks are no content."""
    found = {}
    for table, lines in rows(state).items():
        if table != "storage_dirty":
            names = ", ".join(f'"{name}"' for name in sorted({name for line in lines for name in line}))
            found[table] = scratch.query(f"SELECT {names} FROM {table} ORDER BY id")
    return found


def expected_marks(scratch: Scratch) -> list[tuple[int, int, int, int]]:
    spans: dict[tuple[int, int], list[int]] = {}
    for meter, at in scratch.query(_INSTANTS):
        when = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at
        milliseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        spans.setdefault((meter, milliseconds // 3_600_000 * 3600), []).append(milliseconds)
    return [(meter, hour, min(span), max(span)) for (meter, hour), span in sorted(spans.items())]


def test_each_migration_that_owners_may_stand_at_has_its_file() -> None:
    assert STATES == ["0001_first", "0002_handover", "0003_rollups"]


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_what_was_there_is_there_after_the_upgrade_and_will_be_rolled_up(state: str, scratch: Scratch) -> None:
    before = old(scratch, state)
    assert len(before["storage_data"]) == 8
    scratch.migrate()
    assert content(scratch, state) == before
    marks = scratch.query(_MARKS)
    assert marks == expected_marks(scratch)
    assert len(marks) == 6
    scratch.migrate("storage", "0005")
    scratch.migrate()
    assert scratch.query(_MARKS) == marks


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param('CREATE TABLE "storage_rollup"', marks=pytest.mark.long),  # half of a migration is done
        "'0003_rollups'",  # all of it is, and it is about to be noted
        pytest.param("INSERT INTO storage_dirty", marks=pytest.mark.long),  # an earlier one is noted
    ],
)
def test_a_migration_that_is_killed_is_done_again(moment: str, scratch: Scratch) -> None:
    before = old(scratch, "0002_handover")
    assert scratch.manage(moment, program=_KILLED).code == -9
    scratch.migrate()
    assert content(scratch, "0002_handover") == before
    assert scratch.query(_MARKS) == expected_marks(scratch)
    scratch.migrate("storage", "zero")
    assert {name for name in scratch.objects() if name.startswith("storage_")} == set()
