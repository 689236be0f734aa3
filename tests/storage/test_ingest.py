"""Readings to rows, exactly once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.topics import Envelope, Topics, reading_message
from storage.ingest import Incoming, Mark, Outcome, ingest
from storage.models import Data, DeadLetter, Epoch, Gap, Meter

pytestmark = pytest.mark.django_db

TOPICS = Topics()
METER = "021861000001"
EPOCH = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"


def envelope(seq: int, **fields: Any) -> Envelope:  # any field of the envelope
    return Envelope.model_validate(
        {
            "meter": METER,
            "bridge": "pi",
            "epoch": EPOCH,
            "seq": seq,
            "floor": 1,
            "ts": "2026-11-21T10:00:00.250Z",
            "tz": "Europe/Paris",
            "mode": "standard",
            "values": {"east": 1000 + seq, "sinsts": 750},
            **fields,
        }
    )


def incoming(*envelopes: Envelope) -> list[Incoming]:
    messages = [reading_message(TOPICS, e) for e in envelopes]
    return [Incoming(m.topic, m.payload.encode()) for m in messages]


def store(*envelopes: Envelope) -> Outcome:
    return ingest(TOPICS, incoming(*envelopes))


def stored() -> list[tuple[int, int | None]]:
    return list(Data.objects.order_by("seq").values_list("seq", "east"))


def test_a_batch_becomes_rows_and_a_mark() -> None:
    assert store(envelope(1), envelope(2)) == Outcome(stored=2, marks=[Mark(METER, EPOCH, 2)])
    assert stored() == [(1, 1001), (2, 1002)]
    assert Meter.objects.values_list("meter_id", "mode", "timezone").get() == (METER, "standard", "Europe/Paris")


def test_what_comes_twice_is_stored_once_and_the_mark_is_repeated() -> None:
    store(envelope(1), envelope(2))
    assert store(envelope(2), envelope(1)) == Outcome(duplicates=2, marks=[Mark(METER, EPOCH, 2)])
    assert stored() == [(1, 1001), (2, 1002)]


def test_twice_in_one_batch_is_once() -> None:
    assert store(envelope(1), envelope(1)) == Outcome(stored=1, duplicates=1, marks=[Mark(METER, EPOCH, 1)])


def test_the_mark_stops_before_a_hole_and_passes_it_when_it_is_filled() -> None:
    assert store(envelope(1), envelope(3), envelope(4)).marks == [Mark(METER, EPOCH, 1)]
    assert store(envelope(2)).marks == [Mark(METER, EPOCH, 4)]
    assert not Gap.objects.exists()


def test_what_the_bridge_no_longer_holds_is_a_gap_and_the_mark_passes_it() -> None:
    assert store(envelope(5, floor=4)).marks == [Mark(METER, EPOCH, 3)]
    assert store(envelope(4, floor=4)).marks == [Mark(METER, EPOCH, 5)]
    assert list(Gap.objects.values_list("first", "last")) == [(1, 3)]


def test_only_what_is_missing_becomes_a_gap() -> None:
    store(envelope(1), envelope(3), envelope(6))
    assert store(envelope(7, floor=7)).marks == [Mark(METER, EPOCH, 7)]
    assert list(Gap.objects.order_by("first").values_list("first", "last")) == [(2, 2), (4, 5)]


def test_a_reading_that_was_given_up_on_and_comes_after_all_shrinks_its_gap() -> None:
    store(envelope(9, floor=9))
    assert store(envelope(4, floor=4)) == Outcome(stored=1, marks=[Mark(METER, EPOCH, 9)])
    assert list(Gap.objects.order_by("first").values_list("first", "last")) == [(1, 3), (5, 8)]


def test_each_epoch_has_its_own_mark() -> None:
    outcome = store(envelope(1), envelope(1, epoch=OTHER), envelope(2))
    assert outcome.marks == [Mark(METER, EPOCH, 2), Mark(METER, OTHER, 1)]
    assert Epoch.objects.count() == 2


def test_an_unreadable_message_is_set_aside_and_does_not_stop_its_neighbours() -> None:
    good = incoming(envelope(1))
    bad = Incoming(TOPICS.meter(METER, "reading"), b'{"v": 1, "seq": "one"}')
    assert ingest(TOPICS, [bad, *good]) == Outcome(stored=1, dead=1, marks=[Mark(METER, EPOCH, 1)])
    letter = DeadLetter.objects.get()
    assert (bytes(letter.body), letter.seq) == (bad.body, None)


def test_a_value_that_does_not_fit_its_column_is_set_aside_and_counts_as_handled() -> None:
    outcome = store(envelope(1), envelope(2, values={"east": "a lot"}), envelope(3))
    assert outcome == Outcome(stored=2, dead=1, marks=[Mark(METER, EPOCH, 3)])
    assert DeadLetter.objects.values_list("seq", "reason").get() == (2, "east: expected a number from 0 to 999999999")


def test_a_row_that_the_database_refuses_is_set_aside_and_its_neighbours_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No reading that passes the checks is refused by the database; a missing time stands in for what may come.
    def columns(e: Envelope) -> dict[str, object]:
        return {} if e.seq == 3 else {"dateTime": e.moment, "east": e.seq}

    monkeypatch.setattr("storage.ingest.columns", columns)
    outcome = store(*(envelope(seq) for seq in range(1, 6)))
    assert outcome == Outcome(stored=4, dead=1, marks=[Mark(METER, EPOCH, 5)])
    assert stored() == [(1, 1), (2, 2), (4, 4), (5, 5)]
    assert DeadLetter.objects.get().seq == 3


def test_a_batch_larger_than_one_statement_is_stored_whole() -> None:
    assert store(*(envelope(seq) for seq in range(1, 1203))).marks == [Mark(METER, EPOCH, 1202)]
    assert Data.objects.count() == 1202


def test_a_meter_that_changes_mode_keeps_its_row() -> None:
    store(envelope(1))
    store(envelope(2, mode="historique", values={"base": 1003}))
    assert Meter.objects.values_list("meter_id", "mode").get() == (METER, "historique")


def test_the_time_is_the_readings_own() -> None:
    store(envelope(1))
    assert Data.objects.get().dateTime == datetime(2026, 11, 21, 10, 0, 0, 250_000, UTC)
