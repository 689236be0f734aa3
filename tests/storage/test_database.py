"""`storage.database` to Django's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import ConfigError
from storage.database import database, pooled


def test_a_file_is_opened_in_wal_with_full_durability(tmp_path: Path) -> None:
    entry = database(f"sqlite:///{tmp_path}/new/db.sqlite3")
    assert (entry["ENGINE"], entry["NAME"]) == ("django.db.backends.sqlite3", tmp_path / "new" / "db.sqlite3")
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL; PRAGMA synchronous=FULL" in entry["OPTIONS"]["init_command"]
    assert (tmp_path / "new").is_dir()


def test_a_server_is_taken_apart() -> None:
    entry = database("postgresql://bob:p%40ss@db.local:5433/linky?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    options = entry.pop("OPTIONS")
    assert entry == {
        "ENGINE": "django.db.backends.postgresql", "NAME": "linky", "USER": "bob", "PASSWORD": "p@ss",
        "HOST": "db.local", "PORT": "5433", "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True,
    }  # fmt: skip
    assert (options["sslmode"], options["sslrootcert"], options["application_name"]) == (
        "verify-full", "/etc/ca.pem", "ticbridge",
    )  # fmt: skip


def test_the_password_may_be_kept_elsewhere() -> None:
    assert database("postgresql://bob@db/linky", "p@ss")["PASSWORD"] == "p@ss"
    assert database("postgresql://bob:own@db/linky", "p@ss")["PASSWORD"] == "own"
    assert database("postgresql:///linky")["PASSWORD"] == ""


def test_threads_share_connections_and_a_file_has_none_to_share() -> None:
    entry = pooled(database("postgresql://bob@db/linky"))
    assert (entry["CONN_MAX_AGE"], entry["OPTIONS"]["pool"]["max_size"]) == (0, 8)
    file = {"ENGINE": "django.db.backends.sqlite3"}
    assert pooled(file) is file


def test_what_is_not_known_after_the_address_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        database("postgresql://bob@db/linky?sslmode=require&options=-c%20x")
    assert str(caught.value) == (
        "storage.database: 'options' will not do after the ?; expected sslmode, sslrootcert, sslcert, sslkey, sslcrl, "
        "channel_binding"
    )


def test_without_the_library_the_command_that_brings_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs psycopg: pip install 'ticbridge\[postgresql\]'"):
        database("postgresql://bob@db/linky")


@pytest.mark.parametrize(
    "url", ["sqlite://host/db", "sqlite:///", "mysql://x/y", "db.sqlite3", "postgresql://db.local"]
)
def test_anything_else_names_what_is_expected(url: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.database: .*; expected sqlite:///path"):
        database(url)


@pytest.mark.parametrize("url", [
    "postgresql://bob:hunter2/x@db.local/linky", "postgresql://bob:hunter2#x@db.local/linky",
    "postgresql://bob:hunter2@db.local:hunter2/linky", "postgresql://bob:hunter2[@db.local/linky",
    "mysql://bob:hunter2@db.local/linky", "sqlite://bob:hunter2@host/db",
])  # fmt: skip
def test_no_mistake_in_an_address_tells_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
