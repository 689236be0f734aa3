"""Frames as bad wiring delivers them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulated.damage import corrupt
from bridge.simulated.plan import Plan
from bridge.tic.decode import Decoder
from tests.bridge.simulated import frames, readings


def test_the_decoder_notices_the_damage() -> None:
    [frame] = frames(Plan(), number=1)
    [whole] = readings(Plan(), number=1)
    kinds = set()
    unseen = 0
    for seed in range(300):
        damaged = corrupt(frame, random.Random(seed))
        assert damaged != frame
        kinds.add((len(damaged) > len(frame)) - (len(damaged) < len(frame)))
        decoded = Decoder().decode(damaged)
        unseen += not decoded.refused and decoded.reading == whole
    assert kinds == {-1, 0, 1}
    # only damage outside the groups (STX, ETX, a doubled CR) changes nothing that counts
    assert unseen < 15


def test_two_groups_may_come_as_one() -> None:
    [frame] = frames(Plan(), number=1)
    fewer = [seed for seed in range(300) if corrupt(frame, random.Random(seed)).count(b"\r\n") < frame.count(b"\r\n")]
    assert len(fewer) > 20


def test_the_same_seed_does_the_same_damage() -> None:
    assert corrupt(b"x" * 99, random.Random(5)) == corrupt(b"x" * 99, random.Random(5))


@given(st.binary(min_size=1, max_size=40), st.integers(0, 999))
def test_anything_can_be_damaged_and_something_is_left(data: bytes, seed: int) -> None:
    assert corrupt(data, random.Random(seed))


@pytest.mark.parametrize("data", [b"\r\n", b"x\r\n", b"\n"])
def test_little_can_be_damaged_too(data: bytes) -> None:
    assert all(corrupt(data, random.Random(seed)) for seed in range(200))
