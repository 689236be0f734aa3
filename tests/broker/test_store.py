"""The store beside others: workers of one database, an observer, a second store, a database that is away."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from bridge.envelope import Envelope, reading_message
from bridge.topics import Topics, Watermark
from tests.broker.conftest import PATIENCE, Broker, Ear, Run

pytestmark = pytest.mark.broker

METER = "021861000001"
EPOCH = "11111111-2222-4333-8444-555555555555"
ACK = f"linky/{METER}/reading/ack"


def reading(seq: int, **fields: Any) -> tuple[str, str]:  # any field of the envelope
    envelope = Envelope.model_validate(
        {
            "meter": METER, "bridge": "pi", "epoch": EPOCH, "seq": seq, "floor": 1, "ts": "2026-11-21T10:00:00.250Z",
            "tz": "Europe/Paris", "mode": "standard", "values": {"east": 1000 + seq}, **fields,
        }
    )  # fmt: skip
    message = reading_message(Topics(), envelope)
    return message.topic, message.payload


def config(broker: Broker, database: Path, **batch: Any) -> dict[str, Any]:  # YAML trees
    return {
        "bridge": {"id": "pi", "state_dir": str(database.parent / "state")},
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "storage": {"database": f"sqlite:///{database}", "batch": {"rows": 10, "seconds": 0.2, **batch}},
    }


def handled(seq: int) -> Callable[[str], bool]:
    return lambda payload: Watermark.model_validate_json(payload).seq == seq


def rows(database: Path) -> list[int]:
    with sqlite3.connect(database, timeout=20) as db:
        found = [seq for (seq,) in db.execute("SELECT seq FROM storage_data ORDER BY seq")]
    db.close()
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is not said on the broker."""
    deadline, pause = monotonic() + PATIENCE, threading.Event()
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.05)


def test_a_watermark_is_repeated_for_what_comes_again(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    store = run(config(broker, tmp_path / "db.sqlite3"), "store")
    ear.wait_for_topic("linky/store/", "online")
    ear.publish(*reading(1))
    ear.wait_for(ACK, handled(1))
    ear.heard.clear()
    ear.publish(*reading(1))
    assert json.loads(ear.wait_for(ACK)) == {"epoch": EPOCH, "seq": 1, "batch_seconds": 0.2}
    assert store.stop() == 0
    assert store.counts() == {"stored": 1, "duplicates": 1, "mismatched": 0, "dead": 0, "lacking": 0}


def test_two_workers_of_one_database_share_the_readings_and_one_mark(
    broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    database = tmp_path / "db.sqlite3"
    first = run(config(broker, database), "store", "--share", "home")
    status = ear.wait_for_topic("linky/store/", "online")
    second = run(config(broker, database), "store", "--share", "home")
    second.wait_for("Connected to the broker")
    for seq in range(1, 201):
        ear.publish(*reading(seq))
    ear.wait_for(ACK, handled(200))
    assert rows(database) == list(range(1, 201))
    ear.heard.clear()
    assert second.stop() == 0
    ear.wait_for(status, lambda payload: payload == "offline")
    ear.wait_for(status, lambda payload: payload == "online")  # the other one is still there
    assert first.stop() == 0
    ear.wait_for(status, lambda payload: payload == "offline")
    counts = first.counts()["stored"], second.counts()["stored"]
    assert (sum(counts), min(counts) > 0) == (200, True)


def test_an_observer_stores_and_says_nothing(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    (tmp_path / "observer").mkdir()
    seen = tmp_path / "observer" / "db.sqlite3"
    store = run(config(broker, tmp_path / "db.sqlite3"), "store")
    ear.wait_for_topic("linky/store/", "online")
    observer = run(config(broker, seen), "store", "--observer")

    def observed() -> bool:
        ear.publish(*reading(1))  # again, until it has subscribed
        return rows(seen) == [1]

    observer.wait_for("Connected to the broker")
    until(observed)
    ear.wait_for(ACK, handled(1))
    assert store.stop() == 0
    ear.publish(*reading(2))
    until(lambda: rows(seen) == [1, 2])
    assert observer.stop() == 0
    assert len({topic for topic, _ in ear.heard if topic.startswith("linky/store/")}) == 1
    assert {json.loads(payload)["seq"] for topic, payload in ear.heard if topic == ACK} == {1}


def test_a_second_store_refuses_to_start(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    first = run(config(broker, tmp_path / "db.sqlite3"), "store")
    status = ear.wait_for_topic("linky/store/", "online")
    ear.publish(*reading(1))
    second = run(config(broker, tmp_path / "second" / "db.sqlite3"), "store")
    assert second.wait() == 1
    line = second.wait_for("Another store")
    assert line.endswith(
        f"Another store acknowledges the readings of this broker ({status}): stop it, or start this one with "
        "--observer; if it is gone for good, delete that retained topic"
    )
    ear.wait_for(ACK, handled(1))
    assert first.stop() == 0
    assert rows(tmp_path / "second" / "db.sqlite3") == []


def test_a_store_that_took_anothers_place_starts(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    ear.say("linky/store/anotherstore/status", "offline")
    store = run(config(broker, tmp_path / "db.sqlite3"), "store")
    ear.wait_for_topic("linky/store/", "online")
    ear.publish(*reading(1))
    ear.wait_for(ACK, handled(1))
    assert store.stop() == 0


def test_a_locked_database_is_waited_for(broker: Broker, ear: Ear, run: Run, tmp_path: Path) -> None:
    """Nothing is acknowledged meanwhile, and nothing is lost."""
    database = tmp_path / "db.sqlite3"
    store = run(config(broker, database), "store")
    ear.wait_for_topic("linky/store/", "online")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ear.publish(*reading(1))
    with pytest.raises(pytest.fail.Exception):
        ear.wait_for(ACK, patience=1.0)
    other.execute("ROLLBACK")
    other.close()
    ear.wait_for(ACK, handled(1))
    assert store.stop() == 0
    assert rows(database) == [1]


def test_a_store_that_may_not_see_others_says_so_and_goes_on(broker: Broker, run: Run, tmp_path: Path) -> None:
    broker.stop()
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite linky/+/reading\ntopic readwrite {ACK}\ntopic write linky/store/+/status\n")
    broker.options = ["allow_anonymous true", f"acl_file {acl}", "user root"]
    broker.start()
    listening = Ear(broker.port)
    store = run(config(broker, tmp_path / "db.sqlite3"), "store")
    store.wait_for("whether another store is there cannot be told")
    listening.publish(*reading(1))
    until(lambda: rows(tmp_path / "db.sqlite3") == [1])
    listening.close()
    assert store.stop() == 0
