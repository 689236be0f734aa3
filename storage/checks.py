"""What `ticbridge manage check` warns of: files that Django no longer loads, and a database where it may break."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  Django's name
from django.db import connection

from bridge.mounts import NETWORK, filesystem, mounts


@register(Tags.compatibility)
def forgotten_files(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # Django's protocol
    """Rows and SQL that Django loaded at each `migrate` until 1.9, and passes over since."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    fixtures = [Path(config.path, "fixtures") for config in configs]
    fixtures += [Path(folder) for folder in settings.FIXTURE_DIRS]
    rows = [file for folder in fixtures for file in sorted(folder.glob("initial_data.*"))]
    statements = [file for config in configs for file in sorted(Path(config.path, "sql").glob("*.sql"))]
    return [
        *(
            Warning(
                f"{file} is not loaded by itself.",
                hint="Insert its rows in a data migration (RunPython), or give it another name and load it (loaddata).",
                id="ticbridge.W001",
            )
            for file in rows
        ),
        *(
            Warning(
                f"{file} is not run by itself.",
                hint="Put its statements into a migration: RunSQL, or storage.vendorsql.VendorSQL for one engine.",
                id="ticbridge.W002",
            )
            for file in statements
        ),
    ]


@register(Tags.files)
def sqlite_on_a_network(**_: Any) -> list[CheckMessage]:  # as above
    """Write-ahead logging needs memory that all its processes share, which no network filesystem has."""
    if connection.vendor != "sqlite":
        return []
    file = Path(str(connection.settings_dict["NAME"]))
    kind = filesystem(file.absolute().parent, mounts())
    if kind not in NETWORK:
        return []
    return [
        Warning(
            f"{file} lies on a network filesystem ({kind}), where SQLite may damage it.",
            hint="Set storage.database to a file on a disk of this machine, or to a PostgreSQL server.",
            id="ticbridge.W003",
        )
    ]
