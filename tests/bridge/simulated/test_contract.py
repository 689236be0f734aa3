"""Indexes, colours, peaks: what the clock and the calendar decide."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from bridge.simulated.contract import (
    Contract,
    colour,
    ejp_notice,
    mobile_peak,
    name,
    next_day,
    next_peak_day,
    peaks,
    running_index,
    tempo_day,
    tomorrow,
)
from bridge.tic.catalogue import Mode
from tests.bridge.simulated import local

DAYS = [date(2025, 9, 1) + timedelta(days=n) for n in range(365)]


def day_of(*colours: str) -> date:
    """The first day of a run of days with these colours."""
    return next(
        day for day in DAYS if tuple(colour(day + timedelta(days=n), 1) for n in range(len(colours))) == colours
    )


@pytest.mark.parametrize(
    ("contract", "at", "index"),
    [
        (Contract.BASE, "2026-01-15T23:00", 1),
        (Contract.PRODUCER, "2026-01-15T12:00", 1),
        (Contract.HCHP, "2026-01-15T21:59", 2),
        (Contract.HCHP, "2026-01-15T22:00", 1),
        (Contract.HCHP, "2026-01-15T05:59", 1),
        (Contract.HCHP, "2026-01-15T06:00", 2),
        (Contract.TEMPO, "2026-07-15T23:00", 1),
        (Contract.TEMPO, "2026-07-15T12:00", 2),
        (Contract.EJP, "2026-07-15T12:00", 1),
        (Contract.EJP, "2026-01-15T03:00", 1),
    ],
)
def test_the_index_follows_the_clock(contract: Contract, at: str, index: int) -> None:
    assert running_index(contract, local(at), 1) == index


def test_a_tempo_day_begins_at_six() -> None:
    blue = day_of("bleu", "rouge")
    red, after = blue + timedelta(days=1), blue + timedelta(days=2)
    assert [
        running_index(Contract.TEMPO, local(f"{red}T05:59"), 1),
        running_index(Contract.TEMPO, local(f"{red}T06:00"), 1),
        running_index(Contract.TEMPO, local(f"{red}T22:00"), 1),
        running_index(Contract.TEMPO, local(f"{after}T05:59"), 1),
    ] == [1, 6, 5, 5]
    assert [tempo_day(local(f"{red}T05:59")), tempo_day(local(f"{red}T06:00"))] == [blue, red]


def test_an_ejp_peak_runs_from_seven_to_one() -> None:
    peak = ejp_day()
    assert [
        running_index(Contract.EJP, local(f"{peak}T00:59"), 1),
        running_index(Contract.EJP, local(f"{peak}T06:59"), 1),
        running_index(Contract.EJP, local(f"{peak}T07:00"), 1),
        running_index(Contract.EJP, local(f"{peak + timedelta(days=1)}T00:59"), 1),
        running_index(Contract.EJP, local(f"{peak + timedelta(days=1)}T01:00"), 1),
    ] == [1, 1, 2, 2, 1]


def ejp_day() -> date:
    """A day with a peak between two without."""
    return next(
        day for day in DAYS if [mobile_peak(day + timedelta(days=n), 1) for n in (-1, 0, 1)] == [False, True, False]
    )


def test_a_notice_is_given_for_half_an_hour() -> None:
    peak = ejp_day()
    times = ("06:29", "06:30", "06:59", "07:00")
    assert [ejp_notice(local(f"{peak}T{clock}"), 1) for clock in times] == [False, True, True, False]
    assert not ejp_notice(local(f"{peak + timedelta(days=1)}T06:45"), 1)


def test_colours_fall_as_the_rules_of_tempo_want() -> None:
    days = {day: colour(day, 1) for day in DAYS}
    assert set(days.values()) == {"bleu", "blanc", "rouge"}
    red = [day for day, said in days.items() if said == "rouge"]
    white = [day for day, said in days.items() if said == "blanc"]
    assert [day for day in red if day.weekday() > 4 or day.month in range(4, 11)] == []
    assert [day for day in white if day.weekday() == 6] == []
    assert [day for day in days if mobile_peak(day, 1) and day.month in range(4, 11)] == []


def test_tomorrows_colour_is_known_from_eight_in_the_evening_to_six() -> None:
    known = colour(date(2026, 1, 16), 1)
    times = ("15T06:00", "15T19:59", "15T20:00", "16T05:59", "16T06:00")
    assert [tomorrow(local(f"2026-01-{at}"), 1) for at in times] == [None, None, known, known, None]


@pytest.mark.parametrize(
    ("contract", "mode", "index", "said"),
    [
        (Contract.BASE, Mode.STANDARD, 1, "BASE"),
        (Contract.TEMPO, Mode.STANDARD, 6, "HP ROUGE"),
        (Contract.TEMPO, Mode.HISTORIQUE, 6, "HPJR"),
        (Contract.EJP, Mode.HISTORIQUE, 2, "PM"),
    ],
)
def test_an_index_has_the_name_that_the_mode_gives_it(contract: Contract, mode: Mode, index: int, said: str) -> None:
    assert name(contract, mode, index) == said


# --- mobile peaks --------------------------------------------------------------------------------


def told(contract: Contract, at: datetime) -> list[tuple[int, str, str, bool, bool]]:
    """(number, begins, ends, announced, in force) of each peak known."""
    return [
        (p.number, f"{p.begins:%d %H}", f"{p.ends:%d %H}", p.is_announced(at), p.is_in_force(at))
        for p in peaks(contract, at, 1)
    ]


def test_a_red_day_is_the_second_mobile_peak() -> None:
    blue = day_of("bleu", "rouge", "bleu")
    red, after = blue + timedelta(days=1), blue + timedelta(days=2)
    begins, ends = f"{red:%d} 06", f"{after:%d} 06"
    assert [
        told(Contract.TEMPO, local(f"{blue}T16:59")),
        told(Contract.TEMPO, local(f"{blue}T17:00")),
        told(Contract.TEMPO, local(f"{blue}T20:00")),
        told(Contract.TEMPO, local(f"{red}T06:00")),
        told(Contract.TEMPO, local(f"{after}T05:59")),
        told(Contract.TEMPO, local(f"{after}T06:00")),
    ] == [
        [],
        [(2, begins, ends, False, False)],
        [(2, begins, ends, True, False)],
        [(2, begins, ends, False, True)],
        [(2, begins, ends, False, True)],
        [],
    ]


def test_the_peak_in_force_comes_before_the_next() -> None:
    white = day_of("blanc", "rouge")
    assert [(number, in_force) for number, *_, in_force in told(Contract.TEMPO, local(f"{white}T21:00"))] == [
        (1, True),
        (2, False),
    ]


def test_an_ejp_peak_is_the_first_mobile_peak() -> None:
    peak = ejp_day()
    eve, after = peak - timedelta(days=1), peak + timedelta(days=1)
    begins, ends = f"{peak:%d} 07", f"{after:%d} 01"
    assert [
        told(Contract.EJP, local(f"{eve}T16:59")),
        told(Contract.EJP, local(f"{eve}T17:00")),
        told(Contract.EJP, local(f"{peak}T06:59")),
        told(Contract.EJP, local(f"{peak}T07:00")),
        told(Contract.EJP, local(f"{after}T00:59")),
        told(Contract.EJP, local(f"{after}T01:00")),
    ] == [
        [],
        [(1, begins, ends, False, False)],
        [(1, begins, ends, True, False)],
        [(1, begins, ends, False, True)],
        [(1, begins, ends, False, True)],
        [],
    ]


@pytest.mark.parametrize("contract", [Contract.BASE, Contract.HCHP, Contract.PRODUCER])
def test_other_contracts_have_no_peaks(contract: Contract) -> None:
    assert [day for day in DAYS if peaks(contract, local(f"{day}T21:00"), 1)] == []


@pytest.mark.parametrize("contract", Contract)
def test_the_profile_of_the_next_day_names_indexes_of_the_contract(contract: Contract) -> None:
    switches = next_day(contract).switches
    assert switches[0].at == "00:00"
    # a Linky keeps to the blue day's profile, whatever the colour
    assert {s.index for s in switches} <= {1, 2}
    for switch in switches[1:]:
        at = local(f"2026-07-15T{switch.at}")
        assert running_index(contract, at, 1) == switch.index


@pytest.mark.parametrize("contract", [Contract.TEMPO, Contract.EJP])
def test_the_profile_of_a_peak_day_is_what_then_happens(contract: Contract) -> None:
    for day in DAYS:
        for peak in peaks(contract, local(f"{day}T18:00"), 1):
            if peak.begins.date() <= day:
                continue
            for switch in next_peak_day(contract, peak).switches:
                clock = time.fromisoformat(switch.at)
                at = datetime.combine(peak.begins.date(), clock, peak.begins.tzinfo)
                if peak.is_in_force(at):
                    assert running_index(contract, at, 1) == switch.index
