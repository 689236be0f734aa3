"""What bridges and stores say of themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.topics import MAX_PAYLOAD, Topics
from storage.operations.fleet import MAX_NAMES, Fleet
from tests.storage.operations.samples import INFO, told


def test_the_newest_word_of_each_counts() -> None:
    fleet = told(("bridge/pi/status", "online"), ("bridge/pi/info", json.dumps(INFO)), ("store/a1/status", "online"))
    assert fleet.stores() == {"a1": True}
    (bridge,) = fleet.bridges().values()
    assert bridge.online is True
    assert bridge.info is not None
    assert (bridge.info.version, bridge.info.spool.depth, bridge.info.meters[0].refused) == ("1.0", 12, {"checksum": 3})
    fleet.hear("linky/bridge/pi/status", b"offline")
    fleet.hear("linky/store/a1/status", b"offline")
    assert (fleet.bridges()["pi"].online, fleet.stores()) == (False, {"a1": False})
    fleet.hear("linky/bridge/pi/info", b"")  # somebody cleared it
    assert fleet.bridges()["pi"].info is None


@pytest.mark.parametrize(
    ("leaf", "payload"),
    [
        ("bridge/pi/info", "[]"),
        ("bridge/pi/info", '{"version": 1}'),
        ("bridge/pi/info", json.dumps({**INFO, "spool": {"depth": -1, "dropped": 0}})),
        ("bridge/pi/info", json.dumps({**INFO, "more": "x" * MAX_PAYLOAD})),
        ("bridge/pi/status", "perhaps"),
        ("store/a1/status", ""),
    ],
)
def test_what_makes_no_sense_changes_nothing(leaf: str, payload: str) -> None:
    fleet = told((leaf, payload))
    assert (fleet.bridges(), fleet.stores()) == ({}, {})


def test_a_bridge_of_a_later_version_may_say_more() -> None:
    fleet = told(("bridge/pi/info", json.dumps({**INFO, "weather": "fine"})))
    assert fleet.bridges()["pi"].info is not None


@pytest.mark.parametrize(
    "topic", ["linky/042161000001/status", "other/bridge/pi/status", "linky/bridge/p i/status", ""]
)
def test_other_topics_are_left_to_others(topic: str) -> None:
    assert not Fleet(Topics()).hear(topic, b"online")


def test_invented_names_take_no_more_than_their_room() -> None:
    fleet = told(*((f"{kind}/n{n}/status", "online") for n in range(MAX_NAMES + 5) for kind in ("bridge", "store")))
    assert (len(fleet.bridges()), len(fleet.stores())) == (MAX_NAMES, MAX_NAMES)


@given(topic=st.sampled_from(["linky/bridge/pi/info", "linky/bridge/pi/status"]) | st.text(), payload=st.binary())
def test_nothing_that_is_heard_breaks_it(topic: str, payload: Any) -> None:
    Fleet(Topics()).hear(topic, payload)
