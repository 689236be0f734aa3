"""Entities of another program are taken over with their ids."""

from __future__ import annotations

import json

import pytest

from bridge.topics import Message
from homeassistant.migration import Migration, around
from tests.bridge.wire import METER

PATTERN = "homeassistant/sensor/teleinfo/{meter}_{label}/config"


def old(label: str, meter: str = METER) -> tuple[str, bytes]:
    """A message as teleinfo2mqtt retains it."""
    body = {"unique_id": f"teleinfo_{meter}_{label}", "name": f"Teleinfo {meter} {label}", "state_topic": "teleinfo/x"}
    return f"homeassistant/sensor/teleinfo/{meter}_{label.lower()}/config", json.dumps(body).encode()


def test_what_stands_for_a_field_is_found_by_its_label() -> None:
    migration = Migration(PATTERN)
    assert migration.filter == "homeassistant/sensor/teleinfo/+/config"
    for label in ("PAPP", "HCHC", "SMAXSN-1", "EAST"):
        migration.hear(*old(label))
    migration.hear(*old("IINST", "999999999999"))
    found = migration.of(METER, ("papp", "hchc", "smaxsn_prev", "iinst", "ptec", "tempo_today"))
    assert found == {
        "sinsts": (old("PAPP")[0], f"teleinfo_{METER}_PAPP"),
        "easf01": (old("HCHC")[0], f"teleinfo_{METER}_HCHC"),
        "smaxsn_prev": (old("SMAXSN-1")[0], f"teleinfo_{METER}_SMAXSN-1"),
    }
    migration.forget([old("PAPP")[0], old("HCHC")[0], "never/heard"])
    assert migration.of(METER, ("papp", "hchc", "smaxsn_prev")).keys() == {"smaxsn_prev"}


def test_a_pattern_without_the_meter_is_of_any() -> None:
    migration = Migration("ha/sensor/linky_{label}/config")
    migration.hear("ha/sensor/linky_papp/config", b'{"uniq_id": "PAPP"}')
    assert migration.of(METER, ("papp",)) == {"sinsts": ("ha/sensor/linky_papp/config", "PAPP")}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"unique_id": "a.b"}', b'{"unique_id": 7}', b"\xff"])
def test_what_cannot_be_taken_over_is_left(body: bytes) -> None:
    migration = Migration(PATTERN)
    migration.hear(old("PAPP")[0], body)
    migration.hear("homeassistant/sensor/teleinfo/papp/config", old("PAPP")[1])
    assert migration.of(METER, ("papp",)) == {}


def test_the_old_topics_let_go_before_and_are_cleared_after() -> None:
    new = Message("new", "{}", qos=1)
    assert list(around(["a", "b"], iter([new]))) == [
        Message("a", '{"migrate_discovery": true}', qos=1),
        Message("b", '{"migrate_discovery": true}', qos=1),
        new,
        Message("a", "", qos=1),
        Message("b", "", qos=1),
    ]
