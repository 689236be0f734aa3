"""The topic law, both ways; the reading message, strict and bounded."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.tic.catalogue import FIELDS, Mode
from bridge.tic.models import MODELS
from bridge.tic.values import (
    SUMMER,
    DayProfile,
    PhaseLoss,
    Relays,
    StatusRegister,
    Switch,
    Value,
    read_stamp,
)
from bridge.topics import (
    MAX_PAYLOAD,
    Envelope,
    EnvelopeError,
    Message,
    Topics,
    Watermark,
    attributes,
    is_level,
    payload,
    read_envelope,
    read_watermark,
    reading_message,
    sent_again,
    watermark_message,
    write_ts,
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
LEVELS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def read(**changes: Any) -> Envelope:
    body = {key: value for key, value in {**BODY, **changes}.items() if value != "(absent)"}
    return read_envelope(TOPICS, f"linky/{METER}/reading", json.dumps(body).encode())


# --- topics --------------------------------------------------------------------------------------


def test_each_topic_stands_under_the_base_topic() -> None:
    assert [
        TOPICS.bridge("pi", "status"),
        TOPICS.store("pi", "status"),
        TOPICS.meter(METER, "sinsts"),
        TOPICS.meter(METER, "reading/ack"),
        Topics("maison").meter("cave", "event"),
    ] == [
        "linky/bridge/pi/status",
        "linky/store/pi/status",
        f"linky/{METER}/sinsts",
        f"linky/{METER}/reading/ack",
        "maison/cave/event",
    ]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (METER, True),
        ("Cave-2_b", True),
        ("x" * 64, True),
        ("", False),
        ("x" * 65, False),
        ("a/b", False),
        ("+", False),
        ("#", False),
        ("cavé", False),
        ("a b", False),
        (f"{METER}\n", False),
    ],
)
def test_a_level_holds_letters_digits_dashes_and_nothing_else(text: str, level: bool) -> None:
    assert is_level(text) is level


@pytest.mark.parametrize(
    ("topic", "meter"),
    [
        (f"linky/{METER}/sinsts", METER),
        (f"linky/{METER}/smaxsn/attributes", METER),
        (f"linky/{METER}", METER),
        ("linky/bridge/pi/status", None),
        ("linky/store/pi/status", None),
        (f"maison/{METER}/sinsts", None),
        ("linky//sinsts", None),
        ("linky/a b/sinsts", None),
        ("linky", None),
        ("", None),
    ],
)
def test_a_topic_tells_its_meter(topic: str, meter: str | None) -> None:
    assert TOPICS.meter_of(topic) == meter


@given(LEVELS, LEVELS.filter(lambda level: level not in ("bridge", "store")), LEVELS)
def test_topic_to_meter_and_back(base: str, meter: str, leaf: str) -> None:
    topics = Topics(base)
    assert topics.meter_of(topics.meter(meter, leaf)) == meter
    assert topics.meter_of(topics.bridge(meter, leaf)) is None
    assert topics.meter_of(topics.store(meter, leaf)) is None


def test_every_slug_is_a_topic_level_and_no_leaf_of_our_own() -> None:
    taken = {"status", "event", "reading", "alert"}
    assert [row.slug for row in FIELDS if not is_level(row.slug) or row.slug in taken] == []


# --- payloads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (0, "0"),
        (-5, "-5"),
        (True, "ON"),
        (False, "OFF"),
        (None, "None"),
        ("HP BLEU", "HP BLEU"),
        ("", "None"),  # an empty retained message deletes a topic
        (DayProfile.of(()), "None"),
        (12.5, "12.5"),
        (12.0, "12"),
        (METER, METER),
        (datetime(2019, 9, 22, 17, 31, 34, tzinfo=SUMMER), "2019-09-22T17:31:34+02:00"),
        (StatusRegister(0x003A0001), "003A0001"),
        (Relays(140), "140"),
        (PhaseLoss(0x0E), "0E"),
        (DayProfile.of((Switch("00:00", 0xC001), Switch("06:20", 0x8002))), "0000C001 06208002"),
    ],
)
def test_a_payload_is_plain_text(value: Value, text: str) -> None:
    assert payload(value) == text


@given(st.sampled_from(Mode).flatmap(values_of))
def test_no_payload_is_empty_or_longer_than_home_assistant_keeps(values: dict[str, Value]) -> None:
    assert [slug for slug, value in values.items() if not 0 < len(payload(value)) <= 255] == []


def test_attributes_tell_when_and_how_sure() -> None:
    assert [attributes(read_stamp(raw)) for raw in ("E190922090032", "h200213085118")] == [
        {"stamp": "2019-09-22T09:00:32+02:00", "degraded": False},
        {"stamp": "2020-02-13T08:51:18+01:00", "degraded": True},
    ]


# --- the reading message -------------------------------------------------------------------------


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


# --- the watermark -------------------------------------------------------------------------------

MARK = Watermark(epoch=BODY["epoch"], seq=7, batch_seconds=10.0)


def test_a_watermark_reads_back_whole() -> None:
    message = watermark_message(TOPICS, METER, MARK)
    assert (message.topic, message.retain, message.qos) == (f"linky/{METER}/reading/ack", True, 1)
    assert read_watermark(TOPICS, message.topic, message.payload.encode()) == (METER, MARK)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (f"linky/{METER}/reading", b"{}"),
        ("linky/bridge/reading/ack", MARK.model_dump_json().encode()),
        (f"linky/{METER}/reading/ack", b""),
        (f"linky/{METER}/reading/ack", b"[" * 1000),
        (f"linky/{METER}/reading/ack", b"[" * 100_000),
        (f"linky/{METER}/reading/ack", MARK.model_dump_json().replace("7", "-7").encode()),
        (f"linky/{METER}/reading/ack", MARK.model_dump_json().replace("7", "1" * 5000).encode()),
        (f"linky/{METER}/reading/ack", MARK.model_dump_json().replace("10.0", "NaN").encode()),
        (f"linky/{METER}/reading/ack", MARK.model_dump_json().replace(MARK.epoch, "x").encode()),
        (f"linky/{METER}/reading/ack", MARK.model_dump_json().replace("seq", "sec").encode()),
    ],
)
def test_what_is_no_watermark_is_none(topic: str, body: bytes) -> None:
    assert read_watermark(TOPICS, topic, body) is None


def test_a_stores_status_tells_whose_it_is() -> None:
    assert TOPICS.store_of("linky/store/db-7/status") == "db-7"
    for other in ("linky/store/db-7/info", "linky/store/status", "linky/bridge/pi/status", "linky/store/a/b/status"):
        assert TOPICS.store_of(other) is None


def test_the_moment_is_an_aware_instant() -> None:
    assert read().moment == datetime(2026, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC)


def test_ts_is_written_in_utc_with_milliseconds() -> None:
    assert write_ts(datetime(2026, 1, 15, 12, 0, 0, 250_999, tzinfo=UTC)) == "2026-01-15T12:00:00.250Z"


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


# --- the watermark -------------------------------------------------------------------------------


def test_the_store_acknowledges_with_a_retained_watermark() -> None:
    mark = Watermark(epoch=EPOCH, seq=7, batch_seconds=10.0)
    assert watermark_message(TOPICS, METER, mark) == Message(
        topic=f"linky/{METER}/reading/ack",
        payload=f'{{"epoch":"{EPOCH}","seq":7,"batch_seconds":10.0}}',
        retain=True,
        qos=1,
    )


@pytest.mark.parametrize("wrong", [{"seq": -1}, {"seq": "7"}, {"batch_seconds": -1}, {"epoch": 1}, {"foo": 1}])
def test_a_watermark_is_as_strict(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Watermark.model_validate({"epoch": EPOCH, "seq": 7, "batch_seconds": 10.0, **wrong})
