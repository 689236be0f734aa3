"""Of many at once no more than the limit have an effect, on a database file; on PostgreSQL see the tests beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.storage.scratch import Scratch


@pytest.mark.slow
@pytest.mark.sqlite
def test_of_twenty_calls_at_once_exactly_as_many_as_the_limit_have_an_effect(scratch: Scratch) -> None:
    done = scratch.manage(
        program=(str(Path(__file__).with_name("parallel.py")),), environment={"TICBRIDGE_USAGE__ENABLED": "true"}
    )
    assert done.code == 0, done.said
    assert json.loads(done.out) == [[201] * 5 + [429] * 15, 5, 5, 5]
