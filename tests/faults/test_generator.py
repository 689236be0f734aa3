"""The counting meter: what it sends is what its ledger says, and damage is damage."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.tic.decode import Decoder
from bridge.tic.framing import Framer
from bridge.tic.groups import ETX
from tests.faults.generator import Damage, Generator, any_of, flipped, frame, joined, noise, truncated

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def generator(tmp_path: Path) -> Iterator[Generator]:
    meter = Generator(tmp_path / "port", "061861000001", 1)
    yield meter
    meter.close()


def counters(data: bytes) -> list[int | None]:
    """The counters that our own decoder reads."""
    decoder = Decoder()
    readings = [decoder.decode(each).reading for each in Framer().feed(data)]
    return [reading.get("sinsts") for reading in readings if reading is not None]


def test_a_frame_says_its_counter_and_nothing_of_it_is_refused() -> None:
    [whole] = Framer().feed(frame("061861000001", 4711, NOW))
    decoded = Decoder().decode(whole)
    assert decoded.refused == ()
    assert decoded.reading is not None
    assert decoded.reading.to_json() | {"east": 0, "easf01": 0, "easd01": 0} == {
        "adsc": "061861000001", "vtic": "02", "date": "2026-01-02T04:04:05+01:00", "ngtf": "BASE", "ltarf": "BASE",
        "east": 0, "easf01": 0, "easd01": 0, "irms1": 2, "urms1": 231, "pref": 9, "sinsts": 4711, "ntarf": 1,
    }  # fmt: skip


def test_what_is_sent_arrives_and_stands_in_the_ledger(generator: Generator) -> None:
    reader = os.open(generator.link, os.O_RDONLY | os.O_NOCTTY)
    assert [generator.send() for _ in range(3)] == [1, 2, 3]
    data = b""
    while data.count(ETX) < 3:
        data += os.read(reader, 4096)
    os.close(reader)
    assert counters(data) == [1, 2, 3]
    assert generator.sent == {1, 2, 3}


def test_a_line_that_nobody_reads_overflows_and_holds_nobody_up(generator: Generator) -> None:
    for _ in range(400):
        generator.send()
    assert generator.counter == 400


def test_after_a_replug_the_same_name_is_another_terminal(generator: Generator) -> None:
    before = generator.link.readlink()
    holder = os.open(before, os.O_RDONLY | os.O_NOCTTY)
    generator.unplug()
    assert not generator.link.exists()
    generator.send()
    generator.plug()
    assert generator.link.readlink() != before
    os.close(holder)
    reader = os.open(generator.link, os.O_RDONLY | os.O_NOCTTY)
    generator.send()
    data = b""
    while ETX not in data:
        data += os.read(reader, 4096)
    assert counters(data) == [2]
    os.close(reader)


@pytest.mark.parametrize("damage", [noise, flipped, truncated, joined, any_of([noise, flipped], 1.0)])
def test_damage_changes_a_frame_and_never_makes_another_counter_of_it(damage: Damage) -> None:
    rng = random.Random(1)
    wrong = []
    for counter in range(1, 300):
        data = frame("061861000001", counter, NOW)
        damaged = damage(data, rng)
        assert damaged != data
        wrong += [found for found in counters(damaged) if found not in (counter, None)]
    assert wrong == []


def test_a_share_of_the_frames_is_damaged() -> None:
    damage, rng = any_of([noise], 0.5), random.Random(1)
    data = frame("061861000001", 1, NOW)
    assert 20 < sum(damage(data, rng) != data for _ in range(100)) < 80
