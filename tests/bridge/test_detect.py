"""What bytes say about speed and mode: on lines as a UART hears them, at the right speed and at wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.detect import LOST, SPEEDS, Cause, Evidence, Search, Verdict, Watch
from bridge.tic.catalogue import Mode
from tests.bridge.uart import Uart, Wire
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME, cut, frame, historique, standard

H, S = Mode.HISTORIQUE, Mode.STANDARD
STEP: Final = 0.1  # seconds, as a port is read

# The groups of a PME-PMI: labels that the catalogue does not know, units in the data, no two frames of one length.
INDUSTRIAL_FRAME = frame(
    historique("ADS", METER),
    historique("MESURES1", "BT 5 SUP36"),
    historique("DATE", "15/01/26 12:00:00"),
    historique("EA_s", "12kWh"),
    historique("PTCOUR1", "HPH"),
)


def steady(data: bytes, baud: int) -> Callable[[float], tuple[bytes, int]]:
    """A meter that says the same for ever."""
    return lambda _: (data, baud)


def evidence(*pieces: bytes) -> Evidence:
    collected = Evidence()
    for piece in pieces:
        collected.add(piece)
    return collected


# --- what proves a mode --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "mode"),
    [
        (b"", None),
        (STANDARD_FRAME, S),
        (HISTORIQUE_FRAME, H),
        (INDUSTRIAL_FRAME, H),
        (STANDARD_FRAME[1:], None),  # no STX
        (STANDARD_FRAME[1:] + STANDARD_FRAME[:3], None),  # an STX, but no label behind it
        (STANDARD_FRAME[1:] + STANDARD_FRAME[:25], S),  # the label is there; its group proves itself later
        (frame(standard("VTIC", "02")), None),  # one group
        (frame(standard("VTIC", "02"), historique("PAPP", "00530")), None),  # one of each mode
        (frame(standard("VTIC", "02"), historique("PAPP", "00530"), standard("RELAIS", "000")), S),
        (frame(standard("VTIC", "02")) * 2, S),  # two frames of one group
        (frame(standard("VTIC", "02")[:-1] + b"!") * 9, None),  # wrong checksums
        (b"\x02\n" + b"\x00" * 300, None),
    ],
)
def test_an_stx_a_label_and_two_valid_groups_of_a_mode_prove_it(heard: bytes, mode: Mode | None) -> None:
    assert evidence(heard).proves() == mode


def test_the_groups_of_a_bad_line_are_counted_from_frame_to_frame() -> None:
    damaged = frame(standard("ADSC", METER)[:-1] + b"!", standard("VTIC", "02"), standard("EAST", "1")[:-1] + b"!")
    assert (evidence(damaged).proves(), evidence(damaged, damaged).proves()) == (None, S)


@pytest.mark.parametrize(("wanted", "mode"), [(H, None), (S, S), (None, S)])
def test_where_a_mode_is_wanted_only_that_proves_itself(wanted: Mode | None, mode: Mode | None) -> None:
    assert evidence(STANDARD_FRAME + frame(historique("PAPP", "00530"))).proves(wanted) == mode


@given(st.lists(st.integers(1, 60), max_size=30))
def test_pieces_do_not_matter(sizes: list[int]) -> None:
    heard = HISTORIQUE_FRAME[30:] + HISTORIQUE_FRAME + b"\x00" * 40 + HISTORIQUE_FRAME[:50]
    split, whole = evidence(*cut(heard, sizes)), evidence(heard)
    assert (split.proves(), split.valid, split.heard, split.damaged) == (H, whole.valid, len(heard), 40)


@given(st.binary(max_size=2000))
def test_garbage_proves_nothing(noise: bytes) -> None:
    assert evidence(noise).proves() is None


def test_a_group_without_an_end_is_not_kept_for_ever() -> None:
    collected = evidence(*[b"A" * 1000] * 100)
    assert len(collected._rest) <= 128


def test_parity_in_bit_seven_is_understood() -> None:
    eight = bytes(byte | (byte.bit_count() % 2) << 7 for byte in STANDARD_FRAME)
    assert evidence(eight * 3).proves() is S


# --- a terminal that is not raw ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "is_raw"),
    [
        (b"", True),
        (STANDARD_FRAME, True),
        (STANDARD_FRAME[5:90], True),
        (STANDARD_FRAME.replace(b"\r", b"\n").replace(b"\x03", b""), False),  # ICRNL and ISIG, as a login shell has it
        (HISTORIQUE_FRAME.replace(b"\r", b""), False),  # IGNCR
        (HISTORIQUE_FRAME.replace(b"\n", b"\r"), False),  # INLCR
    ],
)
def test_a_terminal_that_is_not_raw_shows_in_how_groups_end(heard: bytes, is_raw: bool) -> None:
    assert evidence(heard).is_raw is is_raw


# --- searching, on a line as a UART hears it ------------------------------------------------------


def find(uart: Uart, search: Search, limit: float = 120.0) -> tuple[Verdict, float]:
    """What the search finds out, and after how many seconds."""
    began = uart.now
    while uart.now - began < limit:
        verdict = search.hear(uart.hear(STEP), uart.now)
        if verdict is not None:
            return verdict, round(uart.now - began, 1)
        if uart.baud != search.speed:
            uart.tune(search.speed)
    raise AssertionError(f"nothing was found out in {limit} s")


def proven(speed: int, mode: Mode) -> Verdict:
    return Verdict(Cause.PROVEN, (speed,), mode)


LINES = [
    (STANDARD_FRAME, 9600, S),
    (HISTORIQUE_FRAME, 1200, H),
    (HISTORIQUE_FRAME, 9600, H),  # SAPHIR, most PME-PMI
    (INDUSTRIAL_FRAME, 2400, H),
    (INDUSTRIAL_FRAME, 4800, H),
    (INDUSTRIAL_FRAME, 19200, H),
    (STANDARD_FRAME, 1200, S),
]


@pytest.mark.parametrize("waits_for_high", [True, False])
@pytest.mark.parametrize("skew", [-0.02, 0.0, 0.02])
@pytest.mark.parametrize(("data", "baud", "mode"), LINES)
def test_the_speed_and_the_mode_are_found(
    data: bytes, baud: int, mode: Mode, skew: float, waits_for_high: bool
) -> None:
    uart = Uart(Wire(steady(data, baud)), 9600, skew, waits_for_high)
    verdict, seconds = find(uart, Search(SPEEDS, 0.0))
    assert verdict == proven(baud, mode)
    assert seconds <= 12


@pytest.mark.parametrize(("data", "baud", "mode"), LINES)
def test_they_are_found_where_nothing_marks_damaged_characters_too(data: bytes, baud: int, mode: Mode) -> None:
    uart = Uart(Wire(steady(data, baud)), 9600, checks=False)
    verdict, seconds = find(uart, Search(SPEEDS, 0.0))
    assert verdict == proven(baud, mode)
    assert seconds <= 30


@pytest.mark.parametrize(
    ("data", "baud", "speeds", "within"),
    [
        (STANDARD_FRAME, 9600, SPEEDS, 0.6),
        (HISTORIQUE_FRAME, 1200, SPEEDS, 4.0),
        (HISTORIQUE_FRAME, 1200, (1200, 9600), 3.0),
        (STANDARD_FRAME, 9600, (1200, 9600), 4.0),
    ],
)
def test_a_wrong_speed_is_left_as_soon_as_it_shows(
    data: bytes, baud: int, speeds: tuple[int, ...], within: float
) -> None:
    _, seconds = find(Uart(Wire(steady(data, baud)), speeds[0]), Search(speeds, 0.0))
    assert seconds <= within


@pytest.mark.parametrize(("first", "patience"), [(9600, 5.0), (1200, 8.0), (2400, 6.0)])
def test_a_speed_that_only_gives_noise_is_left_after_some_seconds(first: int, patience: float) -> None:
    search = Search((first, 19200), 0.0)
    noise = b"only noise here.\r\n"
    leaves = next(n for n in range(1, 200) if (search.hear(noise, n / 10), search.speed)[1] == 19200)
    assert leaves / 10 == patience


def test_a_long_frame_is_waited_for_while_its_groups_are_valid() -> None:
    """A PME-PMI's takes 12 s at 1200 baud, and only its beginning has an STX."""
    long = frame(*[historique(f"EAP{n}_s", f"{n}kWh") for n in range(100)])
    uart = Uart(Wire(steady(long, 1200)), 1200)
    uart.hear(0.5)
    verdict, seconds = find(uart, Search((1200, 9600), uart.now))
    assert (verdict, 8 < seconds < 24) == (proven(1200, H), True)


