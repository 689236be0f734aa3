"""`storage.database` to Django's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import ConfigError
from storage.database import database


def test_a_file_is_opened_in_wal_with_full_durability(tmp_path: Path) -> None:
    entry = database(f"sqlite:///{tmp_path}/new/db.sqlite3")
    assert (entry["ENGINE"], entry["NAME"]) == ("django.db.backends.sqlite3", tmp_path / "new" / "db.sqlite3")
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL; PRAGMA synchronous=FULL" in entry["OPTIONS"]["init_command"]
    assert (tmp_path / "new").is_dir()


def test_a_server_is_taken_apart() -> None:
    assert database("postgresql://bob:p%40ss@db.local:5433/linky") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "linky",
        "USER": "bob",
        "PASSWORD": "p@ss",
        "HOST": "db.local",
        "PORT": "5433",
    }


@pytest.mark.parametrize("url", ["sqlite://host/db", "sqlite:///", "mysql://x/y", "db.sqlite3"])
def test_anything_else_names_what_is_expected(url: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.database: .* will not do; expected sqlite:///path"):
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
