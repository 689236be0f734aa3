"""`storage.api` could serve another project."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.storage.entities.test_floor import imported

ROOM = Path(__file__).parents[3] / "storage" / "api"


def test_it_imports_django_rest_framework_and_entities_only() -> None:
    """The floors of pyproject.toml name what is forbidden; this names what is allowed, modules to come included."""
    allowed = {"django", "rest_framework", "drf_spectacular", *sys.stdlib_module_names}
    strangers = {
        f"{path.name}: {name}"
        for path in ROOM.rglob("*.py")
        for name in imported(path)
        if name.partition(".")[0] not in allowed and not name.startswith(("storage.api.", "storage.entities."))
    }
    assert strangers == set()


def test_the_grammar_is_pure() -> None:
    assert imported(ROOM / "grammar.py") - set(sys.stdlib_module_names) == {"collections.abc"}


def test_it_names_nothing_of_a_meter() -> None:
    text = "\n".join(path.read_text() for path in ROOM.rglob("*.py"))
    assert set(re.findall(r"(?i)\b(?:linky|tic|mqtt|frame|tariff|enedis|meters?|rollups?)\b", text)) == set()
