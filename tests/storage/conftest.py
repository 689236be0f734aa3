"""Each test of the store runs on both engines: `pytest`, and again as `python -m tests.postgresql tests/storage`.

The second run takes what touches Django's database; the rest cannot differ.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase

from tests.postgresql import VARIABLE
from tests.storage.scratch import Scratch, scratch_database


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(config.rootpath / "tests" / "storage")]
    foreign = [item for item in ours if not belongs(item)]
    if foreign:
        config.hook.pytest_deselected(items=foreign)
        items[:] = [item for item in items if item not in foreign]


def belongs(item: pytest.Item) -> bool:
    """Whether a test says something about the engine of this run."""
    if os.environ.get(VARIABLE) is None:
        return item.get_closest_marker("postgresql") is None
    if item.get_closest_marker("sqlite") is not None:
        return False
    case = getattr(item, "cls", None)
    return (
        item.get_closest_marker("postgresql") is not None
        or item.get_closest_marker("django_db") is not None
        or (case is not None and issubclass(case, TransactionTestCase))
        or not {"db", "transactional_db", "scratch"}.isdisjoint(getattr(item, "fixturenames", ()))
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    """A database of its own, for what a test may not do to Django's."""
    yield from scratch_database(tmp_path)
