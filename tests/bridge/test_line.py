"""One source's bytes to checked frames."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.guard import Checked, Memory, Moment
from bridge.line import Line
from bridge.tic.catalogue import Mode
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Standard
from tests.bridge.damage import sequences
from tests.bridge.invariants import hold
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME, cut, frame, historique, standard
from tests.fuzz.line import FOUND, run

AT = Moment(datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC), 100.0)
LATER = Moment(datetime(2026, 1, 15, 12, 0, 1, tzinfo=UTC), 101.0)
ADDRESS = historique("ADCO", METER)
SMALL = frame(ADDRESS, historique("PAPP", "00530"))
READING = Historique(adco=METER, papp=530)
SECONDS = len(SMALL) * 10 / 1200  # on a line of 1200 baud


def read(pieces: Iterable[bytes], line: Line | None = None) -> list[Checked]:
    line = line or Line()
    checked = [frame for piece in pieces for frame in line.feed(piece, AT)]
    return [*checked, *line.flush()]


def test_a_frame_is_named_and_stamped_with_the_moment_of_its_last_piece() -> None:
    line = Line()
    assert list(line.feed(SMALL + SMALL[:10], AT)) == []
    assert list(line.feed(SMALL[10:], LATER)) == [
        Checked(Decoded(READING, (), frozenset({"adco", "papp"})), METER, AT, clock=SECONDS),
        Checked(Decoded(READING), METER, LATER, clock=SECONDS + 1.0),
    ]


def test_a_recorded_file_is_read_as_if_the_line_had_sent_it() -> None:
    assert [checked.clock for checked in read([SMALL, SMALL, SMALL])] == pytest.approx(
        [SECONDS, 2 * SECONDS, 3 * SECONDS]
    )


def test_the_end_of_the_source_gives_what_is_left_with_the_last_moment() -> None:
    last = read([SMALL, SMALL, SMALL[:-1]])[-1]
    assert last._replace(clock=0.0) == Checked(Decoded(READING.model_copy(update={"complete": False})), METER, AT)


def test_a_source_of_one_frame_gives_it_without_a_meter() -> None:
    assert read([SMALL]) == [Checked(Decoded(READING, (), frozenset({"adco", "papp"})), None, AT, clock=SECONDS)]


def test_a_configured_id_names_every_frame() -> None:
    line = Line(configured="cave")
    assert [(checked.meter, checked.decoded.reading) for checked in line.feed(SMALL + SMALL, AT)] == [
        ("cave", READING),
        ("cave", READING),
    ]


def test_without_the_guard_every_frame_passes_as_decoded() -> None:
    assert read([SMALL, SMALL], Line(guarded=False)) == [
        Checked(Decoded(READING, (), frozenset({"adco", "papp"})), None, AT),
        Checked(Decoded(READING), None, AT),
    ]


def test_without_the_guard_nothing_is_remembered() -> None:
    memory: Memory = {}
    for guarded in (False, True):
        line = Line(guarded=guarded, memory=memory)
        read([frame(ADDRESS, historique("BASE", "000001000"))] * 2, line)
        assert memory == {}
        line.remember()
    assert memory == {METER: {"east": (1000, AT.utc)}}


def test_a_configured_mode_refuses_the_other() -> None:
    assert read([SMALL], Line(Mode.STANDARD, guarded=False)) == [
        Checked(Decoded(None, (Refused("ADCO", METER, Reason.MODE), Refused("PAPP", "00530", Reason.MODE))), None, AT)
    ]


def test_the_zone_is_the_meters() -> None:
    [checked] = read(
        [frame(standard("DATE", "H200714120000", ""))], Line(zone=ZoneInfo("Indian/Reunion"), guarded=False)
    )
    assert isinstance(checked.decoded.reading, Standard)
    assert checked.decoded.reading.to_json() == {"date": "2020-07-14T12:00:00+04:00"}


def test_what_is_no_frame_is_counted() -> None:
    line = Line()
    assert list(line.feed(b"noise\x02", AT)) == []
    assert line.framer.dropped == 5


STREAM = HISTORIQUE_FRAME[40:] + HISTORIQUE_FRAME * 2 + HISTORIQUE_FRAME[:100] + b"\x04" + STANDARD_FRAME * 3


@given(st.lists(st.integers(1, 300), max_size=20))
def test_pieces_do_not_matter(sizes: list[int]) -> None:
    assert read(cut(STREAM, sizes)) == read([STREAM])


@given(st.integers(0, len(STREAM)), st.binary(max_size=20), st.sampled_from([None, "cave"]))
def test_damage_never_ends_the_line(at: int, noise: bytes, configured: str | None) -> None:
    damaged = STREAM[:at] + noise + STREAM[at + len(noise) :]
    meters = {checked.meter for checked in read([damaged], Line(configured=configured))}
    assert meters <= ({configured} if configured else {METER, None})


# --- whatever comes ------------------------------------------------------------------------------

SIZES = st.lists(st.integers(0, 300), max_size=30)
MODES = st.sampled_from([None, *Mode])
NAMES = st.sampled_from([None, "cave"])
NOISE = st.binary(max_size=2000)


def with_parity(stream: bytes) -> bytes:
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in stream)


@given(sequences(), SIZES, MODES, NAMES, st.booleans())
def test_a_damaged_line_says_what_it_says_however_it_is_cut(
    sent: list[bytes], sizes: list[int], mode: Mode | None, name: str | None, given_parity: bool
) -> None:
    stream = b"".join(sent)
    hold(with_parity(stream * 3) if given_parity else stream, sizes, mode, name)


@settings(max_examples=30)
@given(NOISE, sequences(), NOISE, SIZES, MODES, NAMES)
def test_noise_between_frames_is_only_refused(
    before: bytes, sent: list[bytes], after: bytes, sizes: list[int], mode: Mode | None, name: str | None
) -> None:
    hold(before + b"".join(sent) + after, sizes, mode, name)


@settings(max_examples=30)
@given(st.lists(st.sampled_from([b"x" * 3000, b"\n" * 5000, b"\x02", b"\x03", b"\r\n", HISTORIQUE_FRAME]), max_size=12))
def test_memory_stays_bounded_whatever_comes(pieces: list[bytes]) -> None:
    hold(b"".join(pieces), [len(piece) for piece in pieces])


@pytest.mark.parametrize("found", sorted(FOUND.glob("*.bin")), ids=lambda path: path.stem)
def test_what_the_fuzzer_found_holds_now(found: Path) -> None:
    run(found.read_bytes())
