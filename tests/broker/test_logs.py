"""What the services say while everything goes wrong: no secret, nobody's address, and not for ever."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from bridge.simulated.contract import Contract
from bridge.simulated.plan import Plan
from tests.broker.conftest import Broker, Ear, Program, Run, free_port
from tests.needs import need
from tests.real_homeassistant.meters import Line

pytestmark = [pytest.mark.broker, pytest.mark.slow]

SECRET: Final = "hunter2-and-more"
PLAN: Final = Plan(Contract.BASE, seed=77)


@pytest.fixture
def locked(broker: Broker, tmp_path: Path) -> Broker:
    """A broker that lets nobody in but anna."""
    broker.stop()
    users = tmp_path / "users"
    subprocess.run([need("mosquitto_passwd"), "-b", "-c", str(users), "anna", SECRET], check=True, capture_output=True)
    broker.options = ["allow_anonymous false", f"password_file {users}", "user root"]
    broker.start()
    return broker


@pytest.fixture
def line() -> Iterator[Line]:
    playing = Line(PLAN, 5.0)
    yield playing
    playing.close()


def config(broker: Broker, folder: Path, line: Line, form: str) -> dict[str, Any]:  # a YAML tree
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    return {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": line.source, "mode": "standard"}],
        "publish": {"personal": True},
        "storage": {
            "database": f"sqlite:///{folder / 'db.sqlite3'}", "batch": {"rows": 5, "seconds": 0.2}, "fields": "all",
        },
        "mqtt": {"host": "127.0.0.1", "port": broker.port, "username": "anna", "password_file": str(secret)},
        "homeassistant": {"url": "http://127.0.0.1:1", "token_file": str(secret)},
        "mail": {"host": "127.0.0.1", "port": 1, "username": "me@example.org", "password_file": str(secret)},
        "web": {"listen": f"127.0.0.1:{free_port()}"},
        "log": {"level": "debug", "format": form},
    }  # fmt: skip


@pytest.mark.parametrize("form", [pytest.param("text", marks=pytest.mark.long), "json"])
def test_no_line_of_any_service_tells_a_secret_or_names_a_household(
    form: str, locked: Broker, line: Line, run: Run, tmp_path: Path
) -> None:
    prm = re.search(rb"\nPRM\t(\d{14})\t", line.meter.frame(line._now))
    assert prm, "the meter tells its delivery point"
    tree = config(locked, tmp_path, line, form)
    programs = {command: run(tree, command) for command in ("store", "bridge", "web")}
    wait_until_open(tree["web"]["listen"])
    ear = Ear(locked.port, ("anna", SECRET))
    ear.wait_for(f"linky/{PLAN.meter_id}/reading/ack")  # what is stored came all the way
    ear.wait_for(f"linky/{PLAN.meter_id}/prm", lambda text: text == prm[1].decode())
    damage(programs, locked, line, ear, tmp_path, tree["web"]["listen"])
    ear.close()
    told = run(tree, "manage", "ha_backfill")
    assert told.wait() == 1
    assert [program.stop() for program in programs.values()] == [0, 0, 0]
    said = [text for program in (*programs.values(), told) for text in program.said]
    assert [text for text in said if SECRET in text] == []
    assert [text for text in said if PLAN.meter_id in text or prm[1].decode() in text] == []
    assert any(f"...{PLAN.meter_id[-4:]}" in text for text in said), "it is spoken of at all"


def damage(programs: dict[str, Program], broker: Broker, line: Line, ear: Ear, folder: Path, listen: str) -> None:
    """All that makes the services speak."""
    topic = f"linky/{PLAN.meter_id}/reading"
    for body in ("", "{}", '{"v": 1, "meter": "%s"}' % PLAN.meter_id, "\x00"):  # noqa: UP031  braces
        ear.publish(topic, body)
    programs["store"].wait_for("was set aside")
    line.change(corrupt=0.5)
    with closing(sqlite3.connect(folder / "db.sqlite3", isolation_level=None, timeout=30)) as database:
        database.execute("BEGIN IMMEDIATE")
        programs["store"].wait_for("cannot be written")
        database.execute("ROLLBACK")
    for path in (f"/api/v1/now/?meter={PLAN.meter_id}", f"/{PLAN.meter_id}/", "/healthz"):
        with suppress(urllib.error.HTTPError):  # a login is asked for
            urllib.request.urlopen(f"http://{listen}{path}", timeout=30).read()
    line.unplug()
    programs["bridge"].wait_for("Trying again until it works")
    line.plug()
    broker.stop()
    for command in ("bridge", "store"):
        programs[command].wait_for("ended the connection")
    broker.start()
    for program in (programs["bridge"], programs["store"]):
        wait_for_times(program, "Connected to the broker", 2)


def wait_until_open(listen: str) -> None:
    host, _, port = listen.partition(":")
    until, pause = time.monotonic() + 60, threading.Event()
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until, listen
            pause.wait(0.05)
        else:
            return


def wait_for_times(program: Program, text: str, times: int) -> None:
    until, pause = time.monotonic() + 60, threading.Event()
    while sum(text in said for said in list(program.said)) < times:
        assert time.monotonic() < until, program.said[-10:]
        pause.wait(0.05)


def wait_until_buried(path: Path, number: int) -> None:
    until, pause, found = time.monotonic() + 240, threading.Event(), 0
    while found < number:
        assert time.monotonic() < until, found
        pause.wait(0.1)
        with closing(sqlite3.connect(path, timeout=30)) as database:
            [(found,)] = database.execute("SELECT count(*) FROM storage_deadletter").fetchall()


def test_messages_that_nobody_can_read_do_not_fill_the_log(broker: Broker, run: Run, ear: Ear, tmp_path: Path) -> None:
    """A hundred and fifty of them, as a program gone wrong sends them for ever: a line for sixty."""
    store = run(
        {
            "mqtt": {"host": "127.0.0.1", "port": broker.port},
            "storage": {"database": f"sqlite:///{tmp_path / 'db.sqlite3'}", "batch": {"rows": 50, "seconds": 0.1}},
        },
        "store",
    )
    store.wait_for("Connected to the broker")
    for number in range(150):
        ear.publish("linky/attic/reading", f"nonsense {number}")
    wait_until_buried(tmp_path / "db.sqlite3", 150)
    assert store.stop() == 0
    assert store.counts()["dead"] == 150
    assert len([text for text in store.said if "was set aside" in text]) == 60