def test_what_proved_itself_is_handed_on_from_its_stx() -> None:
    search = Search(SPEEDS, 0.0)
    pieces = [STANDARD_FRAME[100:150], STANDARD_FRAME[150:] + STANDARD_FRAME[:30], STANDARD_FRAME[30:]]
    verdicts = [search.hear(piece, n / 10) for n, piece in enumerate(pieces)]
    assert (verdicts[-1], search.kept) == (proven(9600, S), STANDARD_FRAME)


def test_what_is_held_back_is_bounded() -> None:
    search = Search(SPEEDS, 0.0)
    for n in range(40):
        search.hear(b"\x02" + b"A" * 1000, n / 10)
    assert len(search.kept) <= 8192


def test_a_line_where_nothing_comes_is_silent_after_two_seconds_at_each_speed() -> None:
    uart = Uart(Wire(lambda _: (b"", 9600), silence=1.0), 9600)
    assert find(uart, Search(SPEEDS, 0.0)) == (Verdict(Cause.SILENT, SPEEDS), 10.0)


def test_an_inverted_line_is_noise() -> None:
    uart = Uart(Wire(steady(STANDARD_FRAME, 9600), idle=0), 9600)
    verdict, seconds = find(uart, Search(SPEEDS, 0.0))
    assert verdict == Verdict(Cause.NOISE, SPEEDS)
    assert seconds <= 30


