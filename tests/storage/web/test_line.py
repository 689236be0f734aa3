"""The verdict on a line, and who reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.detect import Cause
from bridge.tic.errors import Reason
from storage.operations.fleet import Bridge, Fleet, MeterCounts
from storage.web.hub import Heard
from storage.web.line import _CAUSES, _REASONS, Level, Line, line_of, unnamed, verdict
from storage.web.said import said_live
from tests.storage.operations.samples import INFO, told
from tests.storage.web.samples import METER, STANDARD, envelope

COUNTS = {"meter": METER, "source": "/dev/ttyUSB0", "source_open": True, "frames": 9, "decoded": 9, "accepted": 9}


def counts(**changes: Any) -> MeterCounts:
    return MeterCounts.model_validate(COUNTS | changes)


def fleet(*meters: dict[str, Any], status: str = "online") -> Fleet:
    return told(("bridge/pi/status", status), ("bridge/pi/info", json.dumps(INFO | {"meters": meters})))


@pytest.mark.parametrize(
    ("line", "level", "sentence", "advice", "detail"),
    [
        (
            Line(quality=100, rate=64.0), Level.GOOD,
            "The line is good: 100\N{NO-BREAK SPACE}% of the groups arrive whole, 64 frames a minute.", "", "",
        ),
        (
            Line(quality=97, rate=60, counts=counts(refused={"parity": 9, "index": 1, "unconfirmed": 99})), Level.FAIR,
            "The line is fair: 97\N{NO-BREAK SPACE}% of the groups arrive whole", "Characters arrive damaged", "",
        ),
        (
            Line(quality=60, rate=60, counts=counts(refused={"parity": 1, "index": 3})), Level.BAD,
            "The line is bad: only 60\N{NO-BREAK SPACE}%", "Values come that cannot be", "",
        ),
        (Line(quality=98, rate=60, counts=counts(refused={"stamp": 3})), Level.FAIR, "The", "The meter sends what", ""),
        (Line(quality=100, rate=5), Level.FAIR, "What arrives is whole, but it is little: 5 frames", "A Linky", ""),
        (Line(quality=100, rate=60, online=False), Level.BAD, "No valid frame has come", "Are the wires", ""),
        (Line(), Level.UNKNOWN, "Nothing was heard of this meter", "Does the bridge run", ""),
        (
            Line(counts=counts(source_open=False, trouble="No such port")), Level.BAD,
            "The source of this meter cannot be read.", "Is the adapter plugged in", "No such port",
        ),
        (
            Line(counts=counts(cause="slower", trouble="No valid group"), quality=100, rate=60), Level.BAD,
            "Every character arrives damaged", "The meter seems to be in historical mode", "No valid group",
        ),
        (
            Line("pi", Bridge(online=False), counts(cause="silent"), quality=100), Level.BAD,
            "The bridge pi is not there", "Start it: ticbridge bridge.", "",
        ),
    ],
)  # fmt: skip
def test_the_verdict_says_what_why_and_what_to_do(
    line: Line, level: Level, sentence: str, advice: str, detail: str
) -> None:
    found = verdict(line)
    assert (found.level, found.detail) == (level, detail)
    assert found.sentence.startswith(sentence)
    assert found.advice.startswith(advice)
    assert bool(found.advice) is bool(advice)


def test_each_cause_and_each_reason_of_the_bridge_has_words() -> None:
    assert set(_CAUSES) == {cause.name.lower() for cause in Cause} - {"proven"}
    assert set(_REASONS) == set(Reason)


def test_refusals_are_told_by_reason_most_frequent_first() -> None:
    line = Line(counts=counts(refused={"checksum": 3, "a later one": 7}))
    assert [tuple(one) for one in line.refusals] == [
        (7, "a later one", ""),
        (3, "Wrong checksum", "a character was damaged on the way"),
    ]
    assert Line().refusals == []


def test_a_line_is_put_together_from_bridge_and_reading() -> None:
    said = said_live(envelope(STANDARD, derived={"link_quality": 99, "frames_per_minute": 61}))
    line = line_of(METER, Heard(METER, online=True), said, fleet(COUNTS | {"cause": "noise"}))
    assert (line.bridge_id, line.version, line.online, line.quality, line.rate) == ("pi", "1.0", True, 99, 61)
    assert line.since == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert line.counts == counts(cause="noise")


def test_of_two_bridges_the_one_that_is_there_reads_the_meter() -> None:
    both = told(
        ("bridge/a/status", "offline"), ("bridge/a/info", json.dumps(INFO)),
        ("bridge/b/status", "online"), ("bridge/b/info", json.dumps(INFO | {"started": "soon"})),
    )  # fmt: skip
    line = line_of(METER, None, None, both)
    assert (line.bridge_id, line.since) == ("b", None)


def test_without_a_fleet_nobody_is_known_to_read_it() -> None:
    assert line_of(METER, None, None, None) == Line()


def test_a_source_that_has_not_named_its_meter_is_told_of_while_its_bridge_is_there() -> None:
    stranger = COUNTS | {"meter": None, "trouble": "No signal"}
    assert [(name, one.trouble) for name, one in unnamed(fleet(COUNTS, stranger))] == [("pi", "No signal")]
    assert unnamed(fleet(stranger, status="offline")) == []
    assert unnamed(None) == []
