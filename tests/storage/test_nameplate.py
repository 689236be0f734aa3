"""What a reading tells of its meter itself."""

from __future__ import annotations

from typing import Any

import pytest

from storage.models import Meter
from storage.nameplate import nameplate


@pytest.mark.parametrize(
    ("address", "known", "values", "told"),
    [
        ("042161000001", None, {"pref": 9}, {"phases": 1, "power": 9}),  # a Linky G3 on one phase
        ("042163000001", None, {}, {"phases": 3}),
        ("house", None, {"urms1": 230, "pref": 6}, {"phases": 1, "power": 6}),
        ("house", None, {"urms1": 230, "urms2": 231}, {"phases": 3}),
        ("house", 3, {"urms1": 230}, {}),  # the others were damaged
        ("house", 1, {"irms2": 0}, {"phases": 3}),
        ("house", None, {"isousc": 30}, {}),  # on how many phases?
        ("house", 1, {"isousc": 30}, {"power": 6}),
        ("house", 3, {"isousc": 30}, {"power": 18}),
        ("house", 1, {"isousc": 31}, {}),
        ("house", None, {"iinst": 4, "isousc": 45}, {"phases": 1, "power": 9}),
        ("house", None, {"pref": None}, {}),
    ],
)
def test_what_is_told(address: str, known: int | None, values: dict[str, Any], told: dict[str, int]) -> None:
    assert nameplate(Meter(meter_id=address, phases=known), values) == told


def test_maker_year_and_type_are_those_of_the_address() -> None:
    made = Meter(meter_id="042163000001").identity
    assert made is not None
    assert (made.maker, made.year, made.model, made.phases) == ("Landis+Gyr", 2021, "Linky", 3)
    assert Meter(meter_id="house").identity is None