@pytest.mark.parametrize("wakes", [0.5, 2.5, 4.5, 6.5, 8.5])
@pytest.mark.parametrize(("data", "baud", "mode"), LINES[:2])
def test_a_line_that_wakes_while_a_wrong_speed_is_tried_is_found(
    data: bytes, baud: int, mode: Mode, wakes: float
) -> None:
    """Nothing came at the right speed, but nothing came at all then."""
    uart = Uart(Wire(lambda now: (data, baud) if now >= wakes else (b"", baud), silence=0.02), 9600)
    verdict, seconds = find(uart, Search(SPEEDS, 0.0))
    assert verdict == proven(baud, mode)
    assert seconds <= wakes + 15


def test_at_one_speed_the_other_mode_is_named() -> None:
    uart = Uart(Wire(steady(HISTORIQUE_FRAME, 9600)), 9600)
    verdict, seconds = find(uart, Search((9600,), 0.0, S))
    assert verdict == Verdict(Cause.OTHER_MODE, (9600,), H, S)
    assert seconds <= 16


# --- watching a running line ---------------------------------------------------------------------


def watch(uart: Uart, watching: Watch, seconds: float) -> list[tuple[Verdict, float]]:
    """What the watch says, and when."""
    until, said = uart.now + seconds, []
    while uart.now < until:
        verdict = watching.hear(uart.hear(STEP), uart.now)
        if verdict is not None:
            said.append((verdict, round(uart.now, 1)))
    return said


@pytest.mark.parametrize(("data", "baud", "mode"), LINES[:3])
def test_a_line_that_is_understood_is_said_to_be_once(data: bytes, baud: int, mode: Mode) -> None:
    [(verdict, at)] = watch(Uart(Wire(steady(data, baud)), baud), Watch(0.0, baud), 40.0)
    assert (verdict, at <= 3) == (proven(baud, mode), True)


def test_a_mode_that_is_known_already_is_not_said_again() -> None:
    assert watch(Uart(Wire(steady(STANDARD_FRAME, 9600)), 9600), Watch(0.0, 9600, mode=S), 40.0) == []


def test_a_mode_that_changes_at_the_same_speed_is_said() -> None:
    meter = Wire(lambda now: (STANDARD_FRAME if now > 20 else HISTORIQUE_FRAME, 9600))
    (first, _), (second, at) = watch(Uart(meter, 9600), Watch(0.0, 9600), 40.0)
    assert (first, second, 20 < at <= 26) == (proven(9600, H), proven(9600, S), True)


def test_a_look_at_a_few_groups_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    add = Evidence.add

    def counted(self: Evidence, piece: bytes) -> None:
        looked.append(len(piece))
        add(self, piece)

    monkeypatch.setattr(Evidence, "add", counted)
    watch(Uart(Wire(steady(STANDARD_FRAME, 9600)), 9600), Watch(0.0, 9600), 100.0)
    assert sum(looked) < 100 * 960 / 10


@pytest.mark.parametrize("shift", [0.0, 1.3, 2.6, 3.9, 5.2])
def test_a_line_that_is_not_understood_any_more_is_lost_after_fifteen_seconds(shift: float) -> None:
    switches = 20 + shift
    meter = Wire(lambda now: (HISTORIQUE_FRAME, 1200) if now > switches else (STANDARD_FRAME, 9600))
    (_, _), (verdict, at) = watch(Uart(meter, 9600), Watch(0.0, 9600), 45.0)
    assert verdict == Verdict(Cause.SLOWER, (9600,))
    assert LOST - 5 <= at - switches <= LOST + 1


def test_a_line_that_is_faster_than_the_port_is_noise() -> None:
    [(verdict, at)] = watch(Uart(Wire(steady(STANDARD_FRAME, 9600)), 1200), Watch(0.0, 1200, H), 60.0)
    assert (verdict, at) == (Verdict(Cause.NOISE, (1200,)), LOST)


def test_a_line_that_is_understood_again_is_said_to_be() -> None:
    meter = Wire(lambda now: (STANDARD_FRAME, 9600) if now > 40 else (b"\x55" * 100, 1234))
    (first, _), (second, at) = watch(Uart(meter, 9600), Watch(0.0, 9600, mode=S), 60.0)
    assert (first.cause, second, 40 < at < 41) == (Cause.SLOWER, proven(9600, S), True)


