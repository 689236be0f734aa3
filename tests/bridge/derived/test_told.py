"""One derived value."""

from __future__ import annotations

from bridge.derived.told import Told


def test_most_values_explain_themselves() -> None:
    assert Told("over_power", value=True) == ("over_power", True, None)
