"""A copy while others write, and the way back."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.exchange import backup
from storage.exchange.errors import ExchangeError
from tests.postgresql import PostgreSQL, need_postgresql
from tests.storage.exchange.conftest import Place

NOW = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
METER = (
    "INSERT INTO storage_meter (meter_id, name, mode, timezone, uuid, creation_date, modification_date, position) "
    "VALUES ('{}', '', 'standard', 'Europe/Paris', lower(hex(randomblob(16))), '2026-11-28', '2026-11-28', 0)"
)


@pytest.fixture
def ours(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The functions work on this place's database; the commands do so by themselves."""
    monkeypatch.setattr("storage.exchange.backup.database_file", lambda: place.database)
    monkeypatch.setattr("storage.exchange.backup.migrate", lambda: None)
    place.do(METER.format("before"))
    return place


def meters(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return [name for (name,) in database.execute("SELECT meter_id FROM storage_meter ORDER BY id")]


# --- back up -------------------------------------------------------------------------------------


def test_a_backup_is_one_file_of_its_owner_with_a_hash_beside(ours: Place, tmp_path: Path) -> None:
    out = tmp_path / "copies" / "db.backup"
    out.parent.mkdir()
    digest = backup.back_up(out)
    assert {file.name for file in out.parent.iterdir()} == {"db.backup", "db.backup.sha256"}
    assert stat.S_IMODE(out.stat().st_mode) == stat.S_IMODE((out.parent / "db.backup.sha256").stat().st_mode) == 0o600
    assert digest == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (out.parent / "db.backup.sha256").read_text() == f"{digest}  db.backup\n"
    out.parent.chmod(0o500)  # a copy on a medium that nobody writes to
    assert meters(out) == ["before"]


def test_a_store_that_commits_all_the_time_neither_stops_a_backup_nor_gets_into_it(
    ours: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("storage.exchange.backup._PAGES", 1)
    with closing(sqlite3.connect(ours.database)) as store:
        written: list[int] = []

        def commit(done: int, _total: int) -> None:
            with store:
                store.execute(METER.format(f"meanwhile {done}"))
            written.append(done)

        backup.back_up(tmp_path / "copy", commit)
    assert written == sorted(set(written)), "it began anew"
    assert len(written) > 50
    assert meters(tmp_path / "copy") == ["before"]
    assert len(meters(ours.database)) == 1 + len(written)


def test_a_backup_overwrites_nothing(ours: Place, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(ExchangeError, match="copy exists: give another name"):
        backup.back_up(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_a_backup_that_cannot_be_finished_leaves_nothing(ours: Place, tmp_path: Path) -> None:
    out = tmp_path / "copies" / "copy"
    out.parent.mkdir()

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ExchangeError, match=r"copy cannot be written \(No space left on device\): is there room\?"):
        backup.back_up(out, full)
    assert list(out.parent.iterdir()) == []


def test_a_damaged_database_is_not_taken_for_a_backup(ours: Place, tmp_path: Path) -> None:
    ours.do("PRAGMA journal_mode=DELETE")
    data = bytearray(ours.database.read_bytes())
    data[4096 * 10 : 4096 * 20] = os.urandom(4096 * 10)
    ours.database.write_bytes(data)
    with pytest.raises(ExchangeError, match="copy is damaged"):
        backup.back_up(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.django_db
def test_postgresql_is_told_its_own_commands_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    class PostgreSQL:
        vendor = "postgresql"
        settings_dict = {"HOST": "db.local", "PORT": "", "USER": "bob", "NAME": "linky", "PASSWORD": "hunter2"}  # noqa: RUF012

    monkeypatch.setattr("storage.exchange.backup.database_file", lambda: None)
    monkeypatch.setattr("storage.exchange.backup.connection", PostgreSQL)
    with pytest.raises(ExchangeError) as caught:
        backup.our_file()
    where = "--host=db.local --username=bob"
    assert str(caught.value) == (
        f"PostgreSQL has its own tools: `pg_dump {where} --format=custom --file=FILE linky` to back up, and with the "
        f"store and the page stopped `pg_restore {where} --clean --if-exists --no-owner --single-transaction "
        "--dbname=linky FILE` to restore"
    )


# --- restore -------------------------------------------------------------------------------------


def test_a_restored_database_is_the_backup_and_the_present_one_is_kept(ours: Place, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy")
    ours.do(METER.format("after"))
    aside = backup.restore(tmp_path / "copy", NOW)
    assert aside == ours.database.with_name("db.sqlite3.before-20261128T100000")
    assert (meters(ours.database), meters(aside)) == (["before"], ["before", "after"])


def test_where_there_is_no_database_a_backup_becomes_it(ours: Place, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy")
    ours.database.unlink()
    assert backup.restore(tmp_path / "copy", NOW) is None
    assert meters(ours.database) == ["before"]


def test_a_damaged_database_can_be_replaced_and_is_kept(ours: Place, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy")
    ours.database.write_bytes(b"x" * 8192)
    aside = backup.restore(tmp_path / "copy", NOW)
    assert aside is not None
    assert (aside.read_bytes(), meters(ours.database)) == (b"x" * 8192, ["before"])


def test_a_wal_that_is_left_goes_aside_with_its_database(
    ours: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy")
    # It is left when the database is too damaged to be emptied into; SQLite would play it back into the backup.
    monkeypatch.setattr("storage.exchange.backup._refuse_open", lambda _: None)
    ours.do("PRAGMA journal_mode=WAL")
    wal = ours.database.with_name("db.sqlite3-wal")
    with closing(sqlite3.connect(ours.database)) as store:
        with store:
            store.execute(METER.format("after"))
        data, said = ours.database.read_bytes(), wal.read_bytes()
    ours.database.write_bytes(data)
    wal.write_bytes(said)
    aside = backup.restore(tmp_path / "copy", NOW)
    assert aside is not None
    assert (meters(ours.database), meters(aside)) == (["before"], ["before", "after"])


def test_a_restore_that_cannot_be_finished_puts_back_what_was_there(
    ours: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy")
    ours.do(METER.format("after"))

    def fail() -> None:
        raise RuntimeError("no migration")

    monkeypatch.setattr("storage.exchange.backup.migrate", fail)
    files = sorted(file.name for file in tmp_path.iterdir())
    with pytest.raises(RuntimeError):
        backup.restore(tmp_path / "copy", NOW)
    assert meters(ours.database) == ["before", "after"]
    assert sorted({file.name for file in tmp_path.iterdir()} - {"db.sqlite3.inuse"}) == files


def test_a_database_that_another_program_has_open_is_not_replaced(ours: Place, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy")
    ours.do("PRAGMA journal_mode=WAL")
    with closing(sqlite3.connect(ours.database)) as other:
        other.execute("SELECT count(*) FROM storage_meter").fetchone()  # and is idle since
        with pytest.raises(ExchangeError, match="is in use: stop `ticbridge store`"):
            backup.restore(tmp_path / "copy", NOW)
    assert backup.restore(tmp_path / "copy", NOW) is not None


def damaged(file: Path) -> None:
    with file.open("r+b") as part:
        part.seek(4096 * 5)
        part.write(os.urandom(4096))


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE x (y)")


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('storage', '0999_later', '')")


def text(file: Path) -> None:
    file.write_text("a text")


@pytest.mark.parametrize(
    ("change", "keeps_hash", "reason"),
    [
        (damaged, True, "copy is not what copy.sha256 says: it is damaged, or another file"),
        (damaged, False, "copy is damaged"),
        (foreign, False, "copy is no database of ticbridge"),
        (newer, False, r"copy is of a newer version \(storage 0999_later\): update ticbridge first"),
        (text, False, "copy is no SQLite database: is it a file of `ticbridge backup`"),
        (Path.unlink, False, r"copy cannot be read \(No such file or directory\): is the name right"),
    ],
)
def test_what_is_no_backup_of_ours_changes_nothing(
    change: Callable[[Path], None], keeps_hash: bool, reason: str, ours: Place, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy")
    change(tmp_path / "copy")
    if not keeps_hash:
        (tmp_path / "copy.sha256").unlink()
    was = ours.database.read_bytes()
    with pytest.raises(ExchangeError, match=reason):
        backup.restore(tmp_path / "copy", NOW)
    assert ours.database.read_bytes() == was


# --- the commands --------------------------------------------------------------------------------


@contextmanager
def web(place: Place) -> Iterator[None]:
    process = place.popen("web")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ticbridge web: http")
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.slow
def test_the_commands_copy_beside_a_running_page_and_restore_only_without_it(place: Place) -> None:
    place.do(METER.format("before"))
    with web(place):
        out, _ = place.run("backup", "copy")
        assert out == f"{hashlib.sha256((place.folder / 'copy').read_bytes()).hexdigest()}  copy\n"
        place.do(METER.format("after"))
        _, said = place.run("restore", "copy", code=1)
        assert said.startswith(f"ticbridge: {place.database} is in use: stop `ticbridge store`, `web`, `up`")
    place.do("PRAGMA journal_mode=WAL")
    _, said = place.run("restore", "copy")
    last = said.splitlines()[-1]
    assert last.startswith(f"ticbridge: restored from copy; the database of before is {place.database}.before-2")
    assert place.ask("SELECT meter_id FROM storage_meter") == [("before",)]
    with web(place):
        pass


@pytest.mark.slow
def test_a_backup_of_an_older_version_is_brought_up_to_date(place: Place) -> None:
    place.run("manage", "migrate", "storage", "0001", "--verbosity", "0")
    place.run("backup", "old")
    place.run("restore", "old")
    assert place.run("manage", "migrate", "--check") == ("", "")


@pytest.mark.slow
def test_the_commands_for_postgresql_do_what_they_promise(tmp_path: Path) -> None:
    server = PostgreSQL()
    try:
        place = Place(tmp_path, server.url)
        place.run("manage", "migrate", "--verbosity", "0")
        _, said = place.run("backup", "x", code=1)
        save, put = re.findall(r"`([^`]+ [^`]+)`", said)[:2]
        count = "from storage.models import Meter; print(Meter.objects.count(), flush=True)"
        make = "from storage.models import Meter; Meter.objects.create(meter_id='m')"
        for step in (save, make, put):
            if step == make:
                place.run("manage", "shell", "-c", step)
                continue
            program, *arguments = step.replace("FILE", str(tmp_path / "x")).split()
            subprocess.run([need_postgresql(program), *arguments], check=True, timeout=60)
        assert place.run("manage", "shell", "-v", "0", "-c", count)[0] == "0\n"
        assert place.run("restore", "x", code=1)[1].startswith("ticbridge: PostgreSQL has its own tools: `pg_dump ")
    finally:
        server.close()