def test_a_line_that_falls_silent_is_said_to_be() -> None:
    meter = Wire(lambda now: (STANDARD_FRAME if now < 20 else b"", 9600), silence=0.02)
    (_, _), (verdict, at), *_ = watch(Uart(meter, 9600), Watch(0.0, 9600), 36.0)
    assert verdict == Verdict(Cause.SILENT, (9600,))
    assert LOST - 5 <= at - 20 <= LOST + 1


def test_noise_that_falls_silent_is_said_to_be_both() -> None:
    watching = Watch(0.0, None)
    said = [watching.hear(b"noise\r" if now < 20 else b"", float(now)) for now in range(36)]
    assert [(now, verdict) for now, verdict in enumerate(said) if verdict] == [
        (15, Verdict(Cause.NOISE)),
        (34, Verdict(Cause.SILENT)),
        (35, Verdict(Cause.SILENT)),
    ]


def test_valid_groups_of_another_mode_are_named() -> None:
    [(verdict, at)] = watch(Uart(Wire(steady(HISTORIQUE_FRAME, 9600)), 9600), Watch(0.0, 9600, S), 60.0)
    assert (verdict, at) == (Verdict(Cause.OTHER_MODE, (9600,), H, S), LOST)


def test_a_terminal_that_is_not_raw_is_said_once_and_so_is_its_end() -> None:
    cooked = STANDARD_FRAME.replace(b"\r", b"\n").replace(b"\x03", b"")
    watching = Watch(0.0, 9600, mode=S)
    said = [watching.hear(cooked if 10 < now < 30 else STANDARD_FRAME, float(now)) for now in range(40)]
    assert [(now, verdict) for now, verdict in enumerate(said) if verdict] == [
        (15, Verdict(Cause.NOT_RAW, (9600,), S)),
        (30, Verdict(Cause.PROVEN, (9600,), S)),
    ]


def test_who_has_no_patience_limit_is_never_lost() -> None:
    watching = Watch(0.0, patience=float("inf"))
    assert [watching.hear(piece, now) for piece, now in [(b"noise\r", 0.0), (b"", 50.0), (b"noise\r", 99.0)]] == [
        None,
        None,
        None,
    ]


# --- what the owner is told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "why", "sentence"),
    [
        (proven(1200, H), "speaks historique", "/dev/ttyUSB0 speaks historique at 1200 baud"),
        (Verdict(Cause.PROVEN, (), S), "speaks standard", "/dev/ttyUSB0 speaks standard"),
        (
            Verdict(Cause.SILENT, SPEEDS),
            "gives no signal",
            "No signal on /dev/ttyUSB0: are I1 and I2 connected, and not A?",
        ),
        (
            Verdict(Cause.NOISE, SPEEDS),
            "gives no valid group",
            (
                "Bytes arrive on /dev/ttyUSB0, but no valid group at any speed (tried 9600, 1200, 2400, 4800, 19200 "
                "baud): noise, or an inverted line: check the wires, shorten the cable, or try another adapter"
            ),
        ),
        (
            Verdict(Cause.NOISE, (1200,)),
            "gives no valid group",
            (
                "Bytes arrive on /dev/ttyUSB0, but no valid group at 1200 baud: the wrong speed, noise, or an inverted "
                "line: set mode: auto, or check the wires"
            ),
        ),
        (
            Verdict(Cause.NOISE),
            "gives no valid group",
            (
                "Bytes arrive on /dev/ttyUSB0, but no valid group: noise, or the wrong speed at the other end: have it "
                "read 1200 baud (historique) or 9600 (standard), 7 bits, even parity, and check the wires"
            ),
        ),
        (
            Verdict(Cause.SLOWER, (9600,)),
            "gives no valid group",
            (
                "No valid group came on /dev/ttyUSB0 at 9600 baud, and every character is damaged, as when the line is "
                "slower: the meter seems to speak historique: set mode: auto or mode: historique"
            ),
        ),
        (
            Verdict(Cause.OTHER_MODE, (9600,), H, S),
            "speaks historique",
            (
                "The meter on /dev/ttyUSB0 speaks historique at 9600 baud, not standard: set mode: auto or "
                "mode: historique"
            ),
        ),
        (
            Verdict(Cause.NOT_RAW, (9600,), S),
            "is not raw",
            (
                "The terminal is not raw: on /dev/ttyUSB0 CR and LF are exchanged or ETX is swallowed. Another program "
                "set it so (a login shell on the port, cat, a serial server): stop it, or set the terminal raw "
                "(stty -F PORT raw)"
            ),
        ),
    ],
)
def test_the_owner_is_told_what_why_and_what_to_do(verdict: Verdict, why: str, sentence: str) -> None:
    assert (verdict.why, verdict.sentence("/dev/ttyUSB0")) == (why, sentence)
