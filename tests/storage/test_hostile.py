"""What no bridge sends is set aside: the batch goes on, and nothing of it breaks a log line or a database."""

from __future__ import annotations

import logging

import pytest

from bridge.topics import Topics
from storage.ingest import Incoming, Mark, Outcome, ingest
from storage.models import Data, DeadLetter, Meter
from tests.bridge.hostile import EPOCH, HOSTILE, METER, TOPIC, body

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("topic", "message", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reading_is_set_aside_and_its_neighbours_are_kept(
    topic: str, message: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    batch = [Incoming(TOPIC, body(1)), Incoming(topic, message), Incoming(TOPIC, body(2))]
    assert ingest(Topics(), batch) == Outcome(stored=2, dead=1, marks=[Mark(METER, EPOCH, 2)])
    assert list(Data.objects.order_by("seq").values_list("seq", "east", "ltarf")) == [(1, 1001, "HP"), (2, 1002, "HP")]
    assert list(Meter.objects.values_list("meter_id", flat=True)) == [METER]
    letter = DeadLetter.objects.get()
    assert (bytes(letter.body), letter.reason.startswith(reason)) == (message[:65536], True)
    # PostgreSQL refuses a NUL in a text, and a refused dead letter would be tried for ever.
    assert [text for text in (letter.topic, letter.reason) if not text.isprintable()] == []
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert line == f"A reading on {letter.topic} was set aside: {letter.reason}"


def test_all_hostile_readings_at_once_leave_the_good_ones() -> None:
    batch = [Incoming(TOPIC, body(1))]
    for number, (topic, message, _) in enumerate(HOSTILE.values(), start=2):
        batch += [Incoming(topic, message), Incoming(TOPIC, body(number))]
    good = len(HOSTILE) + 1
    assert ingest(Topics(), batch) == Outcome(stored=good, dead=len(HOSTILE), marks=[Mark(METER, EPOCH, good)])
