"""What holds for every test: our settings come from here, never from the user's home or a developer's config.yaml."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import django
import hypothesis

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
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{_PLACE / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }


# Here and not in pyproject.toml: pytest-django loads a settings module that is named there before it imports this file.
_set_environment()
django.setup()
os.environ["DJANGO_SETTINGS_MODULE"] = "storage.settings"  # for the programs that tests start

# A busy machine is no failure.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")
