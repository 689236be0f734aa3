"""The topic law, both ways; the reading message, strict and bounded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.tic.catalogue import FIELDS, Mode
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
    Message,
    Topics,
    Watermark,
    attributes,
    is_level,
    payload,
    read_watermark,
    watermark_message,
    write_ts,
)
from tests.bridge.readings import values_of
from tests.bridge.wire import METER

TOPICS = Topics("linky")
EPOCH = "00000000-0000-4000-8000-000000000001"
LEVELS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


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


def test_ts_is_written_in_utc_with_milliseconds() -> None:
    assert write_ts(datetime(2026, 1, 15, 12, 0, 0, 250_999, tzinfo=UTC)) == "2026-01-15T12:00:00.250Z"


# --- the watermark -------------------------------------------------------------------------------

MARK = Watermark(epoch=EPOCH, seq=7, batch_seconds=10.0)


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
