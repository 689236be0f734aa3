"""Files in and data out, as the commands that an owner runs: rows a second of the whole command, and its memory.

`python -m benchmarks exchange` prints its rows.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.table import Row
from bridge.tic.values import write_stamp

_READINGS: Final = 100_000
_FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
_TUTORIAL: Final = (
    "CREATE TABLE ticapp_data (id integer PRIMARY KEY AUTOINCREMENT, dateTime datetime, date varchar(13), "
    "ltarf varchar(16), east integer, easf01 integer, easf02 integer, easd01 integer, easd02 integer, easd03 integer, "
    "easd04 integer, sinsts integer, sinsts1 integer, sinsts2 integer, sinsts3 integer)"
)
_MORE: Final = (
    "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO storage_data "
    "(meter_id, epoch_id, seq, dateTime, ltarf, east, easf01, easf02, easd01, sinsts) "
    "SELECT 1, 1, 1000000 + i, strftime('%Y-%m-%d %H:%M:%f', 1700000000 + i, 'unixepoch'), 'HP', i, i, i, i, 500 FROM n"
)


class _Place:
    """A folder with an empty database, and our commands on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database = folder / "db.sqlite3"
        (folder / "config.yaml").write_text(f"storage: {{database: 'sqlite:///{self.database}'}}\n")
        self.run("manage", "migrate", "--verbosity", "0")

    def run(self, *arguments: str) -> tuple[float, float]:
        """Seconds and the most megabytes that a command took."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("TICBRIDGE_", "DJANGO"))}
        environment |= {"TICBRIDGE_BRIDGE__STATE_DIR": str(self._folder / "state"), "PYTHONPATH": str(Path.cwd())}
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603  our own commands
            [sys.executable, "-m", "ticbridge", *arguments], cwd=self._folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{arguments} ended with {process.returncode}")
        return time.monotonic() - began, usage.ru_maxrss / 1000


def _tutorial(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TUTORIAL)
        database.executemany(
            "INSERT INTO ticapp_data VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (str((at + timedelta(milliseconds=700)).replace(tzinfo=None)), write_stamp(at), "HEURE PLEINE",
                 *(1_000_000 + n for _ in range(7)), 750, 250, 250, 250)
                for n, at in ((n, _FIRST + timedelta(seconds=n * 1.5)) for n in range(_READINGS))
            ),
        )  # fmt: skip


def _curve(path: Path) -> int:
    """Three years of half hours."""
    zone, number = ZoneInfo("Europe/Paris"), 3 * 365 * 48
    lines = [
        "Identifiant PRM;Type de donnees;Grandeur physique;Grandeur metier;Unite",
        "00000000000000;Courbe de charge;Energie active;Consommation;W",
        "Horodate;Valeur",
    ]
    first = datetime(2022, 12, 31, 23, 30, tzinfo=UTC)
    lines += [f"{(first + timedelta(minutes=30 * n)).astimezone(zone).isoformat()};{n % 3000}" for n in range(number)]
    path.write_text("\n".join(lines))
    return number


def rows() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = _Place(folder)
        _tutorial(folder / "tutorial.sqlite3")
        seconds, memory = place.run("import", "tutorial", str(folder / "tutorial.sqlite3"), "--meter", "m")
        found = [
            Row("import of the tutorial's database, rows/s", 3000, 10_000, _READINGS / seconds, "rows/s", lower=False,
                note=f"{memory:.0f} MB"),
        ]  # fmt: skip
        number = _curve(folder / "curve.csv")
        seconds, memory = place.run("import", "enedis", str(folder / "curve.csv"))
        found.append(
            Row("import of a load curve of three years, points/s", 2000, 10_000, number / seconds, "points/s",
                lower=False, note=f"{memory:.0f} MB")
        )  # fmt: skip
        small = place.run("export", "data", "--step", "raw", "--output", "small.csv")[1]
        with closing(sqlite3.connect(place.database)) as database, database:
            database.execute(_MORE, (1, 900_000))
        seconds, memory = place.run("export", "data", "--step", "raw", "--output", "large.csv")
        found.append(
            Row("export of a million readings, rows/s", 10_000, 40_000, 1e6 / seconds, "rows/s", lower=False,
                note=f"{memory:.0f} MB")
        )  # fmt: skip
        found.append(Row("export, memory of a million over that of 100 000", 4, 0.5, memory - small, "MB"))
    return found
