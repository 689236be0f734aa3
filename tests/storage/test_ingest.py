"""Readings to rows, exactly once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.envelope import Envelope, reading_message
from bridge.topics import Topics
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


def test_the_readings_that_are_new_are_handed_on() -> None:
    store(envelope(1))
    found = store(envelope(1), envelope(2)).readings
    meter = Meter.objects.get().pk
    assert [(one.meter, one.envelope, one.columns["east"]) for one in found] == [(meter, envelope(2), 1002)]


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


# --- the same number, another reading ------------------------------------------------------------


def test_a_reading_that_comes_again_with_another_floor_is_the_same() -> None:
    store(envelope(1))
    outcome = store(envelope(1, floor=1, since=1, replay=True))
    assert outcome == Outcome(duplicates=1, marks=[Mark(METER, EPOCH, 1)])


def test_another_reading_with_a_used_number_is_set_aside_and_counted() -> None:
    store(envelope(1))
    outcome = store(envelope(1, values={"east": 5, "sinsts": 750}), envelope(2))
    assert outcome == Outcome(stored=1, duplicates=1, mismatched=1, dead=1, marks=[Mark(METER, EPOCH, 2)])
    assert stored() == [(1, 1001), (2, 1002)]
    letter = DeadLetter.objects.get()
    assert (letter.seq, letter.reason) == (None, "another reading is stored as number 1 of this epoch")
    assert json.loads(bytes(letter.body))["values"]["east"] == 5


def test_two_readings_with_one_number_in_one_batch_are_told_apart() -> None:
    outcome = store(envelope(1), envelope(1, values={"east": 5}))
    assert outcome == Outcome(stored=1, duplicates=1, mismatched=1, dead=1, marks=[Mark(METER, EPOCH, 1)])


# --- what cannot be read -------------------------------------------------------------------------


def test_a_message_of_another_version_is_set_aside_under_its_number_and_the_mark_passes_it() -> None:
    [good] = incoming(envelope(1))
    newer = Incoming(good.topic, good.body.replace(b'"v":1', b'"v":2').replace(b'"seq":1', b'"seq":2'))
    assert ingest(TOPICS, [good, newer]) == Outcome(stored=1, dead=1, marks=[Mark(METER, EPOCH, 2)])
    assert DeadLetter.objects.values_list("seq", "reason").get() == (2, "v: Input should be 1")


def test_a_first_message_of_another_version_makes_the_meter_known() -> None:
    [good] = incoming(envelope(1))
    newer = Incoming(good.topic, good.body.replace(b'"v":1', b'"v":2'))
    assert ingest(TOPICS, [newer]) == Outcome(dead=1, marks=[Mark(METER, EPOCH, 1)])
    assert store(envelope(2)).marks == [Mark(METER, EPOCH, 2)]
    assert Meter.objects.values_list("meter_id", "mode", "timezone").get() == (METER, "standard", "Europe/Paris")


def test_messages_without_a_number_cannot_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.ingest._MOST_LETTERS", 3)
    bad = Incoming(TOPICS.meter(METER, "reading"), b"{}")
    assert ingest(TOPICS, [bad] * 5) == Outcome(dead=5)
    assert DeadLetter.objects.count() == 3


def test_a_zero_character_in_a_reason_is_no_trouble() -> None:
    bad = Incoming(TOPICS.meter(METER, "reading"), b'{"v": 1, "x\\u0000": 1}')
    assert ingest(TOPICS, [bad, *incoming(envelope(1))]).stored == 1
    assert "\0" not in DeadLetter.objects.get().reason


def newer(one: Envelope) -> Incoming:
    """The same message, of a version that this store cannot read."""
    [message] = incoming(one)
    return Incoming(message.topic, message.body.replace(b'"v":1', b'"v":2'))


def test_a_message_set_aside_that_lands_in_a_gap_makes_it_smaller() -> None:
    store(envelope(4, floor=4))
    assert ingest(TOPICS, [newer(envelope(2))]).dead == 1
    assert list(Gap.objects.order_by("first").values_list("first", "last")) == [(1, 1), (3, 3)]


def test_what_one_worker_can_read_and_another_cannot_is_stored_once() -> None:
    assert ingest(TOPICS, [newer(envelope(1))]).dead == 1
    assert store(envelope(1)) == Outcome(stored=1, marks=[Mark(METER, EPOCH, 1)])
    assert ingest(TOPICS, [newer(envelope(1))]) == Outcome(duplicates=1, marks=[Mark(METER, EPOCH, 1)])
    assert (stored(), DeadLetter.objects.count()) == ([(1, 1001)], 0)


# --- gaps ----------------------------------------------------------------------------------------


def test_what_went_before_anything_was_promised_is_no_gap() -> None:
    assert store(envelope(9, floor=9, since=7)).marks == [Mark(METER, EPOCH, 9)]
    assert list(Gap.objects.values_list("first", "last")) == [(7, 8)]


def test_nothing_is_missed_where_nothing_was_promised() -> None:
    assert store(envelope(9, floor=9, since=9)).marks == [Mark(METER, EPOCH, 9)]
    assert not Gap.objects.exists()


def at(seconds: float, seq: int, epoch: str = EPOCH, **fields: Any) -> Envelope:  # as above
    ts = datetime(2026, 11, 21, 10, tzinfo=UTC) + timedelta(seconds=seconds)
    return envelope(seq, ts=ts.strftime("%Y-%m-%dT%H:%M:%S.000Z"), epoch=epoch, **fields)


def stops() -> list[tuple[float, float]]:
    noon = datetime(2026, 11, 21, 10, tzinfo=UTC)
    gaps = Gap.objects.filter(reason=Gap.Reason.STOPPED).values_list("begins", "ends")
    return [
        ((begins - noon).total_seconds(), (ends - noon).total_seconds()) for begins, ends in gaps if begins and ends
    ]


def test_a_new_epoch_notes_since_when_no_bridge_ran() -> None:
    store(at(0, 1), at(1, 2))
    store(at(100, 1, OTHER), at(101, 2, OTHER))
    store(at(102, 3, OTHER))
    assert stops() == [(1.0, 100.0)]
    assert str(Gap.objects.get()).endswith(": 2026-11-21 10:00:01 - 2026-11-21 10:01:40")


def test_a_stop_is_noted_also_when_both_epochs_come_in_one_batch() -> None:
    store(at(0, 1), at(100, 1, OTHER))
    assert stops() == [(0.0, 100.0)]


def test_a_restart_of_some_seconds_is_no_gap() -> None:
    store(at(0, 1), at(20, 1, OTHER))
    assert stops() == []


def test_a_first_epoch_misses_nothing() -> None:
    store(at(0, 1))
    assert stops() == []


def test_what_the_bridge_had_spooled_before_it_stopped_makes_the_gap_shorter() -> None:
    store(at(0, 1), at(100, 1, OTHER))
    store(at(50, 2, replay=True))
    assert stops() == [(50.0, 100.0)]
    store(at(60, 3, replay=True), at(40, 4, replay=True))
    assert stops() == [(60.0, 100.0)]
    store(at(90, 5, replay=True))
    assert stops() == []
