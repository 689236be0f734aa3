"""What holds for every test: our settings come from here, never from the user's home or a developer's config.yaml."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

import django
import hypothesis
import pytest

from tests.postgresql import VARIABLE

_PLACE: Final = Path(tempfile.mkdtemp(prefix="ticbridge-tests-"))
atexit.register(shutil.rmtree, _PLACE, ignore_errors=True)


def _set_environment() -> None:
    empty = _PLACE / "config.yaml"
    empty.touch()
    for name in [name for name in os.environ if name.startswith("TICBRIDGE_")]:
        del os.environ[name]
    os.environ |= {
        "TICBRIDGE_CONFIG": str(empty),
        "TICBRIDGE_BRIDGE__STATE_DIR": str(_PLACE / "state"),
        "TICBRIDGE_STORAGE__DATABASE": os.environ.get(VARIABLE) or f"sqlite:///{_PLACE / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }


# Begun in the background of a shell we ignore Ctrl-C, and so would the programs that tests start, interrupted or not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Here and not in pyproject.toml: pytest-django loads a settings module that is named there before it imports this file.
_set_environment()
django.setup()
# The programs that tests start have settings of their own; and so have the workers of a parallel run, whose
# pytest-django would else load the parent's before they read this file.
del os.environ["DJANGO_SETTINGS_MODULE"]

# A busy machine is no failure.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database that is up to date: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("template")
    database = folder / "db.sqlite3"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")},
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{database}", "TICBRIDGE_BRIDGE__STATE_DIR": str(folder),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "ticbridge", "manage", "migrate", "--verbosity", "0"],
        env=environment, cwd=folder, check=True,
    )  # fmt: skip
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # one file, to be copied
    return database
