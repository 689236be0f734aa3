"""A frame's bytes to its groups; the checksum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.tic.catalogue import Mode
from bridge.tic.errors import GroupError, Reason
from bridge.tic.groups import MAX_GROUP, Group, checksum, is_one_group, read_group, split_groups
from tests.bridge.wire import checksum as expected_checksum
from tests.bridge.wire import frame, historique, standard

H, S = Mode.HISTORIQUE, Mode.STANDARD

# group on the wire, what it says, and the checksum that the other mode's area would give: computed in the note
WIRE = [
    (b"ADCO 021861794834 L", Group(H, "ADCO", None, "021861794834"), b","),
    (b"PTEC HP..  ", Group(H, "PTEC", None, "HP.."), b"@"),
    (b"BBRHCJB 018328702 <", Group(H, "BBRHCJB", None, "018328702"), b"\\"),
    (b"VTIC\t02\tJ", Group(S, "VTIC", None, "02"), b"A"),
    (b"ADSC\t031861941630\t7", Group(S, "ADSC", None, "031861941630"), b"."),
    (b"DATE\tE190922173134\t\tH", Group(S, "DATE", "E190922173134", ""), b"?"),
    (b"SMAXSN-1\tH200213085118\t09562\t ", Group(S, "SMAXSN-1", "H200213085118", "09562"), b"W"),
    (b"DPM1\t 200214060000\t00\t\\", Group(S, "DPM1", " 200214060000", "00"), b"S"),
    (b"EASD01\t000000000\t ", Group(S, "EASD01", None, "000000000"), b"W"),
]


def refusal(group: bytes) -> Reason:
    with pytest.raises(GroupError) as caught:
        read_group(group)
    return caught.value.reason


@pytest.mark.parametrize(("wire", "group"), [(wire, group) for wire, group, _ in WIRE])
def test_a_group_proves_itself_by_its_checksum(wire: bytes, group: Group) -> None:
    assert read_group(wire) == group


@pytest.mark.parametrize("wire", [wire[:-1] + other for wire, _, other in WIRE])
def test_the_checksum_of_the_other_modes_area_is_wrong(wire: bytes) -> None:
    assert refusal(wire) is Reason.CHECKSUM


@given(st.binary(max_size=MAX_GROUP * 2))
def test_the_checksum_is_six_bits_of_the_sum(area: bytes) -> None:
    assert bytes([checksum(area)]) == expected_checksum(area)


@pytest.mark.parametrize(
    ("wire", "group"),
    [
        # PME-PMI dates and padded words hold blanks: the label ends at the first, the checksum stands after the last
        (historique("DATE", "13/04/21 19:56:06"), Group(H, "DATE", None, "13/04/21 19:56:06")),
        (historique("PTCOUR1", "HPH "), Group(H, "PTCOUR1", None, "HPH ")),
        (historique("X", " "), Group(H, "X", None, " ")),
        # nine characters, one more than 54E allows
        (standard("SMAXSN1-1", "E210413111148", "01084"), Group(S, "SMAXSN1-1", "E210413111148", "01084")),
        # data of a standard group may hold blanks, and be empty
        (standard("NGTF", "      BASE      "), Group(S, "NGTF", None, "      BASE      ")),
        (standard("MSG2", ""), Group(S, "MSG2", None, "")),
        # the shortest and the longest
        (standard("A", ""), Group(S, "A", None, "")),
        (standard("A", "x" * (MAX_GROUP - 4)), Group(S, "A", None, "x" * (MAX_GROUP - 4))),
    ],
)
def test_a_group_is_taken_apart_from_both_ends(wire: bytes, group: Group) -> None:
    assert read_group(wire) == group


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", Reason.SHAPE),
        (b"A 1", Reason.SHAPE),  # shorter than any group
        (b"PAPP 00530x)", Reason.SHAPE),  # no separator before the checksum
        (b"BASE 012345678", Reason.SHAPE),  # its end is lost
        (standard("PJOURF+1", "x" * MAX_GROUP), Reason.SHAPE),  # longer than any group
        (b" 00530 " + expected_checksum(b" 00530"), Reason.SHAPE),  # no label
        (b"PAPP " + expected_checksum(b"PAPP"), Reason.SHAPE),  # no data: one separator serves twice
        (standard("", "00530"), Reason.SHAPE),
        (standard("A", "x" * (MAX_GROUP - 3)), Reason.SHAPE),
        (standard("A", "B", "C", "D"), Reason.SHAPE),
        (b"STGE\t" + expected_checksum(b"STGE\t"), Reason.SHAPE),
        # two groups that a lost CR LF made one
        (standard("SMAXSN", "E210414070239", "02636", "X", "1"), Reason.SHAPE),
        (b"PAPP 00530 (", Reason.CHECKSUM),
        (b"PAPP 00630 )", Reason.CHECKSUM),
        (b"PAPP 00\x0030 )", Reason.PARITY),
        # right sum, yet characters that no label or data holds: 0x0C for CR, 0x7F, and bit 7 without its mask
        (historique("PAPP", "005\x0c0"), Reason.CHARACTERS),
        (standard("NGTF", "BASE\x7f"), Reason.CHARACTERS),
        (b"B\xc1SE 012345678 " + expected_checksum(b"B\xc1SE 012345678"), Reason.CHARACTERS),
    ],
)
def test_a_group_that_cannot_prove_itself_is_refused_for_a_reason(wire: bytes, reason: Reason) -> None:
    assert refusal(wire) is reason


@pytest.mark.parametrize(
    ("stream", "groups"),
    [
        (frame(b"A 1 x", b"B 2 y"), [b"A 1 x", b"B 2 y"]),
        (b"", []),
        (b"\x02\x03", []),
        # cut at both ends
        (b"05 z\r\nA 1 x\r\nB 2", [b"05 z", b"A 1 x", b"B 2"]),
        # broken off by EOT
        (b"\x02\nA 1 x\r\x04", [b"A 1 x"]),
        # a terminal made LF of each CR, and swallowed ETX
        (b"\x02\nA 1 x\n\nB 2 y\n", [b"A 1 x", b"B 2 y"]),
        # one of CR and LF lost inside a whole frame
        (b"\x02\nA 1 x\nB 2 y\rC 3 z\r\x03", [b"A 1 x", b"B 2 y", b"C 3 z"]),
        (b"\x02\nA 1 x\r\n\r\nB 2 y\r\x03", [b"A 1 x", b"B 2 y"]),
        # an edge of the frame lost, or one too many inside
        (b"\nA 1 x\r\x03", [b"A 1 x"]),
        (b"\x02\nA 1 x\r", [b"A 1 x"]),
        (b"\x02\nA 1\n x\r\nB 2 y\r\x03", [b"A 1", b" x", b"B 2 y"]),
        # CR LF in the wrong order, as some dumps write them
        (b"\x02A 1 x\r\nB 2 y\r\n\x03", [b"A 1 x", b"B 2 y"]),
    ],
)
def test_groups_end_at_lf_and_cr_however_they_are_mangled(stream: bytes, groups: list[bytes]) -> None:
    assert split_groups(stream) == groups


@given(st.lists(st.sampled_from([b"P", b" ", b"\n", b"\r", b"\x02", b"\x03", b"\x04", b"\x00"]), max_size=4))
def test_one_group_is_what_is_split_into_itself(pieces: list[bytes]) -> None:
    piece = b"".join(pieces)
    assert is_one_group(piece) is (split_groups(piece) == [piece])


@given(st.binary(max_size=MAX_GROUP + 10))
def test_garbage_is_refused_or_proves_itself(group: bytes) -> None:
    try:
        read = read_group(group)
    except GroupError:
        return
    fields = [read.raw] if read.stamp is None else [read.stamp, read.raw]
    assert group == (historique(read.label, read.raw) if read.mode is H else standard(read.label, *fields))
