"""`storage.database` to Django's DATABASES."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bridge.config import ConfigError

# FULL: what was acknowledged survives a power cut; batches make it nearly free. IMMEDIATE: a transaction that will
# write takes its place at once, so the page and the subscriber never fail with "database is locked" half-way.
# auto_vacuum only counts before the first table exists.
_SQLITE_OPTIONS: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; "
        "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27000000; PRAGMA temp_store=MEMORY;"
    ),
}
_EXPECTED: Final = "expected sqlite:///path/to/db.sqlite3 or postgresql://user@host:5432/name"


def database(url: str) -> dict[str, Any]:
    """One entry of DATABASES, from a URL."""
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:  # its text may hold a part of the password
        hint = "in a password / is %2F, @ is %40, : is %3A, # is %23"
        raise ConfigError(f"storage.database: no address ({hint}); {_EXPECTED}") from None
    if parts.scheme == "sqlite":
        path = unquote(parts.path.removeprefix("/"))
        if parts.netloc or not path:
            shown = f"sqlite://{parts.netloc.rpartition('@')[2]}{parts.path}"
            raise ConfigError(f"storage.database: {shown!r} will not do; {_EXPECTED}")
        file = Path(path).expanduser().absolute()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"storage.database: the folder {file.parent} cannot be made ({error.strerror}); {_EXPECTED}"
            ) from None
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": dict(_SQLITE_OPTIONS)}
    if parts.scheme in ("postgresql", "postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": port,
        }
    raise ConfigError(f"storage.database: {url.partition(':')[0]!r} will not do; {_EXPECTED}")
