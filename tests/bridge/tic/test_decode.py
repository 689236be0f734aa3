"""Groups to a reading, and what was refused and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.tic.catalogue import BY_LABEL, Mode
from bridge.tic.decode import MAX_EXTRA, Decoded, Decoder
from bridge.tic.errors import Reason, Refused
from bridge.tic.framing import Framer
from bridge.tic.models import Historique, Standard
from tests.bridge.damage import sequences
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME, cut, frame, historique, standard

H, S = Mode.HISTORIQUE, Mode.STANDARD


def said(decoded: Decoded) -> dict[str, Any]:
    """A decoded frame as plain values, without what is as always: whole, nothing refused, no stamps."""
    reading = decoded.reading
    told: dict[str, Any] = {
        "refused": [(refused.label, refused.raw, refused.reason.value) for refused in decoded.refused],
        "changed": sorted(decoded.changed),
    }
    if reading is not None:
        told |= {
            "mode": reading.mode.value,
            "values": reading.to_json(),
            "stamps": {slug: stamp.raw for slug, stamp in reading.stamps.items()},
            "extra": dict(reading.extra),
            "complete": reading.complete,
        }
    return {key: value for key, value in told.items() if value not in ([], {}, True)}


def decode(*groups: bytes, mode: Mode | None = None) -> dict[str, Any]:
    return said(Decoder(mode).decode(frame(*groups)))


def test_a_historique_frame_gives_a_reading() -> None:
    values = {
        "adco": METER,
        "optarif": "HC",
        "isousc": 30,
        "hchc": 14460852,
        "hchp": 12506372,
        "ptec": "HP",
        "iinst": 2,
        "imax": 90,
        "papp": 530,
        "hhphc": "A",
        "motdetat": "000000",
    }
    decoded = Decoder().decode(HISTORIQUE_FRAME)
    assert decoded == Decoded(Historique(**values), (), frozenset(values))  # type: ignore[arg-type]
    assert said(decoded) == {"mode": "historique", "values": values, "changed": sorted(values)}


def test_a_standard_frame_gives_a_reading() -> None:
    decoded = Decoder().decode(STANDARD_FRAME)
    assert isinstance(decoded.reading, Standard)
    assert said(decoded) == {
        "mode": "standard",
        "values": {
            "adsc": METER,
            "vtic": "02",
            "date": "2019-09-22T17:31:34+02:00",
            "ltarf": "HEURE CREUSE",
            "east": 26967005,
            "sinsts": 530,
            "smaxsn": 2110,
            "stge": "003A0001",
            "relais": 0,
        },
        "stamps": {"date": "E190922173134", "smaxsn": "E190922090032"},
        "changed": ["adsc", "date", "east", "ltarf", "relais", "sinsts", "smaxsn", "stge", "vtic"],
    }


def test_a_three_phase_short_frame_is_complete() -> None:
    assert decode(
        historique("ADIR1", "032"),
        historique("ADCO", METER),
        historique("IINST1", "032"),
        historique("IINST2", "004"),
        historique("IINST3", "000"),
    ) == {
        "mode": "historique",
        "values": {"adco": METER, "adir1": 32, "iinst1": 32, "iinst2": 4, "iinst3": 0},
        "changed": ["adco", "adir1", "iinst1", "iinst2", "iinst3"],
    }


@pytest.mark.parametrize(
    "cut_frame",
    [
        b"\x02\n" + historique("HCHP", "019571184") + b"\r\x04",  # the meter broke off
        b"HCHC 01957\r\n" + historique("HCHP", "019571184") + b"\r\x03",  # the stream began inside the frame
        b"\x02\n" + historique("HCHP", "019571184") + b"\r",  # its ETX is lost
    ],
)
def test_a_cut_frame_keeps_its_groups_and_says_that_it_is_incomplete(cut_frame: bytes) -> None:
    told = said(Decoder().decode(cut_frame))
    told.pop("refused", None)  # the half group of the second one
    assert told == {"mode": "historique", "values": {"hchp": 19571184}, "changed": ["hchp"], "complete": False}


def test_a_terminal_in_cooked_mode_loses_the_frames_ends_but_no_group() -> None:
    # CR read as LF, ETX swallowed, as in hist_tri_base_cooked_tty
    cooked = HISTORIQUE_FRAME.replace(b"\r", b"\n").replace(b"\x03", b"")
    whole = said(Decoder().decode(HISTORIQUE_FRAME))
    assert [said(decoded) for decoded in decode_stream([cooked * 2])] == [
        {**whole, "complete": False},
        {"mode": "historique", "values": whole["values"], "complete": False},
    ]


def test_a_damaged_group_does_not_hide_its_neighbours() -> None:
    assert decode(
        historique("IINST", "002"),
        b"PAPP 00830 )",
        historique("IMAX", "090"),
    ) == {
        "mode": "historique",
        "values": {"iinst": 2, "imax": 90},
        "refused": [("PAPP", "PAPP 00830 )", "checksum")],
        "changed": ["iinst", "imax"],
    }


KEPT = historique("IINST", "002")


@pytest.mark.parametrize(
    ("group", "refused"),
    [
        (b"OT 00 #", Refused("", "OT 00 #", Reason.CHECKSUM)),  # PPOT, two characters lost
        (b"PAPP 0\x0053 )", Refused("PAPP", "PAPP 0\x0053 )", Reason.PARITY)),
        (b"PAPP 00530 (", Refused("PAPP", "PAPP 00530 (", Reason.CHECKSUM)),
        (b"SINSTS\t00530\tX", Refused("SINSTS", "SINSTS\t00530\tX", Reason.CHECKSUM)),
        (b"\xd0APP 00530 )", Refused("", "\\xd0APP 00530 )", Reason.CHARACTERS)),
        (historique("PAPP", "0530"), Refused("PAPP", "0530", Reason.LENGTH)),
        (historique("PAPP", "0053O"), Refused("PAPP", "0053O", Reason.CHARACTERS)),
        (historique("PTEC", "XX.."), Refused("PTEC", "XX..", Reason.VALUE)),
        (historique("PAPQ", "00530"), Refused("PAPQ", "00530", Reason.UNKNOWN_LABEL)),
        (historique("SINSTS", "00530"), Refused("SINSTS", "00530", Reason.UNKNOWN_LABEL)),  # the other mode's
        (standard("SINSTS", "00530"), Refused("SINSTS", "00530", Reason.MODE)),
        (standard("DATE", ""), Refused("DATE", "DATE\t\t" + chr(standard("DATE", "")[-1]), Reason.STAMP)),
        (standard("SMAXSN", "02110"), Refused("SMAXSN", "02110", Reason.STAMP)),
        (standard("SMAXSN", "E191322090032", "02110"), Refused("SMAXSN", "02110", Reason.STAMP)),
        (standard("SINSTS", "E190922090032", "00530"), Refused("SINSTS", "00530", Reason.SHAPE)),
    ],
)
def test_each_group_that_is_not_let_through_has_its_reason(group: bytes, refused: Refused) -> None:
    decoded = Decoder().decode(frame(KEPT, historique("IMAX", "090"), group))
    assert (decoded.reading, decoded.refused) == (Historique(iinst=2, imax=90), (refused,))


def test_a_long_refused_group_is_shown_by_its_beginning() -> None:
    assert decode(b"\x41" * 500) == {"refused": [("", "A" * 120, "shape")]}


def test_a_frame_of_noise_gives_no_reading() -> None:
    assert decode(b"xxxxx", b"PAPP 00830 )") == {
        "refused": [("", "xxxxx", "shape"), ("PAPP", "PAPP 00830 )", "checksum")]
    }


def test_a_label_said_twice_alike_counts_once() -> None:
    assert decode(KEPT, KEPT) == {"mode": "historique", "values": {"iinst": 2}, "changed": ["iinst"]}


def test_a_label_said_twice_with_different_data_is_not_believed() -> None:
    assert decode(historique("PAPP", "00530"), KEPT, historique("PAPP", "00870")) == {
        "mode": "historique",
        "values": {"iinst": 2},
        "refused": [("PAPP", "00530", "repeated"), ("PAPP", "00870", "repeated")],
        "changed": ["iinst"],
        "complete": False,
    }


def test_a_label_that_begins_to_contradict_itself_is_not_believed() -> None:
    decoder = Decoder()
    decoder.decode(frame(KEPT, KEPT))
    assert said(decoder.decode(frame(KEPT, historique("IINST", "003")))) == {
        "refused": [("IINST", "002", "repeated"), ("IINST", "003", "repeated")]
    }


def test_the_mode_is_told_by_most_of_the_groups() -> None:
    stray = standard("SINSTS", "00530")
    assert decode(stray, KEPT, historique("IMAX", "090"))["mode"] == "historique"
    assert decode(stray, standard("EAST", "026967005"), KEPT)["mode"] == "standard"


def test_a_mode_that_is_set_refuses_the_other() -> None:
    assert decode(KEPT, mode=S) == {"refused": [("IINST", "002", "mode")]}
    assert decode(standard("VTIC", "02"), mode=H) == {"refused": [("VTIC", "02", "mode")]}


def test_the_zone_tells_the_offset_outside_french_legal_time() -> None:
    decoded = Decoder(zone=ZoneInfo("Indian/Reunion")).decode(frame(standard("DATE", "E190922173134", "")))
    assert said(decoded)["values"] == {"date": "2019-09-22T17:31:34+04:00"}


# --- unknown labels ------------------------------------------------------------------------------


def test_an_unknown_label_is_handed_on_raw_from_its_second_sight() -> None:
    decoder = Decoder()
    frames = [frame(KEPT, historique("GAZ", f"000000{n}")) for n in range(3)]
    assert [said(decoder.decode(f)) for f in frames] == [
        {
            "mode": "historique",
            "values": {"iinst": 2},
            "refused": [("GAZ", "0000000", "unknown_label")],
            "changed": ["iinst"],
        },
        {"mode": "historique", "values": {"iinst": 2}, "extra": {"GAZ": "0000001"}},
        {"mode": "historique", "values": {"iinst": 2}, "extra": {"GAZ": "0000002"}},
    ]


def test_a_frame_of_unknown_labels_alone_gives_a_reading_from_its_second_sight() -> None:
    decoder = Decoder()
    jaune = frame(historique("JAUNE", "15:42:25:12:HP:  :01234:90"))
    assert [said(decoder.decode(jaune)) for _ in range(2)] == [
        {"refused": [("JAUNE", "15:42:25:12:HP:  :01234:90", "unknown_label")]},
        {"mode": "historique", "extra": {"JAUNE": "15:42:25:12:HP:  :01234:90"}},
    ]


def test_a_label_that_a_saphir_shares_with_a_linky_is_handed_on_raw() -> None:
    # built from the specification: its DATE has data and no horodate
    groups = (standard("LG_TRM", "TRM_COURTE"), standard("DATE", "21/03/26 09/05/12"))
    damaged = standard("EAS", "123456")[:-1] + b"~"
    decoder = Decoder()
    decoder.decode(frame(*groups))
    assert said(decoder.decode(frame(*groups, damaged))) == {
        "refused": [("", "EAS\t123456\t~", "checksum")],
        "mode": "standard",
        "extra": {"LG_TRM": "TRM_COURTE", "DATE": "21/03/26 09/05/12"},
    }
    assert decode(standard("DATE", "21/03/26 09/05/12")) == {"refused": [("DATE", "21/03/26 09/05/12", "stamp")]}


def test_no_more_than_32_unknown_labels_are_handed_on() -> None:
    decoder = Decoder()
    many = frame(*(historique(f"X{n}", "1") for n in range(MAX_EXTRA + 8)))
    decoder.decode(many)
    reading = decoder.decode(many).reading
    assert reading is not None
    assert dict(reading.extra) == {f"X{n}": "1" for n in range(32)}


def test_the_memory_of_unknown_labels_is_bounded() -> None:
    decoder = Decoder()
    first = frame(historique("GAZ", "0000001"))
    decoder.decode(first)
    for n in range(256):
        decoder.decode(frame(historique(f"X{n}", "1")))
    assert said(decoder.decode(first)) == {"refused": [("GAZ", "0000001", "unknown_label")]}


# --- what changed --------------------------------------------------------------------------------


def changes(*frames: bytes) -> list[list[str]]:
    decoder = Decoder()
    return [sorted(decoder.decode(f).changed) for f in frames]


def test_only_what_differs_from_the_frame_before_is_changed() -> None:
    def power(papp: str) -> bytes:
        return frame(KEPT, historique("PAPP", papp))

    assert changes(power("00530"), power("00530"), power("00540"), power("00540")) == [
        ["iinst", "papp"],
        [],
        ["papp"],
        [],
    ]


def test_several_changes_at_once_are_all_told() -> None:
    decoder = Decoder()
    decoder.decode(frame(KEPT, historique("PAPP", "00530")))
    assert said(decoder.decode(frame(historique("IINST", "003"), historique("PAPP", "00540")))) == {
        "mode": "historique",
        "values": {"iinst": 3, "papp": 540},
        "changed": ["iinst", "papp"],
    }


def test_a_new_stamp_is_a_change() -> None:
    first, second = (frame(standard("SMAXSN", f"E1909220900{n}", "02110")) for n in (32, 33))
    assert changes(first, second) == [["smaxsn"], ["smaxsn"]]


def test_a_change_in_a_damaged_frame_is_told_by_the_next() -> None:
    before, after = (frame(KEPT, historique("PAPP", papp)) for papp in ("00530", "00540"))
    assert changes(before, frame(KEPT, b"PAPP 00540 x"), after) == [["iinst", "papp"], [], ["papp"]]


def test_a_change_that_was_withheld_is_told_once_it_is_believed() -> None:
    old, new = historique("PAPP", "00530"), historique("PAPP", "00540")
    assert changes(frame(KEPT, old), frame(KEPT, old, new), frame(KEPT, new), frame(KEPT, new)) == [
        ["iinst", "papp"],
        [],
        ["papp"],
        [],
    ]


# --- properties ----------------------------------------------------------------------------------


def decode_stream(pieces: Iterable[bytes]) -> list[Decoded]:
    framer, decoder = Framer(), Decoder()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return [decoder.decode(frame) for frame in (*frames, *framer.flush())]


LABELS = st.sampled_from([label for mode in Mode for label in BY_LABEL[mode]])
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
STAMPS = st.from_regex(r"[HEhe ][0-9]{12}", fullmatch=True)
# groups that prove themselves, whatever they say
PLAUSIBLE = (
    st.builds(historique, LABELS | PRINTABLE, PRINTABLE)
    | st.builds(standard, LABELS | PRINTABLE, PRINTABLE)
    | st.builds(standard, LABELS, STAMPS, PRINTABLE)
)
STREAM = st.lists(st.binary(max_size=30) | PLAUSIBLE.map(frame) | PLAUSIBLE, max_size=12).map(b"".join)


@given(STREAM, st.lists(st.integers(1, 40), max_size=40))
def test_pieces_do_not_matter(data: bytes, sizes: list[int]) -> None:
    assert decode_stream(cut(data, sizes)) == decode_stream([data])


@given(st.lists(st.lists(PLAUSIBLE | st.binary(max_size=200), max_size=6).map(lambda groups: frame(*groups))))
def test_garbage_gives_only_refusals(frames: list[bytes]) -> None:
    decoder = Decoder()
    for noise in frames:
        decoded = decoder.decode(noise)
        assert decoded.reading is not None or decoded.refused or not noise.strip(b"\x02\x03\x04\r\n")


# groups of few labels, so that they repeat, contradict and damage each other
POOL = st.sampled_from([
    KEPT, historique("IINST", "003"), historique("PAPP", "00530"), historique("PAPP", "00540"), b"PAPP 00540 x",
    historique("PAPP", "0054"), historique("DEMAIN", "----"), standard("SINSTS", "00530"), standard("DATE", ""),
    standard("SMAXSN", "E190922090032", "02110"), standard("SMAXSN", "E190922090033", "02110"), b"x",
])  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.lists(POOL, max_size=4).map(lambda groups: frame(*groups)), max_size=6))
def test_what_was_decoded_before_does_not_matter(frames: list[bytes]) -> None:
    decoder = Decoder()
    for whole in frames:
        seen, fresh = decoder.decode(whole), Decoder().decode(whole)
        assert (seen.reading, seen.refused) == (fresh.reading, fresh.refused)


@settings(max_examples=300)
@given(st.lists(st.lists(POOL, max_size=4).map(lambda groups: frame(*groups)), max_size=6))
def test_who_listens_to_changes_alone_knows_the_newest_value_of_each_label(frames: list[bytes]) -> None:
    decoder = Decoder()
    heard: dict[str, object] = {}
    for whole in frames:
        decoded = decoder.decode(whole)
        if decoded.reading is not None:
            said = dict(decoded.reading.values())
            heard |= {slug: said[slug] for slug in decoded.changed}
            assert {slug: heard.get(slug) for slug in said} == said


@given(st.lists(st.sampled_from([HISTORIQUE_FRAME, STANDARD_FRAME]), max_size=5), st.data())
def test_a_remembering_decoder_says_what_a_new_one_says(frames: list[bytes], data: st.DataObject) -> None:
    decoder = Decoder()
    for whole in frames:
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:at] + bytes([data.draw(st.integers(0, 127))]) + whole[at + 1 :]
        seen, fresh = decoder.decode(damaged), Decoder().decode(damaged)
        assert (seen.reading, seen.refused) == (fresh.reading, fresh.refused)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_stray_line_end_hides_no_group_of_a_decoder_that_remembers(end: bytes) -> None:
    decoder = Decoder()
    decoder.decode(frame(KEPT, historique("PAPP", "00530")))
    stray = frame(end + KEPT, b"PA" + end + historique("PAPP", "00540"))
    assert said(decoder.decode(stray)) == {
        "mode": "historique",
        "values": {"iinst": 2, "papp": 540},
        "refused": [("", "PA", "shape")],
        "changed": ["papp"],
    }


@given(sequences())
def test_reading_only_what_changed_is_reading_it_all(frames: list[bytes]) -> None:
    decoder, anew = Decoder(), Decoder()
    heard: dict[str, object] = {}
    for sent in Framer().feed(b"".join(frames)):  # the framer's: none holds an edge of a frame inside
        seen, fresh = decoder.decode(sent), anew._decode_anew(sent)
        assert (seen.reading, seen.refused) == (fresh.reading, fresh.refused)
        assert seen.changed <= fresh.changed
        said = dict(seen.reading.values()) if seen.reading is not None else {}
        heard |= {slug: said[slug] for slug in seen.changed}
        assert {slug: heard.get(slug) for slug in said} == said


@pytest.mark.parametrize("lost", [b"\r", b"\n"])
def test_two_groups_that_lost_their_edge_are_told_apart_among_many_too(lost: bytes) -> None:
    groups = [historique("IINST", "002"), historique("IMAX", "090"), historique("PAPP", "00530")]
    decoder = Decoder()
    decoder.decode(frame(*groups))
    merged = frame(groups[0] + (b"\n" if lost == b"\r" else b"\r") + groups[1], b"noise", groups[2])
    assert said(decoder.decode(merged)) == {
        "mode": "historique",
        "values": {"iinst": 2, "imax": 90, "papp": 530},
        "refused": [("", "noise", "shape")],
    }


def test_a_group_that_was_lost_whole_is_none() -> None:
    decoder = Decoder()
    decoder.decode(frame(KEPT, historique("PAPP", "00530")))
    assert said(decoder.decode(frame(KEPT, b""))) == {"mode": "historique", "values": {"iinst": 2}}


# --- rules of single labels ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "good", "bad"), [("NTARF", "10", "11"), ("NTARF", "01", "00"), ("NJOURF+1", "09", "10")]
)
def test_a_number_outside_what_the_note_defines_is_refused(label: str, good: str, bad: str) -> None:
    assert Decoder().decode(frame(standard(label, good))).refused == ()
    assert Decoder().decode(frame(standard(label, bad))).refused == (Refused(label, bad, Reason.VALUE),)


def test_only_mobile_peaks_may_leave_the_season_blank() -> None:
    blank = " 200214060000"
    assert Decoder().decode(frame(standard("DPM1", blank, "00"))).refused == ()
    refused = Decoder().decode(frame(standard("SMAXSN", blank, "02110"))).refused
    assert refused == (Refused("SMAXSN", "02110", Reason.STAMP),)


def test_a_blank_season_is_refused_in_a_frame_like_the_last_one_too() -> None:
    decoder = Decoder()
    decoder.decode(frame(standard("SMAXSN", "H200214060000", "02110")))
    decoded = decoder.decode(frame(standard("SMAXSN", " 200214060000", "02110")))
    assert decoded == Decoded(None, (Refused("SMAXSN", "02110", Reason.STAMP),))


def test_a_date_that_does_not_exist_is_refused_in_a_frame_like_the_last_one_too() -> None:
    decoder = Decoder()
    decoder.decode(frame(standard("SMAXSN", "H200214060000", "02110")))
    decoded = decoder.decode(frame(standard("SMAXSN", "H200230060000", "02110")))
    assert decoded == Decoded(None, (Refused("SMAXSN", "02110", Reason.STAMP),))


def test_a_meter_under_test_says_nothing() -> None:
    test = frame(historique("TRAME", "TEST"), historique("ADCO", METER), historique("PAPP", "00530"))
    assert Decoder().decode(test) == Decoded(None, (Refused("TRAME", "TEST", Reason.TEST_FRAME),))
    other = frame(historique("TRAME", "X"), historique("PAPP", "00530"))
    assert Decoder().decode(other).reading is not None


def test_a_label_that_was_damaged_at_first_is_taken_in_without_reading_all_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, hurt = historique("PAPP", "00530"), b"PAPP 005\x0030 -"
    decoder = Decoder()
    decoder.decode(frame(KEPT, hurt))
    monkeypatch.delattr(Decoder, "_decode_anew")
    assert said(decoder.decode(frame(KEPT, good))) == {
        "mode": "historique",
        "values": {"iinst": 2, "papp": 530},
        "changed": ["papp"],
    }
    assert said(decoder.decode(frame(KEPT, good)))["values"] == {"iinst": 2, "papp": 530}


@pytest.mark.parametrize("other", [KEPT, standard("SINSTS", "00530")], ids=["stands elsewhere", "other mode"])
def test_what_comes_where_a_label_was_damaged_is_none_that_contradicts_the_rest(other: bytes) -> None:
    decoder, fresh = Decoder(), Decoder()
    decoder.decode(frame(KEPT, b"PAPP 005\x0030 -"))
    whole = frame(KEPT, other)
    seen, anew = decoder.decode(whole), fresh.decode(whole)
    assert (seen.reading, seen.refused) == (anew.reading, anew.refused)
