"""Readings from the broker are untrusted: what no bridge sends is refused with a reason, and nothing else happens."""

from __future__ import annotations

import pytest

from bridge.envelope import EnvelopeError, printable, read_envelope
from bridge.topics import Topics, Watermark, read_watermark
from tests.bridge.hostile import EPOCH, HOSTILE, HOSTILE_MARKS, METER, TOPIC, body, mark


def test_the_reading_beside_the_hostile_ones_is_right() -> None:
    assert read_envelope(Topics(), TOPIC, body(9)).seq == 9


@pytest.mark.parametrize(("topic", "message", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reading_is_refused_with_a_short_reason_that_can_be_printed(
    topic: str, message: bytes, reason: str
) -> None:
    with pytest.raises(EnvelopeError) as caught:
        read_envelope(Topics(), topic, message)
    said = str(caught.value)
    assert said.startswith(reason)
    assert (len(said) < 255, said.isprintable()) == (True, True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Énergie soutirée", "Énergie soutirée"),
        ("a\nb\x00c\x1b[0m", "a\ufffdb\ufffdc\ufffd[0m"),
        ("\ud800x", "\ufffdx"),
        ("x" * 200, "x" * 20),
    ],
)
def test_text_from_outside_is_cut_and_made_printable(text: str, shown: str) -> None:
    assert printable(text, 20) == shown


def test_the_watermark_beside_the_hostile_ones_is_right() -> None:
    right = Watermark(epoch=EPOCH, seq=9, batch_seconds=10.0)
    assert read_watermark(Topics(), f"{TOPIC}/ack", mark()) == (METER, right)


@pytest.mark.parametrize(("topic", "message"), HOSTILE_MARKS.values(), ids=HOSTILE_MARKS)
def test_a_hostile_watermark_is_none(topic: str, message: bytes) -> None:
    assert read_watermark(Topics(), topic, message) is None
