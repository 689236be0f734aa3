"""A PostgreSQL server as owners meet it: who may come in, and what becomes of a connection that dies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection

from storage.dirty import mark
from tests.broker.conftest import free_port
from tests.postgresql import GUARDED
from tests.storage.scratch import Scratch
from tests.storage.test_ingest import envelope, store, stored

pytestmark = pytest.mark.postgresql
SECRET = "hunter2-hunter2"


# --- who may come in -----------------------------------------------------------------------------


def changed(scratch: Scratch, what: str) -> str:
    parts = urlsplit(scratch.url)
    return {
        "server": parts._replace(netloc=f"postgres@127.0.0.1:{free_port()}"),
        "login": parts._replace(netloc=f"nobody@127.0.0.1:{parts.port}"),
        "database": parts._replace(path="/nowhere"),
    }[what].geturl()


REASONS = {
    "server": "Connection refused",
    "login": 'role "nobody" does not exist',
    "database": '"nowhere" does not exist',
}


@pytest.mark.parametrize(
    ("what", "command"),
    [
        *((what, "store") for what in REASONS),
        ("server", "web --wait 0.1"),
        ("login", "manage migrate"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_told_in_one_sentence(what: str, command: str, scratch: Scratch) -> None:
    environment = {"TICBRIDGE_STORAGE__DATABASE": changed(scratch, what)}
    done = scratch.manage(*command.split(), program=("-m", "ticbridge"), environment=environment)
    lines = [line for line in done.said.splitlines() if "Waiting for the database" not in line]
    assert (done.code, len(lines), REASONS[what] in lines[0]) == (69 if "web" in command else 1, 1, True), done.said


@pytest.fixture
def guarded(scratch: Scratch) -> Scratch:
    """Its database is one of a role that must show its password."""
    with psycopg.connect(scratch.url, autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [GUARDED]).fetchone():
            server.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{SECRET}'")
        server.execute(f"ALTER DATABASE {urlsplit(scratch.url).path[1:]} OWNER TO {GUARDED}")
    return Scratch(scratch.url.replace("postgres@", f"{GUARDED}@"), scratch.folder)


def asked(scratch: Scratch, environment: dict[str, str]) -> tuple[int, str]:
    done = scratch.manage("showmigrations", "storage", environment=environment)
    return done.code, done.said


def test_the_password_is_found_wherever_it_may_be_kept(guarded: Scratch) -> None:
    password = guarded.folder / "password"
    password.write_text(SECRET)
    password.chmod(0o600)
    parts = urlsplit(guarded.url)
    theirs = guarded.folder / "pgpass"
    theirs.write_text(f"127.0.0.1:{parts.port}:*:{GUARDED}:{SECRET}\n")
    theirs.chmod(0o600)
    (guarded.folder / "storage-password").write_text(SECRET)
    for name, value in (
        ("TICBRIDGE_STORAGE__PASSWORD_FILE", str(password)),
        ("TICBRIDGE_STORAGE__PASSWORD", SECRET),
        ("PGPASSFILE", str(theirs)),
        ("CREDENTIALS_DIRECTORY", str(guarded.folder)),
    ):
        assert asked(guarded, {name: value}) == (0, ""), name


def test_a_wrong_password_is_told_and_not_shown(guarded: Scratch) -> None:
    code, said = asked(guarded, {"TICBRIDGE_STORAGE__PASSWORD": "wrong-wrong"})
    assert (code, said.count("\n"), "password authentication failed" in said) == (1, 1, True)
    assert "wrong-wrong" not in said


# --- a connection that dies ----------------------------------------------------------------------


def kill_the_backend() -> None:
    connection.ensure_connection()
    number = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_two_batches_is_renewed() -> None:
    store(envelope(1))
    kill_the_backend()
    close_old_connections()  # as after each batch
    assert store(envelope(2)).stored == 1
    assert stored() == [(1, 1001), (2, 1002)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_dies_in_a_batch_leaves_nothing_and_the_batch_is_written_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store(envelope(1))

    def die(touched: Any) -> None:  # what `mark` takes
        monkeypatch.undo()
        kill_the_backend()
        mark(touched)

    monkeypatch.setattr("storage.ingest.mark_dirty", die)
    with pytest.raises(OperationalError):
        store(envelope(2), envelope(3))
    connection.close()  # as the store does before it tries again
    assert stored() == [(1, 1001)]
    assert store(envelope(2), envelope(3)).stored == 2


@pytest.mark.django_db
def test_the_server_knows_who_asks_and_lets_nobody_hold_a_lock_for_ever() -> None:
    with connection.cursor() as cursor:
        names = ("application_name", "idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout")
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        assert cursor.fetchone() == ("ticbridge", "5min", "15", "30000")
