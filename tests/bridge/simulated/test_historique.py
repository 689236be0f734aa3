"""What a simulated meter says in mode historique."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.simulated.contract import Contract, colour
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from tests.bridge.simulated import NOON, SUMMER_NOON, frames, historique, local, name_of
from tests.bridge.simulated.test_contract import ejp_day

H = Mode.HISTORIQUE


@pytest.mark.parametrize(
    ("plan", "groups", "size"),  # section 9 of the note
    [
        (Plan(Contract.BASE, H), 10, 152),
        (Plan(Contract.HCHP, H), 11, 170),
        (Plan(Contract.TEMPO, H), 16, 275),
        (Plan(Contract.BASE, H, 3), 16, 235),
        (Plan(Contract.HCHP, H, 3), 17, 251),
        (Plan(Contract.TEMPO, H, 3), 22, 356),
    ],
    ids=name_of,
)
def test_frames_are_as_long_as_real_ones(plan: Plan, groups: int, size: int) -> None:
    [frame] = frames(plan, SUMMER_NOON, number=1)
    assert frame.count(b"\n") == groups
    assert len(frame) == pytest.approx(size, rel=0.03)


def test_a_single_phase_meter_warns_while_the_current_exceeds_the_subscription() -> None:
    told = historique(Plan(Contract.BASE, H, overload=True), NOON, step=10, number=400)
    over = [reading for reading in told if (reading.iinst or 0) > (reading.isousc or 0)]
    assert 0 < len(over) < len(told)
    assert [reading for reading in told if reading.adps is not None] == over
    assert {reading.adps == reading.iinst for reading in over} == {True}


def test_three_phases_send_twenty_short_frames_then_a_long_one() -> None:
    told = historique(Plan(Contract.BASE, H, 3, overload=True), NOON, step=0.7, number=4000)
    short = [reading.optarif is None for reading in told]
    first = short.index(True)
    assert not any(short[:first])
    assert short[first : first + 63] == ([True] * 20 + [False]) * 3
    over = [[n for n in (1, 2, 3) if reading.get(f"iinst{n}") > 30] for reading in told]
    assert over[first] == [1]
    for reading, phases, is_short in zip(told, over, short, strict=True):
        if is_short:
            assert set(reading.model_fields_set) - {"stamps", "extra", "complete"} == (
                {"adco", "iinst1", "iinst2", "iinst3"} | {f"adir{n}" for n in phases}
            )
            assert [reading.get(f"adir{n}") for n in phases] == [reading.get(f"iinst{n}") for n in phases]
        else:
            assert (reading.adir1, reading.ppot is not None) == (None, True)
    # they go on for a minute after the last overrun
    last = max(n for n, phases in enumerate(over[: first + 600]) if phases)
    ended = next(n for n in range(last, len(told)) if not any(short[n : n + 22]))
    assert (ended - last) * 0.7 == pytest.approx(60, abs=2)


def test_a_short_frame_is_as_long_as_a_real_one() -> None:
    sent = frames(Plan(Contract.BASE, H, 3, overload=True), NOON, step=5, number=720)
    assert min(len(frame) for frame in sent if b"ADIR1" in frame) == 78
    assert b"\x02\nADIR1 0" in b"".join(sent)


def test_notice_of_an_ejp_peak_is_thirty_minutes() -> None:
    start = local(f"{ejp_day()}T06:15")
    told = historique(Plan(Contract.EJP, H), start, step=600, number=6)
    assert [(reading.pejp, reading.ptec) for reading in told] == [
        (None, "HN"), (None, "HN"), (30, "HN"), (30, "HN"), (30, "HN"), (None, "PM"),
    ]  # fmt: skip


def test_demain_is_sent_all_day_and_says_the_colour_from_eight_on() -> None:
    told = historique(Plan(Contract.TEMPO, H), local("2026-01-15T19:00"), step=1800, number=4)
    known = colour(local("2026-01-16T00:00").date(), 1)
    assert [reading.demain for reading in told] == [None, None, known, known]
    assert all("demain" in reading.model_fields_set for reading in told)


def test_pmax_is_yesterdays_maximum() -> None:
    [*_, last] = historique(Plan(Contract.BASE, H, 3), NOON, step=3600, number=24)
    [first] = historique(Plan(Contract.BASE, H, 3), NOON, number=1)
    assert (first.pmax, last.pmax) != (last.pmax, first.pmax)
    assert first.pmax == 3000


def test_short_frames_stop_when_nothing_exceeds() -> None:
    told = historique(Plan(Contract.BASE, H, 3), NOON, step=60, number=int(timedelta(days=1) / timedelta(minutes=1)))
    assert {reading.optarif for reading in told} == {"BASE"}
