"""Makes a database as each migration left it, with some rows: `python -m tests.storage.schemas.make 0002_handover`.

Written as SQL, so that a change can be read; the same each time. What is there stays for good: it is what owners have.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.storage.scratch import Scratch

HERE: Final = Path(__file__).parent
_EPOCH: Final = "11111111222243338444555555555555"

# Values of both engines: texts are what the column takes them for. Two meters; an hour with
# readings at both ends, one that a reading opens to the millisecond, silence, a winter's hour.
_INSTANTS: Final = (
    "2026-07-01 09:00:00", "2026-07-01 09:59:59.999000", "2026-07-01 10:00:00.250000", "2026-07-01 10:00:01.250000",
    "2026-07-03 23:30:00.500000", "2026-10-25 00:30:00", "2026-10-25 01:30:00.001000",
)  # fmt: skip
_TABLES: Final[dict[str, tuple[str, list[dict[str, Any]]]]] = {  # table -> (since, rows of any columns)
    "storage_meter": ("0001_first", [
        {"id": 1, "meter_id": "021861000001", "name": "Maison", "mode": "standard", "timezone": "Europe/Paris"},
        {"id": 2, "meter_id": "042161000002", "name": "", "mode": "historique", "timezone": "Indian/Reunion"},
    ]),
    "storage_epoch": ("0001_first", [
        {"id": 1, "uuid": _EPOCH, "bridge": "pi", "handled": 7, "floor": 1, "meter_id": 1},
        {"id": 2, "uuid": _EPOCH, "bridge": "pi", "handled": 1, "floor": 1, "meter_id": 2},
    ]),
    "storage_data": ("0001_first", [
        *({"id": n, "seq": n, "dateTime": at, "date": "H260701110000", "ltarf": "HP BLEU", "ntarf": 2,
           "east": 1000 + n, "easf01": n, "sinsts": 750, "irms1": 3, "epoch_id": 1, "meter_id": 1}
          for n, at in enumerate(_INSTANTS, start=1)),
        {"id": 8, "seq": 1, "dateTime": "2026-07-01 09:30:00.125000", "stamp_utc": "2026-07-01 09:30:00", "east": 5,
         "extra": '{"UMOY1": "231"}', "epoch_id": 2, "meter_id": 2},
    ]),
    "storage_gap": ("0001_first", [
        {"id": 1, "first": 4, "last": 6, "noticed": "2026-07-03 23:31:00", "epoch_id": 1},
    ]),
    "storage_deadletter": ("0001_first", [
        {"id": 1, "received": "2026-07-01 09:00:05", "topic": "linky/021861000001/reading", "body": b'{"v":2}\x00',
         "reason": "v: Input should be 1", "seq": 3, "epoch_id": 1},
    ]),
    "storage_store": ("0002_handover", [{"id": 1, "store_id": "0123456789ab"}]),
    "storage_rollup": ("0003_rollups", [
        {"id": 1, "step": 86400, "start": 1782856800, "origin": 0, "readings": 4, "covered": 3600, "sinsts_sum": 3000,
         "sinsti_readings": 0, "east": 3, "estimated": "0", "has_reset": "0", "meter_id": 1},
    ]),
    "storage_dirty": ("0003_rollups", [
        {"id": 1, "hour": 1782896400, "first": 1782896400000, "last": 1782896400000, "meter_id": 1},
    ]),
    "storage_register": ("0003_rollups", [
        {"id": 1, "name": "east", "since": "2026-07-01 09:00:00", "at": "2026-10-25 01:30:00.001000", "value": 1007,
         "meter_id": 1},
    ]),
    "storage_import": ("0003_rollups", [
        {"id": 1, "layout": "enedis", "name": "courbe.csv", "sha256": "0" * 64, "made": "2026-11-01 10:00:00",
         "rows": 48, "block": 1, "prm": "", "meter_id": 1},
    ]),
}  # fmt: skip
_LATER: Final = {"storage_gap": ("0002_handover", {"reason": "dropped"})}  # columns that may not be empty


def rows(state: str) -> dict[str, list[dict[str, Any]]]:  # as above
    """What a database at a migration holds, by table."""
    found = {table: content for table, (since, content) in _TABLES.items() if since <= state}
    for table, (since, columns) in _LATER.items():
        if since <= state:
            found[table] = [{**row, **columns} for row in found[table]]
    return found


def fill(scratch: Scratch, state: str) -> None:
    """Write them into a database that is at that migration."""
    for table, content in rows(state).items():
        for row in content:
            names = ", ".join(f'"{name}"' for name in row)
            places = ", ".join("?" * len(row))
            scratch.write(f"INSERT INTO {table} ({names}) VALUES ({places})", [tuple(row.values())])


def main(state: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(f"sqlite:///{folder}/db.sqlite3", Path(folder))
        scratch.migrate("storage", state)
        fill(scratch, state)
        with closing(sqlite3.connect(scratch.file)) as connection:
            lines = list(connection.iterdump())
    # When a migration was applied is the one thing that differs.
    applied = re.compile(r"^(INSERT INTO \"django_migrations\" .*)'[^']+'\);$", re.MULTILINE)
    text = applied.sub(r"\1'2026-11-21 00:00:00');", "\n".join(lines))
    (HERE / f"{state}.sql").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
