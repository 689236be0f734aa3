"""`storage.database` to Django's DATABASES."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bridge.config import ConfigError

# FULL: what was acknowledged survives a power cut; batches make it nearly free. IMMEDIATE: a transaction that will
# write takes its place at once, so the page and the subscriber never fail with "database is locked" half-way.
# auto_vacuum only counts before the first table exists. The file is not mapped: the pages that were looked at would
# count as memory of ours, and the kernel keeps them for us anyway.
_SQLITE_OPTIONS: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4000; "
        "PRAGMA journal_size_limit=27000000; PRAGMA temp_store=MEMORY;"
    ),
}
# A server that vanished without a word is given up after half a minute, and one of ours that stands still in a
# transaction lets go of its locks after five.
_POSTGRESQL_OPTIONS: Final = MappingProxyType({
    "application_name": "ticbridge",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "options": "-c idle_in_transaction_session_timeout=300000 -c jit=off",
})  # fmt: skip
_ALLOWED: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding")
# Threads of the web process: more at once wait for their turn. A server that is back is found after ten seconds.
_POOL: Final = MappingProxyType(
    {"min_size": 1, "max_size": 8, "timeout": 10, "max_idle": 120, "reconnect_timeout": 10, "name": "ticbridge"}
)
_EXPECTED: Final = "expected sqlite:///path/to/db.sqlite3 or postgresql://user@host:5432/name"


def database(url: str, password: str | None = None) -> dict[str, Any]:
    """One entry of DATABASES, from a URL, and a password that is kept elsewhere."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text may hold a part of the password
        hint = "in a password / is %2F, @ is %40, : is %3A, # is %23"
        raise ConfigError(f"storage.database: no address ({hint}); {_EXPECTED}") from None
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("postgresql", "postgres"):
        return _postgresql(parts, password)
    raise ConfigError(f"storage.database: {url.partition(':')[0]!r} will not do; {_EXPECTED}")


def _sqlite(parts: SplitResult) -> dict[str, Any]:
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


def _postgresql(parts: SplitResult, password: str | None) -> dict[str, Any]:
    if find_spec("psycopg") is None:
        raise ConfigError("storage.database: PostgreSQL needs psycopg: pip install 'ticbridge[postgresql]'")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    for key in given:
        if key not in _ALLOWED:
            raise ConfigError(f"storage.database: {key!r} will not do after the ?; expected {', '.join(_ALLOWED)}")
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise ConfigError(f"storage.database: no name of a database; {_EXPECTED}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or password or "",  # else libpq looks into ~/.pgpass
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # One thread and one connection, that lives on and is looked at before each use.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_POSTGRESQL_OPTIONS, **given},
    }


def pooled(entry: dict[str, Any]) -> dict[str, Any]:
    """The same for a process of many threads, of which each request may be another."""
    if entry["ENGINE"] != "django.db.backends.postgresql":
        return entry
    options = {**entry["OPTIONS"], "application_name": "ticbridge web", "pool": dict(_POOL)}
    return {**entry, "CONN_MAX_AGE": 0, "OPTIONS": options}


def refusal() -> str | None:
    """Why the server does not let us in, in its own words; None when it does. SQLite is asked by using it."""
    from django.db import connection  # noqa: PLC0415  this file is read before there are settings

    if connection.vendor != "postgresql":
        return None
    import psycopg  # noqa: PLC0415  as above

    try:
        psycopg.connect(**connection.get_connection_params()).close()
    except psycopg.OperationalError as error:
        return " ".join(str(error).split())
    return None
