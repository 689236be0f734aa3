"""Which transient labels stopped."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.presence import Presence
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import read_stamp

LONG = Historique(base=1234, iinst=40)
OVERRUN = Historique(base=1234, iinst=50, adps=50)
SHORT = Historique(iinst1=2, iinst2=3, iinst3=4)
CUT = Historique(base=1234, complete=False)
DAMAGED = Decoded(LONG, (Refused("PAPP", "", Reason.CHECKSUM),))
NOISE = Decoded(None, (Refused("", "", Reason.SHAPE),))


def gone(frames: Sequence[Reading | Decoded]) -> list[list[str]]:
    presence = Presence()
    return [list(presence.gone(f if isinstance(f, Decoded) else Decoded(f))) for f in frames]


def test_a_label_absent_from_two_successive_frames_stopped() -> None:
    assert gone([OVERRUN, LONG, LONG, LONG]) == [[], [], ["adps"], []]


def test_a_label_that_comes_back_did_not_stop() -> None:
    assert gone([OVERRUN, LONG, OVERRUN, LONG, LONG]) == [[], [], [], [], ["adps"]]


def test_a_label_never_seen_does_not_stop() -> None:
    assert gone([LONG, LONG, LONG]) == [[], [], []]


def test_zero_is_a_value() -> None:
    zero = Historique(base=1234, adps=0)
    assert gone([zero, zero, zero]) == [[], [], []]


@pytest.mark.parametrize("silent", [SHORT, CUT, DAMAGED, NOISE])
def test_short_cut_and_damaged_frames_say_nothing_about_what_they_omit(silent: Reading | Decoded) -> None:
    assert gone([OVERRUN, silent, silent, silent, LONG, silent, LONG]) == [[], [], [], [], [], [], ["adps"]]


def test_even_a_damaged_frame_shows_what_is_there() -> None:
    damaged = Decoded(OVERRUN, (Refused("PAPP", "", Reason.CHECKSUM),))
    assert gone([OVERRUN, LONG, damaged, LONG, LONG]) == [[], [], [], [], ["adps"]]


def test_labels_that_are_always_sent_are_not_transient() -> None:
    assert gone([Historique(base=1234, papp=530), LONG, LONG, LONG]) == [[], [], [], []]


def test_in_mode_standard_a_mobile_peak_ends() -> None:
    at = read_stamp(" 200214060000").at
    peak = Standard(east=1, dpm1=at, fpm1=at, msg2="")
    assert [sorted(slugs) for slugs in gone([peak, Standard(east=1), Standard(east=1)])] == [
        [],
        [],
        ["dpm1", "fpm1", "msg2"],
    ]
