"""`storage.entities` could serve another project, and its design page names what proves each feature."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

TREE = Path(__file__).parents[3]
ROOM = TREE / "storage" / "entities"
PAGE = TREE / "docs" / "design" / "entities.md"
HERE = Path(__file__).parent

ROWS = {*range(1, 28), 37, *range(70, 78), 79, 88, 90, 95, 97}  # of the features that are this room's


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


def table() -> dict[int, str]:
    """The page's rows, by the number of the feature."""
    rows = (re.match(r"\| F(\d+) \|(.*)\|$", line) for line in PAGE.read_text().splitlines())
    return {int(row[1]): row[2] for row in rows if row}


def test_each_feature_has_its_row() -> None:
    assert set(table()) == ROWS


def test_each_feature_that_is_done_names_tests_that_are_there() -> None:
    there = {
        f"{path.stem}::{node.name}"
        for path in HERE.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    named = {number: re.findall(r"`(test_\w+::test_\w+)`", row) for number, row in table().items()}
    assert {name for names in named.values() for name in names} - there == set()
    untested = {number for number, names in named.items() if not names}
    assert untested == {8, 18, 72, 73, 77}  # no feature of ours: declined, or Django's and Python's own


def test_each_file_that_the_table_names_is_there() -> None:
    named = {name for row in table().values() for name in re.findall(r"`(\w+\.py)`", row)}
    assert {name for name in named if not (ROOM / name).exists()} == set()
