"""Bytes in any piece to whole frames."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.tic.framing import MAX_FRAME, Framer, is_whole
from tests.bridge.wire import HISTORIQUE_FRAME, STANDARD_FRAME, cut, frame, historique

NOISE = st.binary(max_size=300)
# Bytes that mean something to the framer are rare in random ones.
LIKELY = st.lists(st.sampled_from([b"\x02", b"\x03", b"\x04", b"\n", b"\r", b"A", HISTORIQUE_FRAME])).map(b"".join)
SIZES = st.lists(st.integers(1, 40), max_size=60)


def frames_of(pieces: Iterable[bytes]) -> tuple[list[bytes], int]:
    framer = Framer()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return frames + list(framer.flush()), framer.dropped


def test_a_frame_runs_from_stx_to_etx() -> None:
    assert frames_of([HISTORIQUE_FRAME]) == ([HISTORIQUE_FRAME], 0)


def test_frames_follow_each_other() -> None:
    assert frames_of([HISTORIQUE_FRAME + STANDARD_FRAME]) == ([HISTORIQUE_FRAME, STANDARD_FRAME], 0)


def test_a_stream_that_begins_inside_a_frame_gives_its_end_as_a_frame_that_is_not_whole() -> None:
    assert frames_of([HISTORIQUE_FRAME[100:], STANDARD_FRAME]) == ([HISTORIQUE_FRAME[100:], STANDARD_FRAME], 0)


def test_a_stream_that_ends_inside_a_frame_gives_its_beginning() -> None:
    assert frames_of([HISTORIQUE_FRAME, STANDARD_FRAME[:50]]) == ([HISTORIQUE_FRAME, STANDARD_FRAME[:50]], 0)


def test_eot_cuts_a_frame_and_belongs_to_it() -> None:
    # The stream of hekmon/linkytic issue 9.
    first, second = b"\x02\nHCHP 019571184 7\r\x04", frame(historique("HCHP", "019571184"))
    assert frames_of([first + second]) == ([first, second], 0)


def test_a_new_stx_cuts_a_frame_that_lost_its_etx() -> None:
    assert frames_of([HISTORIQUE_FRAME[:-1] + STANDARD_FRAME]) == ([HISTORIQUE_FRAME[:-1], STANDARD_FRAME], 0)


def test_what_holds_no_group_is_dropped_and_counted() -> None:
    # NUL bytes before the first frame, as in hist_mono_hc_cbemm; a frame in which nothing stands; a silent end
    stream = b"\x00\x00\x00" + HISTORIQUE_FRAME + b"\x02\x03" + b"noise"
    assert frames_of([stream]) == ([HISTORIQUE_FRAME], 3 + 2 + 5)


def test_a_stream_without_edges_comes_in_bounded_pieces() -> None:
    endless = b"\nPAPP 00530 )\r" * 1000
    assert frames_of([endless]) == ([endless[:MAX_FRAME], endless[MAX_FRAME:]], 0)


@pytest.mark.parametrize(
    ("frame", "whole"),
    [
        (HISTORIQUE_FRAME, True),
        (HISTORIQUE_FRAME[1:], False),
        (HISTORIQUE_FRAME[:-1], False),
        (HISTORIQUE_FRAME[:-1] + b"\x04", False),
        (b"", False),
    ],
)
def test_a_whole_frame_has_both_its_edges(frame: bytes, whole: bool) -> None:
    assert is_whole(frame) is whole


@given(NOISE | LIKELY, SIZES)
def test_pieces_do_not_matter(data: bytes, sizes: list[int]) -> None:
    assert frames_of(cut(data, sizes)) == frames_of([data])


def test_pieces_do_not_matter_around_the_longest_frame() -> None:
    for size in range(MAX_FRAME - 2, MAX_FRAME + 3):
        data = b"\n" + b"x" * size + HISTORIQUE_FRAME
        whole = frames_of([data])
        for at in (MAX_FRAME - 1, MAX_FRAME, MAX_FRAME + 1):
            assert frames_of([data[:at], data[at:]]) == whole


@given(st.lists(NOISE | LIKELY))
def test_every_byte_is_in_one_frame_or_counted_as_dropped(pieces: list[bytes]) -> None:
    frames, dropped = frames_of(pieces)
    assert len(b"".join(frames)) + dropped == len(b"".join(pieces))


@given(st.lists(st.sampled_from([b"x" * 3000, b"\n" * 5000, b"\x02", b"\x03"]), max_size=30))
def test_memory_stays_bounded(pieces: list[bytes]) -> None:
    framer = Framer()
    fed = given_back = 0
    for piece in pieces:
        fed += len(piece)
        given_back += sum(len(frame) for frame in framer.feed(piece))
        assert 0 <= fed - given_back - framer.dropped < MAX_FRAME
