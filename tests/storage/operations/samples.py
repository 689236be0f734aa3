"""A bridge that speaks of itself."""

from __future__ import annotations

from typing import Any, Final

from bridge.topics import Topics
from storage.operations.fleet import Fleet
from tests.storage.web.samples import METER

INFO: Final[dict[str, Any]] = {
    "version": "1.0", "started": "2026-11-21T10:00:00+00:00",
    "meters": [{
        "meter": METER, "source_open": True, "frames": 900, "decoded": 890, "accepted": 880, "unspooled": 2,
        "refused": {"checksum": 3},
    }],
    "spool": {"depth": 12, "dropped": 4, "unspooled": 2, "trouble": ""},
}  # fmt: skip


def told(*messages: tuple[str, str]) -> Fleet:
    """A fleet that heard these, each below the base topic."""
    fleet = Fleet(Topics())
    for leaf, payload in messages:
        assert fleet.hear(f"linky/{leaf}", payload.encode())
    return fleet
