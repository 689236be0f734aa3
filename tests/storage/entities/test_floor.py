"""`storage.entities` could serve another project."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

TREE = Path(__file__).parents[3]
ROOM = TREE / "storage" / "entities"


def imported(path: Path) -> set[str]:
    """Every module that a file names, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_it_imports_django_and_simple_history_only() -> None:
    """The floors of pyproject.toml name what is forbidden; this names what is allowed, modules to come included."""
    allowed = {"django", "simple_history", *sys.stdlib_module_names}
    strangers = {
        f"{path.name}: {name}"
        for path in ROOM.rglob("*.py")
        for name in imported(path)
        if name.partition(".")[0] not in allowed and not f"{name}.".startswith("storage.entities.")
    }
    assert strangers == set()


def test_it_names_nothing_of_a_meter() -> None:
    text = "\n".join(path.read_text() for path in ROOM.rglob("*.py") if path.parent.name != "migrations")
    assert set(re.findall(r"(?i)\b(?:linky|tic|mqtt|frame|tariff|enedis|meters?)\b", text)) == set()
