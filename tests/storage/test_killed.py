"""Roll-ups and retention that are killed at any moment, in processes of their own on a database file."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

_SETUP: Final = """
import sys
import django; django.setup()
from datetime import UTC, datetime, timedelta
from bridge.config import KeepSettings
from storage.models import Data, Dirty, Meter, Rollup
from storage.retention import purge
from storage.rollups import roll_up
from tests.storage.test_rollups import TEN, add, differences, new_meter, rows, steady
"""
_MAKE: Final = """
epoch = new_meter()
add(epoch, steady(TEN, 40 * 3600, every=10) + steady(TEN + 50 * 3_600_000, 20 * 3600, every=10, first=1_100_000))
"""
_ROLL_UP: Final = "for _ in roll_up(): print('.', flush=True)"
_PURGE: Final = """
now = datetime.fromtimestamp(TEN / 1000, UTC) + timedelta(days=30)
for _ in purge(KeepSettings(raw="7d", minute="25d"), now): print('.', flush=True)
"""


def python(script: str, url: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "storage.settings",
        "TICBRIDGE_STORAGE__DATABASE": url,
        "PYTHONPATH": ".",
    }
    return subprocess.Popen(
        [sys.executable, "-c", _SETUP + script], env=environment, stdout=subprocess.PIPE, text=True
    )  # fmt: skip


def told(script: str, url: str) -> str:
    process = python(script, url)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


def kill_some(script: str, url: str, rng: random.Random) -> int:
    """Begin it again and again, and kill it in the middle of its transactions; how often it could be killed."""
    kills = 0
    for _ in range(3):
        process = python(script, url)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 4)):
            process.stdout.readline()
        threading.Event().wait(rng.uniform(0, 0.08))  # the next transaction is under way
        kills += process.poll() is None
        process.kill()
        process.communicate()
    return kills


@pytest.fixture
def database(tmp_path: Path, template: Path) -> str:
    shutil.copy(template, tmp_path / "db.sqlite3")
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    told(_MAKE, url)
    return url


@pytest.mark.slow
def test_roll_ups_and_retention_that_are_killed_end_right(database: str) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    check: Callable[[str], str] = lambda script: told(script, database)  # noqa: E731  both halves ask the same way
    assert kill_some(_ROLL_UP, database, rng) > 0, f"seed {seed}"
    check(_ROLL_UP)
    found = check("print(differences(Meter.objects.get().pk), Dirty.objects.count())")
    assert found == "[] 0", f"seed {seed}"
    hours = "print({k: v for k, v in rows(Meter.objects.get().pk).items() if k[0] != 60})"
    before = check(hours)
    assert kill_some(_PURGE, database, rng) > 0, f"seed {seed}"
    check(_PURGE)
    assert check(hours) == before, f"seed {seed}"
    assert check("print(Data.objects.count(), Rollup.objects.filter(step=60).exists())") == "120 False", f"seed {seed}"
    integrity = (
        "from django.db import connection as c\nwith c.cursor() as k: print(*k.execute('PRAGMA integrity_check'))"
    )
    assert check(integrity) == "('ok',)"
