"""A pseudo-terminal for whatever reads a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bridge.terminal import Terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    both = Terminal.plugged()
    yield both
    both.unplug()
