"""The mirror of the decoder."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.tic.catalogue import BY_LABEL, BY_SLUG, Field, Mode, Quantity
from bridge.tic.decode import Decoder
from bridge.tic.encode import encode, encode_frame, encode_group, encode_values
from bridge.tic.models import Reading
from bridge.tic.values import SUMMER, StatusRegister, Value
from tests.bridge.readings import stamp_of, value_of, values_of
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME

ROWS = [row for mode in Mode for row in BY_LABEL[mode].values()]


def decoded(frame: bytes) -> Reading:
    decoded = Decoder().decode(frame)
    assert decoded.refused == ()
    assert decoded.reading is not None
    return decoded.reading


@pytest.mark.parametrize(
    ("group", "wire"),
    [
        (encode_group(Mode.HISTORIQUE, "PTEC", "HP.."), b"\nPTEC HP..  \r"),
        (encode_group(Mode.STANDARD, "VTIC", "02"), b"\nVTIC\t02\tJ\r"),
        (encode_group(Mode.STANDARD, "DATE", "", "E190922173134"), b"\nDATE\tE190922173134\t\tH\r"),
        (
            encode_group(Mode.STANDARD, "SMAXSN-1", "09562", "H200213085118"),
            b"\nSMAXSN-1\tH200213085118\t09562\t \r",
        ),
    ],
)
def test_a_group_is_written_with_its_modes_separators_and_checksum(group: bytes, wire: bytes) -> None:
    assert group == wire


def test_a_frame_is_its_groups_between_stx_and_etx() -> None:
    assert encode_frame([b"\nA 1 x\r", b"\nB 2 y\r"]) == b"\x02\nA 1 x\r\nB 2 y\r\x03"


def test_values_are_written_as_the_frame_that_the_meter_sends() -> None:
    values: dict[str, Value] = {
        "adsc": METER,
        "date": datetime(2019, 9, 22, 17, 31, 34, tzinfo=SUMMER),
        "smaxsn": 2110,
        "stge": StatusRegister(0x003A0001),
    }
    assert encode_values(values, {"smaxsn": "E190922090032"}) == encode_frame(
        [
            encode_group(Mode.STANDARD, "ADSC", METER),
            encode_group(Mode.STANDARD, "DATE", "", "E190922173134"),
            encode_group(Mode.STANDARD, "SMAXSN", "02110", "E190922090032"),
            encode_group(Mode.STANDARD, "STGE", "003A0001"),
        ]
    )


@pytest.mark.parametrize("frame", [HISTORIQUE_FRAME, STANDARD_FRAME])
def test_a_reading_is_written_as_a_frame_that_decodes_to_it(frame: bytes) -> None:
    reading = decoded(frame)
    assert decoded(encode(reading)) == reading


@pytest.mark.parametrize("row", ROWS, ids=[row.slug for row in ROWS])
@settings(max_examples=20)
@given(data=st.data())
def test_every_label_decodes_to_what_was_encoded(row: Field, data: st.DataObject) -> None:
    value = data.draw(value_of(row))
    stamps = {row.slug: data.draw(stamp_of(row))} if row.dated and row.quantity is not Quantity.INSTANT else {}
    reading = decoded(encode_values({row.slug: value}, stamps))
    assert dict(reading.values()) == {row.slug: value}
    assert {slug: stamp.raw for slug, stamp in reading.stamps.items() if slug in stamps} == stamps


@given(st.sampled_from(Mode).flatmap(values_of), stamp_of(BY_SLUG["smaxsn"]))
def test_a_whole_frame_decodes_to_what_was_encoded(values: dict[str, Value], stamp: str) -> None:
    if not values:
        return
    stamps = {slug: stamp for slug in values if BY_SLUG[slug].dated and BY_SLUG[slug].quantity is not Quantity.INSTANT}
    reading = decoded(encode_values(values, stamps))
    assert dict(reading.values()) == values
    assert decoded(encode(reading)) == reading
