"""storage.required: a reading that is not whole leaves no row, and nothing waits for it."""

from __future__ import annotations

import logging
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bridge.envelope import Envelope
from storage.batch import Writer
from storage.columns import columns
from storage.ingest import Mark, Outcome, ingest
from storage.models import Data, DeadLetter, Dirty, Epoch, Gap, Meter
from storage.selection import Selection
from tests.storage.test_ingest import EPOCH, METER, OTHER, TOPICS, at, envelope, incoming, newer, stops

pytestmark = pytest.mark.django_db

POWER = Selection(required=("sinsts",))
# What the first tutorial wanted of a frame: seed-features.md, row T1.
TUTORIAL = Selection(required=(
    "date", "ltarf", "east", "easf01", "easf02", "easd01", "easd02", "easd03", "easd04",
    "sinsts", "sinsts1", "sinsts2", "sinsts3",
))  # fmt: skip


def whole(seq: int, **fields: Any) -> Envelope:  # any field of the envelope
    return envelope(seq, **fields)


def half(seq: int, **fields: Any) -> Envelope:  # as above
    return envelope(seq, values={"east": 1000 + seq}, **fields)


def store(*envelopes: Envelope, selection: Selection = POWER) -> Outcome:
    outcome = ingest(TOPICS, incoming(*envelopes), selection)
    outcome.missed.clear()
    return outcome


def lacking() -> list[tuple[int | None, int | None]]:
    gaps = Gap.objects.filter(reason=Gap.Reason.LACKING).order_by("first")
    return list(gaps.values_list("first", "last"))


def given_up() -> list[tuple[int | None, int | None]]:
    return list(Gap.objects.filter(reason=Gap.Reason.DROPPED).order_by("first").values_list("first", "last"))


def seqs() -> list[int]:
    return list(Data.objects.order_by("seq").values_list("seq", flat=True))


def test_a_reading_that_lacks_something_is_handled_and_no_row() -> None:
    assert store(whole(1), half(2), whole(3)) == Outcome(stored=2, lacking=1, marks=[Mark(METER, EPOCH, 3)])
    assert (seqs(), lacking()) == ([1, 3], [(2, 2)])


def test_days_of_such_readings_are_one_gap() -> None:
    for start in range(1, 2000, 100):
        outcome = store(*(half(seq) for seq in range(start, start + 100)))
        assert outcome == Outcome(lacking=100, marks=[Mark(METER, EPOCH, start + 99)])
    assert (seqs(), lacking()) == ([], [(1, 2000)])
    assert Gap.objects.count() == 1


def test_a_gap_grows_on_both_sides_and_two_become_one() -> None:
    store(half(2), half(5))
    assert lacking() == [(2, 2), (5, 5)]
    assert store(half(1), half(3)).marks == [Mark(METER, EPOCH, 3)]
    assert lacking() == [(1, 3), (5, 5)]
    assert store(half(4)).marks == [Mark(METER, EPOCH, 5)]
    assert lacking() == [(1, 5)]


def test_what_comes_again_is_counted_as_such() -> None:
    store(half(1), half(2))
    assert store(half(2), half(2), half(3)) == Outcome(lacking=1, duplicates=2, marks=[Mark(METER, EPOCH, 3)])
    assert lacking() == [(1, 3)]


def test_what_was_stored_before_more_was_required_stays() -> None:
    store(half(1), whole(2), selection=Selection())
    assert store(half(1)) == Outcome(duplicates=1, marks=[Mark(METER, EPOCH, 2)])
    assert (seqs(), lacking()) == ([1, 2], [])


@pytest.mark.parametrize("first", [1, 3])  # handled already, or waiting behind a hole
def test_what_comes_again_when_less_is_required_is_stored_and_no_gap(first: int) -> None:
    store(*(half(seq) for seq in range(first, first + 3)))
    assert store(half(first + 1), selection=Selection()).stored == 1
    assert (seqs(), lacking()) == ([first + 1], [(first, first), (first + 2, first + 2)])
    assert store(half(1), half(2)).marks == [Mark(METER, EPOCH, first + 2)]


def test_a_late_reading_that_was_given_up_on_is_lacking_instead() -> None:
    store(whole(9, floor=9))
    assert given_up() == [(1, 8)]
    assert store(half(4, floor=4)) == Outcome(lacking=1, marks=[Mark(METER, EPOCH, 9)])
    assert (given_up(), lacking()) == ([(1, 3), (5, 8)], [(4, 4)])


def test_only_what_came_nowhere_is_given_up_on() -> None:
    store(half(3), whole(5))
    assert store(whole(8, floor=8)).marks == [Mark(METER, EPOCH, 8)]
    assert (given_up(), lacking()) == ([(1, 2), (4, 4), (6, 7)], [(3, 3)])


