"""Alerts from a real store over a real broker and a real mail server, killed in between."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.broker.conftest import PATIENCE, Broker, Ear, Run
from tests.broker.test_store import METER, config, reading, rows, until
from tests.storage.alerts.postbox import Postbox

pytestmark = pytest.mark.broker

ALERT = f"linky/{METER}/alert"
RULE = (
    "from storage.alerts.models import AlertRule as R; "
    "R.objects.create(name='oven', field='sinsts', operator='>', value='8000', recipients='me@example.org')"
)


def house(broker: Broker, database: Path, mail: int) -> dict[str, Any]:  # YAML trees
    server = {"host": "127.0.0.1", "port": mail, "tls": "none", "from": "linky@example.org"}
    return {**config(broker, database), "mail": server, "homeassistant": {"language": "en"}}


def drawn(seq: int, sinsts: int, **fields: Any) -> tuple[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return reading(seq, **{"ts": now, "values": {"sinsts": sinsts}, **fields})


def asked(database: Path, question: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(database, timeout=PATIENCE) as db:
        found = db.execute(question).fetchall()
    db.close()
    return found


def told(ear: Ear) -> list[tuple[str, int]]:
    """(state, value) of each alert on the broker, each once: a message may come twice, with the same number."""
    said = [json.loads(payload) for topic, payload in ear.heard if topic == ALERT]
    return list(dict.fromkeys((one["state"], one["value"], one["alert"])[:2] for one in said))


def test_a_store_that_is_killed_between_raise_and_mail_sends_it_and_raises_once(
    broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    database, postbox = tmp_path / "db.sqlite3", Postbox()
    settings = house(broker, database, postbox.port)
    run(settings, "manage", "migrate", "--verbosity", "0").output()
    run(settings, "manage", "shell", "-c", RULE).output()
    with socket.create_server(("127.0.0.1", postbox.port)) as mute:  # the mail hangs in it
        mute.settimeout(PATIENCE)
        store = run(settings, "store")
        ear.wait_for_topic("linky/store/", "online")
        ear.publish(*drawn(1, 9000))
        ear.publish(*drawn(2, 9100))
        said = json.loads(ear.wait_for(ALERT))
        line, _ = mute.accept()
        store.stop(signal.SIGKILL)
        line.close()
    assert (said["rule"], said["state"], said["value"]) == ("oven", "raised", 9000)
    assert datetime.now(UTC) - datetime.fromisoformat(said["since"]) < timedelta(minutes=5)
    assert asked(database, "SELECT state, tries FROM alerts_delivery WHERE channel = 'mail'") == [("waiting", 1)]
    asked(
        database, "UPDATE alerts_delivery SET due = '2026-01-01 00:00:00' WHERE channel = 'mail'"
    )  # half a minute later
    with postbox.open():
        store = run(settings, "store")
        (mail,) = postbox.wait_for(1)
        ear.publish(*drawn(3, 9200))
        ear.publish(*drawn(4, 500))
        ear.wait_for(ALERT, lambda payload: '"cleared"' in payload)
        mails = postbox.wait_for(2)
        assert store.stop() == 0
    assert [str(one["Subject"]) for one in mails] == ["Alert: oven (…0001)", "Over: oven (…0001)"]
    assert mails[0]["Message-ID"] == mail["Message-ID"]
    assert told(ear) == [("raised", 9000), ("cleared", 500)]
    assert asked(database, "SELECT state, peak FROM alerts_alert") == [("cleared", "9200")]
    assert {state for (state,) in asked(database, "SELECT state FROM alerts_delivery")} == {"sent"}
    assert not [line for line in store.said if METER in line]


def test_what_is_replayed_from_long_ago_raises_nothing(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    settings = house(broker, database, 1)
    run(settings, "manage", "migrate", "--verbosity", "0").output()
    run(settings, "manage", "shell", "-c", RULE).output()
    store = run(settings, "store")
    ear.wait_for_topic("linky/store/", "online")
    for seq in range(1, 21):
        ear.publish(*drawn(seq, 9000, ts=f"2026-01-01T10:00:{seq:02}.000Z", replay=True))
    until(lambda: len(rows(database)) == 20)
    ear.publish(*drawn(21, 500))
    ear.publish(*drawn(22, 9000))
    ear.wait_for(ALERT)
    assert store.stop() == 0
    assert told(ear) == [("raised", 9000)]
    assert asked(database, "SELECT count(*) FROM alerts_alert") == [(1,)]


def test_an_observer_tells_the_broker_nothing(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    database, postbox = tmp_path / "db.sqlite3", Postbox()
    settings = house(broker, database, postbox.port)
    run(settings, "manage", "migrate", "--verbosity", "0").output()
    run(settings, "manage", "shell", "-c", RULE).output()
    with postbox.open():
        observer = run(settings, "store", "--observer")

        def stored() -> bool:
            ear.publish(*drawn(1, 9000))  # again, until it has subscribed
            return rows(database) == [1]

        observer.wait_for("Connected to the broker")
        until(stored)
        postbox.wait_for(1)
        assert observer.stop() == 0
    assert told(ear) == []
    assert asked(database, "SELECT channel, state FROM alerts_delivery") == [("mail", "sent")]
