"""One group: accepted, unknown or refused; the fast reading of a label against the one step by step."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.tic.catalogue import BY_LABEL, Field, Mode, Quantity
from bridge.tic.encode import encode_values
from bridge.tic.groups import MAX_GROUP
from bridge.tic.values import PARIS, Stamp, Value
from bridge.tic.verdicts import Accepted, examine, form, judge, read_groups
from tests.bridge.damage import EDITS, hurt, proven
from tests.bridge.readings import stamp_of, value_of
from tests.bridge.wire import HISTORIQUE_FRAME, STANDARD_FRAME, historique, standard

ROWS = [row for mode in Mode for row in BY_LABEL[mode].values()]
ZONES = st.sampled_from([PARIS, ZoneInfo("Indian/Reunion")])
FIELD = st.text(st.characters(max_codepoint=0x80), max_size=16)


@st.composite
def groups(draw: st.DrawFn, row: Field) -> bytes:
    """A group that should be of this label: valid, damaged, or odd with a right checksum."""
    stamps = {row.slug: draw(stamp_of(row))} if row.dated and row.quantity is not Quantity.INSTANT else {}
    group = encode_values({row.slug: draw(value_of(row))}, stamps)[2:-2]
    if draw(st.booleans()):
        group = hurt(group, draw(EDITS))
    if draw(st.integers(0, 3)) == 0:
        separator = draw(st.sampled_from("\t ")).encode()
        fields = draw(st.lists(FIELD.map(str.encode) | st.just(b"0" * row.digits), min_size=1, max_size=3))
        group = separator.join([(row.label or "").encode(), *fields, b"?"])
    return proven(group) if draw(st.booleans()) else group


def read(row: Field, group: bytes, zone: ZoneInfo) -> tuple[dict[str, Value], dict[str, Stamp]] | None:
    """What the fast reading makes of a group at a label's place: values and stamps, None when it gives up."""
    values: dict[str, Value] = {}
    stamps: dict[str, Stamp] = {}
    return None if read_groups([group], [0], [form(row, zone)], values, stamps) else (values, stamps)


def agrees(row: Field, group: bytes, zone: ZoneInfo) -> None:
    verdict = examine(group, zone)
    if isinstance(verdict, Accepted) and verdict.field is row:
        stamps = {} if verdict.stamp is None else {row.slug: verdict.stamp}
        assert read(row, group, zone) == ({row.slug: verdict.value}, stamps)
    else:
        assert read(row, group, zone) is None
    assert judge(group, zone) == verdict


@pytest.mark.parametrize("row", ROWS, ids=[row.slug for row in ROWS])
@settings(max_examples=15)
@given(data=st.data(), zone=ZONES)
def test_the_fast_reading_of_a_label_is_the_one_step_by_step(row: Field, data: st.DataObject, zone: ZoneInfo) -> None:
    agrees(row, data.draw(groups(row)), zone)


@given(st.sampled_from(ROWS), st.binary(max_size=MAX_GROUP + 2), ZONES)
def test_noise_behind_a_label_is_read_alike(row: Field, noise: bytes, zone: ZoneInfo) -> None:
    separator = b" " if row.mode is Mode.HISTORIQUE else b"\t"
    group = (row.label or "").encode() + separator + noise
    agrees(row, group, zone)
    agrees(row, proven(group), zone)


@pytest.mark.parametrize("group", [*HISTORIQUE_FRAME[2:-2].split(b"\r\n"), *STANDARD_FRAME[2:-2].split(b"\r\n")])
def test_no_label_reads_the_group_of_another(group: bytes) -> None:
    readers = [row.label for row in ROWS if read(row, group, PARIS) is not None]
    assert readers == [group.replace(b" ", b"\t").split(b"\t")[0].decode()]


@pytest.mark.parametrize(
    "group",
    [
        historique("PAPP", "00530")[:-1] + b"!",
        standard("PJOURF+1", "0000C001 " * 10 + "0000C001"),
        proven(standard("DATE", "E190922173134", "\x7f")),
        proven(b"MSG1\t" + b" " * 31 + b"\x80\t?"),
        standard("DPM1", " 200214060000", "0x"),
        standard("UMOY1", "E190922173134", "2 1"),
    ],
)
def test_groups_at_the_edge_are_read_alike(group: bytes) -> None:
    for row in ROWS:
        agrees(row, group, PARIS)