def test_a_message_that_cannot_be_read_takes_its_number_out_of_the_gap() -> None:
    store(half(1), half(2), half(3))
    assert ingest(TOPICS, [newer(whole(2))], POWER).dead == 1
    assert (lacking(), DeadLetter.objects.get().seq) == ([(1, 1), (3, 3)], 2)
    assert store(half(2)) == Outcome(duplicates=1, marks=[Mark(METER, EPOCH, 3)])


def test_a_bridge_that_reads_ran_even_if_nothing_is_stored() -> None:
    store(at(0, 1))
    store(half(1, epoch=OTHER, ts="2026-11-21T10:01:40.000Z"))
    store(at(200, 2, OTHER))
    assert stops() == [(0.0, 100.0)]


def test_nothing_is_marked_for_roll_ups() -> None:
    store(half(1))
    assert not Dirty.objects.exists()


# --- what is required ----------------------------------------------------------------------------


def frame(**changes: Any) -> Envelope:  # values of a frame; None takes one away
    values: dict[str, Any] = {
        "ltarf": "HC", "east": 3, "easf01": 1, "easf02": 2, "easd01": 1, "easd02": 2, "easd03": 0, "easd04": 0,
        "sinsts": 900, "sinsts1": 300, "sinsts2": 300, "sinsts3": 300, "umoy1": 231, **changes,
    }  # fmt: skip
    values = {slug: value for slug, value in values.items() if value is not None}
    return envelope(1, values=values, stamps={} if "date" in changes else {"date": "H261121110000"})


def missed(one: Envelope, selection: Selection = TUTORIAL) -> tuple[str, ...]:
    return selection.missed(one, columns(one))


def test_the_tutorials_frame_has_all_thirteen_labels() -> None:
    assert len(TUTORIAL.required) == 13
    assert missed(frame()) == ()


@pytest.mark.parametrize("label", TUTORIAL.required)
def test_the_tutorials_frame_lacks_each_label_that_is_not_there(label: str) -> None:
    assert missed(frame(**{label: None})) == (label,)


def test_a_single_phase_meter_stores_nothing_when_three_phases_are_required() -> None:
    one = frame(sinsts1=None, sinsts2=None, sinsts3=None)
    assert missed(one) == ("sinsts1", "sinsts2", "sinsts3")
    assert ingest(TOPICS, incoming(one), TUTORIAL).lacking == 1
    assert not Data.objects.exists()


def test_both_modes_say_what_is_required() -> None:
    one = envelope(
        1, mode="historique", values={"adco": "021861000001", "hchc": 1, "hchp": 2, "papp": 700, "ptec": "HC"}
    )
    assert missed(one, Selection(required=("adsc", "east", "easf01", "sinsts", "ltarf"))) == ()


def test_fields_beyond_the_columns_and_derived_ones_may_be_required() -> None:
    one = frame().model_copy(update={"derived": {"tempo_today": "bleu", "tempo_tomorrow": None}})
    assert missed(one, Selection(required=("umoy1", "umoy2", "tempo_today", "tempo_tomorrow"))) == (
        "umoy2", "tempo_tomorrow",
    )  # fmt: skip


# --- what is said --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # the writer lets go of a connection that a test's transaction would hold
def test_what_is_left_out_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="ticbridge.store")
    now = [1000.0]
    writer = Writer(TOPICS, threading.Event(), POWER, lambda: now[0])
    for start in range(1, 121, 4):
        assert writer.write(incoming(*(half(seq) for seq in range(start, start + 4)))) is not None
        now[0] += 4.0
    assert writer.total.lacking == 120
    said = [record.getMessage() for record in caplog.records]
    text = "{} readings were left out, since storage.required was not all there (sinsts)"
    assert said == [text.format(4), text.format(60)]


# --- any order -----------------------------------------------------------------------------------


class AnyOrder(TestCase):
    """Whatever comes in whatever order, twice too, and whatever the owner changes meanwhile."""

    @settings(max_examples=30)
    @given(st.lists(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=6), max_size=6))
    def test_each_number_is_in_one_place_and_the_mark_has_no_hole_below(
        self, batches: list[list[tuple[int, bool]]]
    ) -> None:
        for model in (Data, Gap, DeadLetter, Epoch, Meter):
            model.objects.all().delete()
        came: set[int] = set()
        for batch in batches:
            # A number always says the same; what is required may change from batch to batch.
            is_strict = batch[0][1]
            [mark] = store(*(half(seq) for seq, _ in batch), selection=POWER if is_strict else Selection()).marks
            came |= {seq for seq, _ in batch}
            noted = [seq for first, last in lacking() for seq in range(first or 0, (last or 0) + 1)]
            assert sorted([*noted, *seqs()]) == sorted(came)
            assert mark.handled == next(n for n in range(14) if n + 1 not in came)
            edges = lacking()
            assert all((last or 0) + 1 < (first or 0) for (_, last), (first, _) in pairwise(edges))
