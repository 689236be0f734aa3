"""What happened, as one reading after the other tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.envelope import Envelope
from bridge.events import KINDS
from storage.columns import columns
from storage.events import Kind, Memory
from storage.ingest import Stored

NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
PARIS = "Europe/Paris"
Said = tuple[Mapping[str, Any], Mapping[str, Any]]  # values, derived
Told = list[tuple[str, dict[str, Any]]]


def reading(at: datetime, values: Mapping[str, Any], derived: Mapping[str, Any] | None = None, **more: Any) -> Stored:
    """A stored reading of meter 1; `more` are fields of the envelope."""
    envelope = Envelope.model_validate(
        {
            "meter": "021861000001", "bridge": "pi", "epoch": "11111111-2222-4333-8444-555555555555", "seq": 1,
            "floor": 1, "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "tz": PARIS,
            "mode": "standard", "values": dict(values), "derived": dict(derived or {}), **more,
        }
    )  # fmt: skip
    return Stored(1, envelope, columns(envelope))


def told(rows: Sequence[Said], *, every: float = 2.0, start: datetime = NOON) -> list[Told]:
    """What each reading tells; in between the memory goes to the database and back."""
    kept: dict[str, Any] = {}
    found = []
    for n, (values, derived) in enumerate(rows):
        memory = Memory(kept)
        happened = memory.take(reading(start + n * timedelta(seconds=every), values, derived), PARIS)
        found.append([(str(kind), dict(attributes)) for kind, attributes in happened])
        kept = json.loads(json.dumps(memory.keep()))
    return found


RISK = {"breaker_seconds_to_trip": 90, "breaker_margin": -500}
CASES: list[tuple[list[Said], list[Told]]] = [
    (
        [({}, {"tariff_index": 1}), ({}, {}), ({}, {"tariff_index": 2, "tariff_period": "HP"})],
        [[], [], [("tariff_change", {"before": 1, "after": 2, "tariff_period": "HP"})]],
    ),
    (
        [({}, {"over_power": True}), ({}, {"over_power": False}), ({}, {"over_power": True, "power_used_percent": 9})],
        [[], [], [("over_power", {"power_used_percent": 9})]],
    ),
    ([({}, {}), ({}, RISK), ({}, RISK)], [[], [("trip_risk", {"seconds": 90, "margin": -500})], []]),
    ([({}, {}), ({"pejp": 30}, {}), ({"pejp": 29}, {})], [[], [("peak_notice", {"minutes": 30})], []]),
    # One reading that falls may be wrong; when the next agrees with it the index began anew.
    (
        [({"east": 9_000_000}, {}), ({"east": 5}, {}), ({"east": 6}, {}), ({"east": 7}, {})],
        [[], [], [("index_reset", {"field": "east", "before": 9_000_000, "after": 5})], []],
    ),
    ([({"east": 9_000_000}, {}), ({"east": 5}, {}), ({"east": 9_000_001}, {}), ({"east": 6}, {})], [[], [], [], []]),
    # What another bridge says of a moment ago is no reset.
    ([({"east": 9_000_000}, {}), ({"east": 8_999_995}, {}), ({"east": 8_999_995}, {})], [[], [], []]),
    (
        [({}, {"tempo_tomorrow": None}), ({}, {"tempo_tomorrow": "rouge"}), ({}, {"tempo_tomorrow": "rouge"})],
        [[], [("tempo_known", {"day": "2026-11-22", "colour": "rouge"})], []],
    ),
    # Known and doubted and known again is told once; what was known before we looked is not told.
    ([({}, {"tempo_tomorrow": word}) for word in (None, "blanc", None, "blanc")],
     [[], [("tempo_known", {"day": "2026-11-22", "colour": "blanc"})], [], []]),
    ([({}, {"tempo_tomorrow": "bleu"}), ({}, {"tempo_tomorrow": "bleu"})], [[], []]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), CASES)
def test_each_event_is_told_once_by_the_reading_that_shows_it(rows: list[Said], expected: list[Told]) -> None:
    assert told(rows) == expected


def test_a_risk_is_told_again_after_a_minute_without() -> None:
    rows: list[Said] = [({}, {}), ({}, RISK), ({}, {"breaker_seconds_to_trip": None}), ({}, RISK)]
    assert [len(one) for one in told(rows, every=50.0)] == [0, 1, 0, 1]
    assert [len(one) for one in told(rows, every=20.0)] == [0, 1, 0, 0]


def test_the_colour_of_a_new_day_is_told_though_it_is_the_same_word() -> None:
    words = ("rouge", None, "rouge")
    found = told([({}, {"tempo_tomorrow": word}) for word in words], every=12 * 3600.0)
    assert found == [[], [], [("tempo_known", {"day": "2026-11-23", "colour": "rouge"})]]


def test_at_six_yesterdays_word_is_not_the_next_days() -> None:
    """The day changes by our clock, the word some seconds later by the meter's."""
    before = datetime(2026, 11, 22, 4, 59, 59, tzinfo=UTC)  # 05:59:59 in Paris
    words = ("blanc", "rouge", "rouge", "rouge", None)
    found = told([({}, {"tempo_tomorrow": word}) for word in words], start=before, every=0.8)
    assert found == [[], [("tempo_known", {"day": "2026-11-22", "colour": "rouge"})], [], [], []]


def test_what_was_never_looked_at_is_kept_as_nothing() -> None:
    assert Memory().keep() == {}


def test_the_words_of_the_bridge_are_ours() -> None:
    of_the_line = {"mode_switch", "meter_change"}  # of a line, not of a meter's readings
    assert set(KINDS) - of_the_line <= {str(kind) for kind in Kind}
