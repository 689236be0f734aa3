"""The tutorial's database: recognised, checked, taken in once."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Max, Min, Sum

from bridge.tic.values import write_stamp
from storage.exchange.errors import ExchangeError
from storage.exchange.take_tutorial import Taken, take
from storage.exchange.tutorial import MEASURES, Clock, opened
from storage.models import Data, Dirty, Epoch, Import, Meter
from tests.storage.exchange.conftest import Place

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
SCHEMA = (
    'CREATE TABLE "ticapp_data" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "dateTime" datetime NOT NULL, '
    '"date" varchar(13) NULL, "ltarf" varchar(16) NULL, '
    + ", ".join(f'"{name}" integer NULL' for name in MEASURES)
    + ")"
)
Values = dict[str, Any]


def text(at: datetime, *, local: bool) -> str:
    """As Django writes a datetime to SQLite."""
    return str((at.astimezone(PARIS) if local else at.astimezone(UTC)).replace(tzinfo=None))


def row(at: datetime, number: int, *, local: bool = False, letter: bool = True, **other: Any) -> Values:
    stamp = write_stamp(at)
    measures = {name: 1000 * n + number for n, name in enumerate(MEASURES)}
    return {
        "dateTime": text(at + timedelta(seconds=1, microseconds=number), local=local),
        "date": stamp if letter else stamp[1:],
        "ltarf": "HEURE PLEINE",
        **measures,
        **other,
    }


def made(path: Path, rows: Iterable[Values], schema: str = SCHEMA) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(schema)
        for values in rows:
            marks = ", ".join("?" * len(values))
            database.execute(f"INSERT INTO ticapp_data ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    return path


def rows(number: int, first: datetime = datetime(2026, 7, 1, 12, tzinfo=UTC), **options: Any) -> Iterator[Values]:
    return (row(first + n * timedelta(seconds=90), n, **options) for n in range(number))


def meter() -> Meter:
    return Meter.objects.filter(meter_id="m").first() or Meter(meter_id="m", mode="standard", timezone="Europe/Paris")


def taken(path: Path, *, dry_run: bool = False) -> tuple[Clock, Taken, Values, Values]:
    with opened(path) as source:
        clock = source.clock(PARIS)
        done = take(source, meter(), PARIS, clock, NOW, dry_run=dry_run)
        return clock, done, dict(source.refused), dict(source.emptied)


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("local", [False, True], ids=["UTC", "local"])
@pytest.mark.parametrize("letter", [True, False], ids=["letter", "no letter"])
@pytest.mark.parametrize("month", [1, 7])
def test_what_the_times_are_is_seen_from_the_meters_stamps(
    local: bool, letter: bool, month: int, tmp_path: Path
) -> None:
    first = datetime(2026, month, 1, 12, tzinfo=UTC)
    path = made(tmp_path / "db.sqlite3", rows(3, first, local=local, letter=letter))
    clock, done, refused, emptied = taken(path)
    ends = first + timedelta(seconds=181, microseconds=2)
    assert (clock, refused, emptied) == (Clock.LOCAL if local else Clock.UTC, {}, {})
    assert done == Taken(3, 0, first + timedelta(seconds=1), ends)
    data = Data.objects.get(seq=3)
    assert data.dateTime == ends
    stamp = write_stamp(first + timedelta(seconds=180))
    assert (data.date, data.stamp_utc) == (
        (stamp, first + timedelta(seconds=180)) if letter else (stamp[1:], None)
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("local", [False, True], ids=["UTC", "local"])
@pytest.mark.parametrize("letter", [True, False], ids=["letter", "no letter"])
def test_the_night_of_october_is_read_as_it_was_written(local: bool, letter: bool, tmp_path: Path) -> None:
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    path = made(tmp_path / "db.sqlite3", rows(240, first, local=local, letter=letter))
    assert taken(path)[1] == Taken(
        240, 0, first + timedelta(seconds=1), first + timedelta(seconds=239 * 90 + 1, microseconds=239)
    )
    instants = list(Data.objects.order_by("seq").values_list("dateTime", flat=True))
    assert instants == [first + timedelta(seconds=n * 90 + 1, microseconds=n) for n in range(240)]


@pytest.mark.django_db
def test_local_times_of_the_doubtful_hour_that_nothing_decides_are_refused(tmp_path: Path) -> None:
    early = rows(30, datetime(2026, 10, 24, 23, 30, tzinfo=UTC), local=True, letter=False)  # until 02:13:30, once
    late = rows(2, datetime(2026, 10, 25, 3, tzinfo=UTC), local=True, letter=False)
    _, done, refused, _ = taken(made(tmp_path / "db.sqlite3", [*early, *late]))
    assert (done.stored, refused) == (
        22, {"its time is in the hour that comes twice, and the order does not tell which of the two": 10},
    )  # fmt: skip
    assert sorted(Data.objects.values_list("seq", flat=True)) == [*range(1, 21), 31, 32]


@pytest.mark.django_db
def test_times_that_carry_their_offset_need_no_guess(tmp_path: Path) -> None:
    values = [row(NOW - timedelta(days=9), n, dateTime="2026-10-25 02:30:00+01:00") for n in range(2)]
    with opened(made(tmp_path / "db.sqlite3", values)) as source:
        take(source, meter(), PARIS, Clock.LOCAL, NOW)
    assert Data.objects.first().dateTime == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # type: ignore[union-attr]


def test_a_file_whose_stamps_tell_nothing_asks(tmp_path: Path) -> None:
    path = made(tmp_path / "db.sqlite3", [row(NOW, 1, date=None), row(NOW, 2, date="h261128110000")])
    with (
        opened(made(tmp_path / "none.sqlite3", [row(NOW, 1, date=None)])) as source,
        pytest.raises(ExchangeError, match="do not tell whether the times are UTC or local; say --clock utc"),
    ):
        source.clock(PARIS)
    with opened(path) as source:
        assert source.clock(PARIS) is Clock.UTC


def test_a_file_of_two_minds_asks(tmp_path: Path) -> None:
    values = [*rows(5, local=True), *rows(5, local=False)]
    with opened(made(tmp_path / "db.sqlite3", values)) as source, pytest.raises(ExchangeError, match="say --clock"):
        source.clock(PARIS)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_counts_sums_and_edges_are_those_of_the_tutorial(tmp_path: Path) -> None:
    path = made(tmp_path / "db.sqlite3", rows(2500))
    taken(path)
    functions = {f"{f.__name__}_{name}": f(name) for name in MEASURES for f in (Sum, Min, Max)}
    ours = Data.objects.aggregate(**functions)
    with closing(sqlite3.connect(path)) as database:
        asked = ", ".join(f"{f}({name})" for name in MEASURES for f in ("sum", "min", "max"))
        [theirs] = database.execute(f"SELECT {asked} FROM ticapp_data")
    assert tuple(ours.values()) == theirs
    assert Data.objects.count() == 2500


GARBAGE: dict[str, tuple[Values, str]] = {
    "text in a number": ({"east": "abc"}, "east"),
    "a negative": ({"sinsts": -5}, "sinsts"),
    "too many digits": ({"easf01": 10**9}, "easf01"),
    "a fraction": ({"sinsts1": 1.5}, "sinsts1"),
    "bytes": ({"east": b"\xff\xfe"}, "east"),
    "a long tariff": ({"ltarf": "x" * 17}, "ltarf"),
    "a tariff with a NUL": ({"ltarf": "HP\0"}, "ltarf"),
    "a tariff in bytes": ({"ltarf": b"HP"}, "ltarf"),
    "no date": ({"date": "H269999999999"}, "date"),
    "a season that is none": ({"date": "X260701140000"}, "date"),
    "a number for a date": ({"date": 5}, "date"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("change", "column"), GARBAGE.values(), ids=GARBAGE)
def test_a_value_that_cannot_be_is_left_out_and_counted_and_its_neighbours_stay(
    change: Values, column: str, tmp_path: Path
) -> None:
    first, second = rows(2)
    _, done, refused, emptied = taken(made(tmp_path / "db.sqlite3", [first, {**second, **change}]))
    assert (done.stored, refused, emptied) == (2, {}, {column: 1})
    [data] = Data.objects.filter(seq=2).values(column, "sinsts3")
    assert data == {column: None, "sinsts3": second["sinsts3"]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dateTime": "noon"}, "it has no time"),
        ({"dateTime": 5}, "it has no time"),
        ({"dateTime": "0001-01-01 00:00:00"}, "its time is none that a clock showed"),
        ({"dateTime": "9999-12-31 23:59:59"}, "its time is none that a clock showed"),
        ({"dateTime": "2026-11-30 00:00:00"}, "its time is none that a clock showed"),
        ({"ltarf": None, **dict.fromkeys(MEASURES)}, "it says nothing"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_its_neighbours_are_kept(
    change: Values, reason: str, tmp_path: Path
) -> None:
    first, second, third = rows(3)
    _, done, refused, _ = taken(made(tmp_path / "db.sqlite3", [first, {**second, **change}, third]))
    assert (done.stored, refused) == (2, {reason: 1})
    assert sorted(Data.objects.values_list("seq", flat=True)) == [1, 3]


@pytest.mark.django_db
def test_columns_that_an_early_tutorial_lacked_stay_empty(tmp_path: Path) -> None:
    schema = "CREATE TABLE ticapp_data (id integer PRIMARY KEY, dateTime datetime, date varchar(13), east integer)"
    keep = ("dateTime", "date", "east")
    path = made(tmp_path / "db.sqlite3", [{name: values[name] for name in keep} for values in rows(2)], schema)
    assert taken(path)[1].stored == 2
    assert Data.objects.filter(east__isnull=False, easf01=None, ltarf=None).count() == 2


# --- once ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_second_run_stores_nothing(tmp_path: Path) -> None:
    path = made(tmp_path / "db.sqlite3", rows(2500))
    assert (taken(path)[1].stored, taken(path)[1]) == (2500, Taken(0, 2500, *_edges()))
    assert Data.objects.count() == 2500
    assert Epoch.objects.values_list("bridge", "handled").get() == ("tutorial", 2500)


def _edges() -> tuple[datetime, datetime]:
    first = datetime(2026, 7, 1, 12, 0, 1, tzinfo=UTC)
    return first, first + timedelta(seconds=2499 * 90, microseconds=2499)


@pytest.mark.django_db
def test_a_file_that_grew_brings_only_what_is_new(tmp_path: Path) -> None:
    values = list(rows(1500))
    taken(made(tmp_path / "early.sqlite3", values[:1200]))
    Dirty.objects.all().delete()
    assert taken(made(tmp_path / "late.sqlite3", values), dry_run=True)[1].stored == 300
    assert taken(tmp_path / "late.sqlite3")[1].stored == 300
    assert Data.objects.count() == Data.objects.values("dateTime").distinct().count() == 1500
    assert Import.objects.order_by("pk").values_list("rows", flat=True)[1] == 300


@pytest.mark.django_db
def test_the_hours_are_marked_and_the_import_is_written_down(tmp_path: Path) -> None:
    path = made(tmp_path / "db.sqlite3", rows(100))
    taken(path)
    hour = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert list(Dirty.objects.order_by("hour").values_list("hour", flat=True)) == [
        hour + timedelta(hours=n) for n in range(3)
    ]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    begins, ends = hour + timedelta(seconds=1), hour + timedelta(seconds=99 * 90 + 1)
    fields = ("layout", "name", "sha256", "rows", "begins", "ends", "epoch__bridge", "meter__meter_id")
    assert Import.objects.values_list(*fields).get() == (
        "tutorial", "db.sqlite3", digest, 100, begins, ends, "tutorial", "m",
    )  # fmt: skip


@pytest.mark.django_db
def test_a_dry_run_writes_nothing_and_counts_the_same(tmp_path: Path) -> None:
    path = made(tmp_path / "db.sqlite3", rows(10))
    dry = taken(path, dry_run=True)
    assert not Meter.objects.exists()
    assert taken(path) == dry


# --- the owner's file ----------------------------------------------------------------------------


def files(folder: Path) -> dict[str, str]:
    kept = (path for path in folder.iterdir() if not path.name.endswith("-shm"))  # SQLite's own scratch
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["plain", "closed WAL", "open WAL", "killed WAL", "read-only folder"])
def test_the_owners_file_is_never_changed(state: str, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = made(folder / "db.sqlite3", rows(5))
    with closing(sqlite3.connect(path)) as other:
        if state != "plain":
            other.execute("PRAGMA journal_mode=WAL")
        if state in ("open WAL", "killed WAL"):
            with other:
                other.execute("DELETE FROM ticapp_data WHERE id = 5")
        if state == "killed WAL":
            shutil.copytree(folder, tmp_path / "killed")
            folder, path = tmp_path / "killed", tmp_path / "killed" / "db.sqlite3"
            path.with_name("db.sqlite3-shm").unlink()
        if state not in ("open WAL", "killed WAL"):
            other.close()
        if state == "read-only folder":
            folder.chmod(0o500)
        was = files(folder)
        assert taken(path)[1].stored == (4 if "open" in state or "killed" in state else 5)
        assert files(folder) == was


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id;dateTime\n", "is no SQLite database: the tutorial's is db.sqlite3, beside its manage.py"),
        (b"SQLite format 3\0" + b"x" * 4096, r"cannot be read \(file is not a database\)"),
    ],
)
def test_what_is_no_database_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ExchangeError, match=reason), opened(tmp_path / "x"):
        pass


def test_another_projects_database_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x")) as database:
        database.execute("CREATE TABLE y (z)")
    with pytest.raises(ExchangeError, match="has no table ticapp_data with a column dateTime"), opened(tmp_path / "x"):
        pass


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_says_what_it_recognised_and_what_it_left_out(place: Place, tmp_path: Path) -> None:
    first, second, third = rows(3, local=True)
    path = made(tmp_path / "theirs.sqlite3", [first, {**second, "east": "abc"}, {**third, "dateTime": "noon"}])
    out, said = place.run("import", "tutorial", str(path), code=1)
    assert (out, said) == ("", "ticbridge: which meter is it? Say --meter, its 12 digits\n")
    expected = [
        f"{path}: the tutorial's table, 3 rows, times in local time",
        "from 2026-07-01T12:00:01+00:00 to 2026-07-01T12:01:31.000001+00:00",
        "2 rows stored, 0 there already",
        "1 row refused: it has no time",
        "1 value left out: column east",
    ]
    out, said = place.run("import", "tutorial", str(path), "--meter", "042176000001", "--dry-run")
    assert out.splitlines() == [line.replace("stored", "would be stored") for line in expected]
    out, said = place.run("import", "tutorial", str(path), "--meter", "042176000001")
    assert out.splitlines() == expected
    assert said.splitlines()[-1] == "ticbridge: read 100 %"
    out, _ = place.run("import", "tutorial", str(path))  # there is one meter now
    assert out.splitlines()[2] == "0 rows stored, 2 there already"
    assert place.ask("SELECT count(*), sum(easf02) FROM storage_data") == [(2, 4001)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_import_that_is_ended_and_run_again_ends_with_the_same_rows(
    number: signal.Signals, place: Place, tmp_path: Path
) -> None:
    path = made(tmp_path / "theirs.sqlite3", rows(85_000))
    process = place.popen("import", "tutorial", str(path), "--meter", "m")
    while True:
        assert process.poll() is None, "it was too fast to be ended"
        try:
            [(there,)] = place.ask("SELECT count(*) FROM storage_data")
        except sqlite3.OperationalError:
            continue
        if there:
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    [(there,)] = place.ask("SELECT count(*) FROM storage_data")
    assert 0 < there < 85_000
    assert there % 1000 == 0, "a chunk is whole or not there"
    if number != signal.SIGKILL:
        assert process.returncode == 1
        stopped = "ticbridge: stopped; what was taken in stays; the same command again goes on from there"
        assert said.splitlines()[-1] == stopped
    assert place.ask("SELECT rows FROM storage_import") == [(there,)]
    assert place.ask("SELECT handled FROM storage_epoch") == [(there,)]
    out, _ = place.run("import", "tutorial", str(path))
    assert f"{85_000 - there} rows stored, {there} there already" in out
    with closing(sqlite3.connect(path)) as theirs:
        asked = "count(*), sum(east), sum(sinsts3), count(DISTINCT dateTime)"
        assert (
            place.ask(f"SELECT {asked} FROM storage_data")
            == theirs.execute(f"SELECT {asked} FROM ticapp_data").fetchall()
        )
    assert place.ask("SELECT rows FROM storage_import") == [(85_000,)]
    [(hours,)] = place.ask("SELECT count(*) FROM storage_dirty")
    assert hours == 85_000 * 90 // 3600
