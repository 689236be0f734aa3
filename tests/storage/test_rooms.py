"""Rooms of the store that could serve another project: what they import, and what they name."""

from __future__ import annotations

import re
import sys

import pytest

from tests.storage.entities.test_floor import TREE, imported

_ALLOWED = {
    "webhooks": ({"cryptography", "httpcore", "httpx", "simple_history", "yaml"}, {"entities", "webhooks"}),
    "tokens": ({"asgiref", "drf_spectacular", "rest_framework"}, {"tokens"}),
    "usage": (set[str](), {"tokens", "usage"}),
}


@pytest.mark.parametrize("room", _ALLOWED)
def test_a_room_imports_what_it_is_said_to(room: str) -> None:
    """The floors of pyproject.toml name what is forbidden; this names what is allowed, modules to come included."""
    libraries, rooms = _ALLOWED[room]
    allowed = {"django", *libraries, *sys.stdlib_module_names}
    strangers = {
        f"{path.name}: {name}"
        for path in (TREE / "storage" / room).rglob("*.py")
        for name in imported(path)
        if name.partition(".")[0] not in allowed and name.split(".")[:2] not in [["storage", near] for near in rooms]
    }
    assert strangers == set()


@pytest.mark.parametrize("room", _ALLOWED)
def test_a_room_names_nothing_of_a_meter(room: str) -> None:
    files = (path for path in (TREE / "storage" / room).rglob("*.py") if path.parent.name != "migrations")
    text = (
        "\n".join(path.read_text() for path in files)
        .replace("knows nothing of meters", "")
        .replace("nothing of meters", "")
    )
    assert set(re.findall(r"(?i)\b(?:linky|tic|mqtt|frame|tariff|enedis|meters?)\b", text)) == set()
