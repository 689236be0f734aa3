"""The part *database*: real files of SQLite, looked at by real runs; what waits at a bridge by its words."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings, StorageSettings
from bridge.topics import Topics
from storage.operations.fleet import BridgeInfo, Fleet
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.runs import PATIENT, ROOT, check, found, quiet
from ticbridge.commands.check import database
from ticbridge.commands.check.finding import Finding
from ticbridge.commands.check.scene import Scene


def test_there_is_no_database_yet_and_none_is_made(tmp_path: Path) -> None:
    config = quiet(tmp_path, storage={"database": f"sqlite:///{tmp_path}/deep/db.sqlite3"})
    finding = found(tmp_path, config)["database-none-yet"]
    assert provoked("for real", "storage.database names a file that is not there", finding) == "database-none-yet"
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.slow
def test_a_database_of_an_older_version_is_named_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT, applied TEXT)")
        connection.commit()
    before = sha256(file.read_bytes()).hexdigest()
    finding = found(tmp_path, quiet(tmp_path))["database-behind"]
    assert provoked("for real", "a database to which no migration was applied", finding) == "database-behind"
    assert sha256(file.read_bytes()).hexdigest() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "db.sqlite3"]


@pytest.mark.slow
def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").write_bytes(b"no database" * 1000)
    finding = found(tmp_path, quiet(tmp_path))["database-unusable"]
    assert provoked("for real", "storage.database names a file that is none", finding) == "database-unusable"


@pytest.mark.slow
def test_a_server_that_is_off(tmp_path: Path) -> None:
    config = quiet(tmp_path, storage={"database": "postgresql://ticbridge@127.0.0.1:1/ticbridge"})
    finding = found(tmp_path, config)["database-unusable"]
    done = "storage.database: postgresql://ticbridge@127.0.0.1:1/ticbridge, where nobody listens"
    assert "refused" in finding.words("en").sentence
    assert provoked("for real", done, database.UNUSABLE(why="connection to server ... refused")) == "database-unusable"


@pytest.mark.slow
def test_a_database_that_is_old_and_larger_than_its_budget(template: Path, tmp_path: Path) -> None:
    shutil.copy(template, tmp_path / "db.sqlite3")
    config = quiet(tmp_path)
    config["storage"]["budget"] = "1kB"
    said = found(tmp_path, config)
    assert provoked("for real", "a new database, nothing stored", said["database-empty"]) == "database-empty"
    assert provoked("for real", "storage.budget: 1kB", said["database-full"]) == "database-full"


def test_readings_that_stopped_coming() -> None:
    [_, finding] = database.judge(database.Facts(is_behind=False, age=timedelta(minutes=47)))
    assert provoked("stand-in", "the newest reading is 47 minutes old", finding) == "database-stale"
    [_, fresh] = database.judge(database.Facts(is_behind=False, age=timedelta(minutes=15)))
    assert fresh.case is database.FRESH


def queue(stores: dict[str, str], *, is_expected: bool = True, **spool: Any) -> list[Finding]:
    fleet = Fleet(Topics())
    for name, status in stores.items():
        fleet.hear(f"linky/store/{name}/status", status.encode())
    info = {"version": "1", "started": "now", "meters": [], "spool": {"depth": 0, "dropped": 0} | spool}
    return list(database.judge_queue(BridgeInfo.model_validate_json(json.dumps(info)), fleet, is_expected=is_expected))


def test_a_backlog() -> None:
    [finding] = queue({"db": "online"}, depth=1001)
    assert provoked("stand-in", "linky/bridge/pi/info says: depth 1001", finding) == "store-backlog"
    assert queue({"db": "online"}, depth=1000) == []


def test_readings_that_were_dropped() -> None:
    [finding] = queue({"db": "online"}, dropped=12)
    assert provoked("stand-in", "linky/bridge/pi/info says: dropped 12", finding) == "store-dropped"


def test_a_store_that_left_and_one_that_never_was() -> None:
    assert [finding.case for finding in queue({"db": "offline"}, is_expected=False)] == [database.NO_STORE]
    assert [finding.case for finding in queue({}, depth=9000)] == [database.NO_STORE]
    assert queue({}, is_expected=False, depth=9000) == []  # a bridge for Home Assistant alone promises nothing


def test_the_file_of_a_database_is_told_without_django() -> None:
    def file(url: str) -> Path | None:
        return database.sqlite_file(Settings(storage=StorageSettings(database=url)))

    assert file("sqlite:////var/lib/a%20b.sqlite3") == Path("/var/lib/a b.sqlite3")
    assert file("sqlite:///~/db.sqlite3") == Path.home() / "db.sqlite3"
    assert file("postgresql://me@host/name") is None


def test_where_django_is_not_installed_the_rest_is_looked_at(tmp_path: Path) -> None:
    """The packages that the bridge needs, and no others."""
    site = tmp_path / "site"
    site.mkdir()
    for name in (
        "annotated_types",
        "click",
        "paho",
        "pydantic",
        "pydantic_core",
        "serial",
        "typing_inspection",
        "yaml",
    ):
        module = sys.modules.get(name) or __import__(name)
        (site / name).symlink_to(Path(str(module.__path__[0])))
    extensions = __import__("typing_extensions").__file__
    (site / "typing_extensions.py").symlink_to(str(extensions))
    done = check(
        tmp_path,
        quiet(tmp_path),
        "--language",
        "en",
        *PATIENT,
        program=(sys.executable, "-S"),
        PYTHONPATH=f"{ROOT}:{site}",
    )
    assert "– skipped  database: The store is not installed here (pip install 'ticbridge[store]')." in done.stdout
    assert "could not be looked at" not in done.stdout
    assert (done.returncode, done.stderr) == (1, "")  # of the broker


def test_a_file_that_may_not_even_be_seen(tmp_path: Path) -> None:
    """A file stands for a folder of another user's: what lies beyond cannot be reached."""
    (tmp_path / "closed").touch()
    settings = Settings(storage=StorageSettings(database=f"sqlite:///{tmp_path}/closed/db.sqlite3"))
    [finding] = database._of_file(Scene(settings), database.sqlite_file(settings))
    assert (finding.case, finding.facts["why"]) == (database.UNUSABLE, f"{tmp_path}/closed/db.sqlite3: Not a directory")
