"""What `ticbridge manage check` warns of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import connection

from storage import checks
from storage.checks import forgotten_files
from tests.bridge.test_mounts import MOUNTS


def ids(messages: list[Any]) -> list[str]:  # whatever is found
    return [message.id for message in messages if str(message.id).startswith("ticbridge.")]


@pytest.mark.django_db  # Django asks SQLite whether it knows JSON
def test_there_is_nothing_to_warn_of_here() -> None:
    assert ids(run_checks()) == []


def test_files_that_django_forgot_are_named_with_what_to_do(tmp_path: Path, settings: Any) -> None:
    config = apps.get_app_config("storage")
    other = type(config)("storage", config.module)
    other.path = str(tmp_path)
    site = tmp_path / "site"
    for name in ("fixtures/initial_data.json", "fixtures/prices.json", "sql/data.sql", "site/initial_data.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    settings.FIXTURE_DIRS = [site]
    found = forgotten_files([other])
    assert [(str(message.id), message.msg.partition(" ")[0]) for message in found] == [
        ("ticbridge.W001", str(tmp_path / "fixtures" / "initial_data.json")),
        ("ticbridge.W001", str(site / "initial_data.yaml")),
        ("ticbridge.W002", str(tmp_path / "sql" / "data.sql")),
    ]
    assert ["migration" in (message.hint or "") for message in found] == [True] * 3


@pytest.mark.django_db
def test_sqlite_on_a_network_filesystem_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "mounts", lambda: MOUNTS)
    for name, found in (("/home/anne/db.sqlite3", ["ticbridge.W003"]), ("/var/lib/db.sqlite3", [])):
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        expected = found if connection.vendor == "sqlite" else []
        assert ids(run_checks()) == expected
