"""The `reading` message as the store reads it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.envelope import Envelope, EnvelopeError, read_envelope, reading_message
from bridge.tic.catalogue import Mode
from bridge.tic.models import MODELS
from bridge.topics import (
    MAX_PAYLOAD,
    Message,
    Topics,
    sent_again,
)
from tests.bridge.readings import values_of
from tests.bridge.wire import METER

TOPICS = Topics("linky")
EPOCH = "00000000-0000-4000-8000-000000000001"
BODY: dict[str, Any] = {
    "v": 1,
    "meter": METER,
    "bridge": "pi",
    "epoch": EPOCH,
    "seq": 7,
    "floor": 1,
    "ts": "2026-01-15T12:00:00.250Z",
    "clock": "host",
    "tz": "Europe/Paris",
    "replay": False,
    "mode": "standard",
    "values": {
        "adsc": METER,
        "sinsts": 530,
        "msg1": "PAS DE MESSAGE",
        "dpm1": None,
        "pjourf_next": [{"at": "06:20", "index": None, "contact": "open", "virtual": [1, 7]}],
    },
    "derived": {"over_power": False, "tariff_index": 2, "tempo_today": None},
    "stamps": {"smaxsn": "E190922090032"},
    "extra": {"GAZ": "0000001"},
}


def read(**changes: Any) -> Envelope:
    body = {key: value for key, value in {**BODY, **changes}.items() if value != "(absent)"}
    return read_envelope(TOPICS, f"linky/{METER}/reading", json.dumps(body).encode())


def test_a_reading_message_reads_back_whole() -> None:
    envelope = read()
    message = reading_message(TOPICS, envelope)
    assert (message.topic, message.retain, message.qos) == (f"linky/{METER}/reading", False, 1)
    assert json.loads(message.payload) == {**BODY, "since": 1}
    assert read_envelope(TOPICS, message.topic, message.payload.encode()) == envelope


def test_what_may_be_left_out_has_its_default() -> None:
    optional = dict.fromkeys(("v", "since", "clock", "replay", "derived", "stamps", "extra"), "(absent)")
    assert read(**optional) == read(v=1, since=1, clock="host", replay=False, derived={}, stamps={}, extra={})


def test_what_the_spool_keeps_is_sent_with_what_is_true_at_that_moment() -> None:
    envelope = read(floor=3, since=2, replay=True)
    message = sent_again(
        TOPICS, METER, envelope.model_dump_json(exclude={"floor", "since", "replay"}), 3, 2, replay=True
    )
    assert message == Message(f"linky/{METER}/reading", message.payload, retain=False, qos=1)
    assert read_envelope(TOPICS, message.topic, message.payload.encode()) == envelope


def test_the_moment_is_an_aware_instant() -> None:
    assert read().moment == datetime(2026, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"meter": "(absent)"}, "meter: Field required"),
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"v": 2}, "v: Input should be 1"),
        ({"meter": "a/b"}, "meter: String should match pattern '^[A-Za-z0-9_-]{1,64}$'"),
        ({"meter": "a\n"}, "meter: String should match pattern '^[A-Za-z0-9_-]{1,64}$'"),
        ({"seq": 0}, "seq: Input should be greater than or equal to 1"),
        ({"seq": 2**53}, "seq: Input should be less than 9007199254740992"),
        ({"seq": "7"}, "seq: Input should be a valid integer"),
        ({"seq": 7.0}, "seq: Input should be a valid integer"),
        ({"floor": 0}, "floor: Input should be greater than or equal to 1"),
        ({"clock": "sun"}, "clock: Input should be 'host', 'meter' or 'unsure'"),
        ({"mode": "x"}, "mode: Input should be 'historique' or 'standard'"),
        ({"ts": "2026-02-30T12:00:00.250Z"}, "ts: day is out of range for month"),
        ({"values": {"PAPP": 1}}, "values.PAPP.[key]: String should match pattern '^[a-z0-9_]{1,32}$'"),
        ({"values": {f"x{n}": n for n in range(161)}}, "values: Dictionary should have at most 160 items after"),
        ({"stamps": {"date": "x"}}, "stamps.date: String should match pattern '^[HEhe ][0-9]{12}$'"),
        ({"extra": {"A": "x" * 129}}, "extra.A: String should have at most 128 characters"),
    ],
)
def test_a_message_that_breaks_the_law_is_refused_with_the_reason(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        read(**change)
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "A" + EPOCH[1:]},
        {"epoch": "1"},
        {"ts": "2026-01-15T12:00:00Z"},
        {"ts": "2026-01-15T12:00:00.250+01:00"},
        {"tz": ""},
        {"values": {"sinsts": 2**31}},
        {"values": {"sinsts": -1e12}},
        {"values": {"sinsts": [1, 2]}},
        {"values": {"msg1": "x" * 129}},
        {"values": {"pjourf_next": [{"at": "06:20", "index": 11, "contact": "open", "virtual": []}]}},
        {"values": {"pjourf_next": [{"at": "06:20", "index": 1, "contact": "ajar", "virtual": []}]}},
        {"derived": {"tempo_today": [1]}},
        {"extra": {"": "x"}},
        {"extra": {f"X{n}": "1" for n in range(33)}},
    ],
)
def test_everything_that_comes_from_outside_has_a_limit(change: dict[str, Any]) -> None:
    with pytest.raises(EnvelopeError):
        read(**change)


def test_a_meter_speaks_on_its_own_topic_only() -> None:
    with pytest.raises(EnvelopeError, match=r"^the meter in the topic is not the meter in the message$"):
        read_envelope(TOPICS, "linky/other/reading", json.dumps(BODY).encode())


def test_a_message_too_large_is_not_even_parsed() -> None:
    with pytest.raises(EnvelopeError, match=f"^{MAX_PAYLOAD + 1} bytes, more than {MAX_PAYLOAD}$"):
        read_envelope(TOPICS, f"linky/{METER}/reading", b"x" * (MAX_PAYLOAD + 1))


@given(st.binary(max_size=400) | st.recursive(st.none() | st.text(), st.lists).map(lambda j: json.dumps(j).encode()))
def test_garbage_is_refused_and_nothing_else(body: bytes) -> None:
    with suppress(EnvelopeError):
        read_envelope(TOPICS, f"linky/{METER}/reading", body)


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        read_envelope(TOPICS, f"linky/{METER}/reading", b"[" * MAX_PAYLOAD)


@given(st.sampled_from(Mode).flatmap(lambda mode: values_of(mode).map(MODELS[mode].model_validate)))
def test_every_value_of_the_table_passes_through_a_message(reading: Any) -> None:
    envelope = read(mode=reading.mode, values=reading.to_json())
    assert json.loads(envelope.model_dump_json())["values"] == reading.to_json()


# --- each key once -------------------------------------------------------------------------------


def plain(changes: dict[bytes, bytes] | None = None) -> bytes:
    """A message as a bridge writes it."""
    values: dict[str, Any] = {
        "east": 1,
        "pjourf_next": [{"at": "06:00", "index": 2, "contact": "unchanged", "virtual": [1]}],
    }
    envelope = Envelope(
        meter="021861000001", bridge="pi", epoch="11111111-2222-4333-8444-555555555555", seq=1, floor=1,
        ts="2026-11-21T10:00:00.250Z", tz="Europe/Paris", mode=Mode.STANDARD, values=values,
        derived={"breaker": "closed"}, stamps={"date": "H261121110000"}, extra={"NEW": "1"},
    )  # fmt: skip
    body = envelope.model_dump_json().encode()
    for old, new in (changes or {}).items():
        assert old in body
        body = body.replace(old, new)
    return body


def test_what_a_bridge_writes_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.envelope._each_once", None)  # which would not do
    assert read_envelope(Topics(), "linky/021861000001/reading", plain()).values["east"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {b'"NEW":"1"': b'"NEW":"say \\":"'},
        {b'"east":1': b'"east" : 1'},
        {b'"NEW":"1"': b'"NEW":"a\\"  :b"'},
    ],
)
def test_a_text_that_looks_like_keys_and_blanks_are_no_harm(changes: dict[bytes, bytes]) -> None:
    assert read_envelope(Topics(), "linky/021861000001/reading", plain(changes)).values["east"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {b'"east":1': b'"east":2,"east":1'},
        {b'"east":1': b'"east":2,"east" :1'},
        {b'"east":1': b'"east"\n:2,"east"\t:1'},
        {b'"east":1': b'"\\u0065ast":2,"east":1'},
        {b'"seq":1': b'"seq":2,"seq":1'},
        {b'"at":"06:00"': b'"at":"07:00","at":"06:00"'},
    ],
)
def test_a_key_that_stands_twice_is_seen_however_it_is_written(changes: dict[bytes, bytes]) -> None:
    with pytest.raises(EnvelopeError, match="a key stands twice"):
        read_envelope(Topics(), "linky/021861000001/reading", plain(changes))
