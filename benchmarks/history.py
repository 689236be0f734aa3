"""A year of readings as the retention leaves it: how large it is, and how long questions to it take.

`python -m benchmarks.history` also prints what each table takes, and what other questions take.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.frames import PERIOD
from benchmarks.table import Row

if TYPE_CHECKING:
    from storage.models import Meter

_YEAR: Final = 365
_WHOLE: Final = 7 * 24  # hours of all readings: storage.keep.raw
_RUNS: Final = 11
_ROUNDS: Final = 3
_METERS: Final = 10
_NOW: Final = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its indexes."""

    name: str
    rows: int
    bytes: int


@contextmanager
def database() -> Iterator[Path]:
    """An empty one of ours, for this process."""
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith("TICBRIDGE_")]:
            del os.environ[name]
        file = Path(folder) / "db.sqlite3"
        (Path(folder) / "config.yaml").touch()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "storage.settings",
            "TICBRIDGE_CONFIG": f"{folder}/config.yaml",
            "TICBRIDGE_BRIDGE__STATE_DIR": folder,
            "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{file}",
        }
        import django  # noqa: PLC0415  the settings are made above

        django.setup()
        from storage.migrate import migrate  # noqa: PLC0415  as above

        migrate()
        yield file


def first_meter() -> Meter:
    """A year of one meter, a reading each 1.08 s."""
    from bridge.simulated.meter import read_plan  # noqa: PLC0415  as above
    from storage.models import Meter  # noqa: PLC0415  as above
    from storage.seed import seed  # noqa: PLC0415  as above

    plan = read_plan("tempo")[0]
    seed(plan, _NOW, _YEAR - _WHOLE // 24, _WHOLE, PERIOD)
    return Meter.objects.get(meter_id=plan.meter_id)


def more_meters(first: Meter) -> None:
    """The same year under other names."""
    from storage.models import Data, Epoch, Register, Rollup  # noqa: PLC0415  as above

    epoch = Epoch.objects.get(meter=first)
    for number in range(1, _METERS):
        meter = type(first).objects.create(
            meter_id=f"0421619{number:05}", mode=first.mode, timezone=first.timezone, raw_since=first.raw_since
        )
        other = Epoch.objects.create(meter=meter, uuid=_uuid(number), bridge="bench", handled=epoch.handled, floor=1)
        for model, changed in (
            (Rollup, {"meter_id": meter.pk}),
            (Register, {"meter_id": meter.pk}),
            (Data, {"meter_id": meter.pk, "epoch_id": other.pk}),
        ):
            _copy(model, first, changed)


def _uuid(number: int) -> Any:  # the standard library's
    from uuid import UUID  # noqa: PLC0415  used here only

    return UUID(int=number)


def _copy(model: Any, first: Meter, changed: dict[str, int]) -> None:  # any of our models
    from django.db import connection  # noqa: PLC0415  as above

    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    table = model._meta.db_table
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(str(changed.get(name, f'"{name}"')) for name in names)
    with connection.cursor() as cursor:
        statement = f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE meter_id = %s ORDER BY id"  # noqa: S608  our names
        cursor.execute(statement, [first.pk])


def tables(file: Path) -> tuple[int, list[Table]]:
    """The bytes of the file, and of the tables that matter."""
    from django.db import connection  # noqa: PLC0415  as above

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()
        cursor.execute(
            "SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name "
            "WHERE m.tbl_name IN ('storage_data', 'storage_rollup') GROUP BY m.tbl_name"
        )
        sizes = dict(cursor.fetchall())
        found = []
        for name in sorted(sizes):
            cursor.execute(f"SELECT COUNT(*) FROM {name}")  # noqa: S608  names of ours
            found.append(Table(name, cursor.fetchone()[0], sizes[name]))
    return file.stat().st_size, found


def quiet_ms(ask: Callable[[], object]) -> float:
    """Processor time: the median of eleven runs, of the quietest of three rounds.

    A first run is left out, so that the file is in the operating system's cache, as for a page that is looked at again:
    nothing is waited for then, and what the machine does for others does not count.
    """
    ask()
    return min(statistics.median(_ms(ask) for _ in range(_RUNS)) for _ in range(_ROUNDS))


def _ms(ask: Callable[[], object]) -> float:
    began = time.thread_time()
    ask()
    return (time.thread_time() - began) * 1000


def charts(meter: Meter) -> list[tuple[str, str, Callable[[], object]]]:
    """What a page draws: (range, what, question)."""
    from storage import queries  # noqa: PLC0415  as above
    from storage.models import Rollup  # noqa: PLC0415  as above

    day, month, year = (_NOW - timedelta(days=n) for n in (1, 30, _YEAR))
    first = year.date()
    return [
        ("day", "power of each minute", lambda: queries.curve(meter, day, _NOW)),
        ("day", "energy of each half hour", lambda: queries.energies(meter, day, _NOW, step=Rollup.Step.HALF_HOUR)),
        ("month", "power of each hour", lambda: queries.curve(meter, month, _NOW)),
        ("month", "energy of each day and tariff", lambda: queries.days(meter, month.date(), _NOW.date())),
        ("month", "energy of each Tempo day and tariff", lambda: queries.tempo_days(meter, month.date(), _NOW.date())),
        ("year", "power of each five hours", lambda: queries.curve(meter, year, _NOW)),
        ("year", "energy of each day and tariff", lambda: queries.days(meter, first, _NOW.date())),
        ("year", "energy of each month and tariff", lambda: queries.months(meter, first, _NOW.date())),
    ]


def others(meter: Meter) -> list[tuple[str, Callable[[], object]]]:
    """Questions without a bar."""
    from storage import queries  # noqa: PLC0415  as above

    year, odd = _NOW - timedelta(days=_YEAR), timedelta(minutes=23, seconds=7)
    return [
        ("power of the last hour, from readings", lambda: queries.curve(meter, _NOW - timedelta(hours=1), _NOW, 900)),
        ("totals between two instants of a year", lambda: queries.totals(meter, year + odd, _NOW - odd)),
        ("all registers at an instant", lambda: queries.index_at(meter, _NOW - timedelta(days=100) - odd)),
        ("hours of the week, of a year", lambda: queries.profile(meter, year, _NOW)),
        ("standby of thirty nights", lambda: queries.standby(meter, _NOW.date())),
        ("ten highest minutes of a year", lambda: queries.peaks(meter, year, _NOW)),
        ("silences of a year", lambda: queries.gaps(meter, year, _NOW)),
        ("Tempo days of a year", lambda: queries.tempo_days(meter, year.date(), _NOW.date())),
    ]


_BARS: Final = {"day": (20, 5), "month": (50, 10), "year": (200, 50)}


def _timed(meter: Meter, whose: str) -> Iterator[Row]:
    for span, what, ask in charts(meter):
        yield Row(f"{span}'s chart of {whose}, {what}", *_BARS[span], quiet_ms(ask), "ms")


def rows(told: Callable[[str], object] | None = None) -> list[Row]:
    """Measure; `told` hears what has no bar."""
    with database() as file:
        meter = first_meter()
        whole, found = tables(file)
        measured = [Row("one year of one meter, database with the default retention", 400, 250, whole / 1e6, "MB")]
        measured += _timed(meter, "one meter")
        if told is not None:
            for table in found:
                size = f"{table.bytes / 1e6:.1f} MB, {table.bytes / table.rows:.0f} B each"
                told(f"{table.name}: {table.rows} rows, {size}")
            for what, ask in others(meter):
                told(f"{what}: {quiet_ms(ask):.3g} ms")
        more_meters(meter)
        measured += _timed(meter, f"one of {_METERS} meters")
    return measured


def main(shown: Sequence[str] = ()) -> None:
    """Print all of it."""
    for row in rows(told=print):
        print(row)  # noqa: T201  a tool's output


if __name__ == "__main__":
    main()
