"""The same on PostgreSQL: what goes in comes out, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgresql import PostgreSQL
from tests.storage.exchange.conftest import Place
from tests.storage.exchange.enedis.samples import curve, index_row, indexes
from tests.storage.exchange.test_tutorial import made, rows

pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Place]:
    server = PostgreSQL()
    place = Place(tmp_path, server.url)
    try:
        place.run("manage", "migrate", "--verbosity", "0")
        yield place
    finally:
        server.close()


def test_files_go_in_once_and_come_out(postgresql: Place, csv_file: Callable[..., Path], tmp_path: Path) -> None:
    theirs = made(tmp_path / "theirs.sqlite3", rows(2100))
    powers = csv_file(*curve("2026-11-01T00:30+01:00", [100] * 48), name="curve")
    registers = csv_file(*indexes(index_row("2026-01-02T00:00:00+01:00", 0, 0, 0)), name="indexes")
    files = [
        ("tutorial", theirs, "2100 rows stored, 0 there", "0 rows stored, 2100 there"),
        ("enedis", powers, "1 new, 0 changed", "0 new, 0 changed, 1"),
        ("enedis", registers, "1 readings stored, 0", "0 readings stored, 1"),
    ]
    for kind, path, first, again in files:
        assert first in postgresql.run("import", kind, str(path), "--meter", "m")[0]
        assert again in postgresql.run("import", kind, str(path), "--meter", "m")[0]
    out, _ = postgresql.run("export", "data", "--step", "raw", "--format", "jsonl")
    raw = [json.loads(line) for line in out.splitlines()]
    assert (len(raw), raw[0]["time"], raw[0]["easd02"]) == (2101, "2026-01-02T00:00:00+01:00", 6)
    assert sum(row["easf01"] for row in raw[1:]) == sum(row["easf01"] for row in rows(2100))
    days = postgresql.run("export", "data", "--step", "day", "--format", "jsonl")[0]
    assert [(row["time"], row["east"]) for row in map(json.loads, days.splitlines())] == [
        ("2026-11-01T00:00:00+01:00", 2400)
    ]  # fmt: skip
