"""The supplier index in force, and when another one follows."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.derived.peaks import Peak
from bridge.derived.tariff import Change, Days, NextDay, Running, Timetable, index_at
from bridge.tic.models import Standard
from bridge.tic.values import DayProfile

FRIDAY, SATURDAY, SUNDAY = date(2020, 2, 14), date(2020, 2, 15), date(2020, 2, 16)
OFF_PEAK = DayProfile("0000C001 06208002 2220C001")  # a real meter's
FLAT = DayProfile("00008001")
TEMPO = DayProfile("00004001 06004002 22004001")
WHITE = DayProfile("00004003 06004004 22004003")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- the index in force --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "index"),
    [
        ([], None),
        ([(3, 3)], 3),
        ([(3, None)], 3),  # NTARF is missing
        ([(None, 3)], 3),  # STGE is missing, or its code is not defined
        ([(None, None)], None),
        ([(3, 3), (None, None)], 3),
        ([(2, 1)], None),
        ([(2, 2), (1, 2)], 2),  # written before and after a switch, in one frame
        ([(2, 2), (1, 2), (1, 1)], 1),
        ([(2, 2), (1, 2), (1, 2)], None),  # one of them lies
        ([(2, 2), (1, 2), (None, None), (1, 2)], None),
        ([(2, 2), (1, 2), (1, 1), (2, 1)], 1),
        ([(2, 2), (1, 2), (1, 2), (1, 1)], 1),
    ],
)
def test_the_register_and_ntarf_must_agree(frames: list[tuple[int | None, int | None]], index: int | None) -> None:
    running = Running()
    for said in frames:
        running.take(*said)
    assert running.index == index


# --- profiles ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "clock", "index"),
    [
        (OFF_PEAK, "00:00", 1),
        (OFF_PEAK, "06:19", 1),
        (OFF_PEAK, "06:20", 2),
        (OFF_PEAK, "22:19", 2),
        (OFF_PEAK, "23:59", 1),
        (DayProfile("22008001 06008002"), "12:00", 2),  # in whatever order
        (DayProfile("00008001 06008000"), "12:00", 1),  # "unchanged"
        (DayProfile("06008002"), "05:59", None),
        (DayProfile(""), "12:00", None),
        (None, "12:00", None),
    ],
)
def test_a_profile_tells_the_index_at_a_time_of_day(profile: DayProfile | None, clock: str, index: int | None) -> None:
    assert index_at(profile, wall(f"2020-02-14T{clock}")) == index


def known(*frames: tuple[date, Standard]) -> dict[date, DayProfile]:
    days = Days()
    for today, reading in frames:
        days.take(reading, today)
    return dict(days.known)


def test_days_of_the_same_number_have_the_same_profile() -> None:
    assert known((FRIDAY, Standard(njourf=0, njourf_next=0, pjourf_next=TEMPO))) == {FRIDAY: TEMPO, SATURDAY: TEMPO}


def test_a_day_of_another_number_is_known_once_it_was_tomorrow() -> None:
    friday = Standard(njourf=0, njourf_next=1, pjourf_next=FLAT)
    saturday = Standard(njourf=1, njourf_next=0, pjourf_next=OFF_PEAK)
    assert known((FRIDAY, friday)) == {SATURDAY: FLAT}
    assert known((FRIDAY, friday), (SATURDAY, saturday)) == {SATURDAY: FLAT, SUNDAY: OFF_PEAK}
    # and a week later all are known
    assert known((SATURDAY, saturday), (FRIDAY, friday)) == {FRIDAY: OFF_PEAK, SATURDAY: FLAT}


def test_what_was_tomorrow_is_today_after_midnight_even_in_a_frame_that_lost_the_numbers() -> None:
    friday = Standard(njourf=0, njourf_next=1, pjourf_next=FLAT)
    assert known((FRIDAY, friday), (SATURDAY, Standard(east=1))) == {SATURDAY: FLAT}
    assert known((FRIDAY, friday), (SUNDAY, Standard(east=1))) == {}


def test_a_profile_without_its_number_is_nobodys() -> None:
    assert known((FRIDAY, Standard(njourf=0, pjourf_next=TEMPO))) == {}
    assert known((FRIDAY, Standard(njourf=0, njourf_next=0))) == {}
    assert known((FRIDAY, Standard(njourf_next=0, pjourf_next=TEMPO)), (FRIDAY, Standard(njourf=0, njourf_next=0))) == {
        FRIDAY: TEMPO,
        SATURDAY: TEMPO,
    }


def test_another_contract_has_other_days() -> None:
    days = Days()
    reading = Standard(njourf=1, njourf_next=0, pjourf_next=TEMPO)
    days.take(Standard(njourf=0, njourf_next=1, pjourf_next=FLAT), FRIDAY)
    days.forget()
    days.take(reading, FRIDAY)
    assert days.known == {SATURDAY: TEMPO}


def test_a_frame_that_says_nothing_new_changes_nothing() -> None:
    days = Days()
    days.take(Standard(njourf=0, njourf_next=0, pjourf_next=TEMPO), FRIDAY)
    before = days.known
    days.take(Standard(njourf=0, njourf_next=0, pjourf_next=TEMPO), FRIDAY)
    assert days.known is before


# --- the next change -----------------------------------------------------------------------------

BOTH = {FRIDAY: TEMPO, SATURDAY: TEMPO}
PEAK = Peak(1, wall("2020-02-14T06:00"), wall("2020-02-15T06:00"), WHITE)


@pytest.mark.parametrize(
    ("now", "running", "change"),
    [
        ("2020-02-14T00:00", 1, Change(wall("2020-02-14T06:00"), 2)),
        ("2020-02-14T06:00", 2, Change(wall("2020-02-14T22:00"), 1)),
        # over midnight: 00:00 is a switch that changes nothing
        ("2020-02-14T23:00", 1, Change(wall("2020-02-15T06:00"), 2)),
        # the meter was a little early, or is a little late
        ("2020-02-14T21:59", 1, Change(wall("2020-02-15T06:00"), 2)),
        ("2020-02-14T22:00", 2, Change(wall("2020-02-14T22:00"), 1)),
        # the profile is not that of the running index
        ("2020-02-14T21:58", 1, None),
        ("2020-02-14T22:01", 2, None),
        ("2020-02-14T12:00", 5, None),
    ],
)
def test_the_next_change_of_a_plain_day(now: str, running: int, change: Change | None) -> None:
    assert Timetable(BOTH).next_change(wall(now), running) == change


@pytest.mark.parametrize(
    ("days", "now", "change"),
    [
        ({}, "2020-02-14T12:00", None),
        ({SATURDAY: OFF_PEAK}, "2020-02-14T12:00", None),  # what is left of today is not known
        ({FRIDAY: OFF_PEAK}, "2020-02-14T12:00", Change(wall("2020-02-14T22:20"), 1)),
        ({FRIDAY: DayProfile("00008002")}, "2020-02-14T12:00", None),  # what comes at midnight is not known
        ({FRIDAY: DayProfile("00008002"), SATURDAY: FLAT}, "2020-02-14T12:00", Change(wall("2020-02-15T00:00"), 1)),
        # on Base, never
        ({FRIDAY: DayProfile("00008002"), SATURDAY: DayProfile("00008002")}, "2020-02-14T12:00", None),
    ],
)
def test_what_is_not_known_is_not_guessed(days: dict[date, DayProfile], now: str, change: Change | None) -> None:
    assert Timetable(days).next_change(wall(now), 2) == change


@pytest.mark.parametrize(
    ("now", "running", "change"),
    [
        ("2020-02-14T03:00", 1, Change(wall("2020-02-14T06:00"), 4)),
        ("2020-02-14T12:00", 4, Change(wall("2020-02-14T22:00"), 3)),
        ("2020-02-14T23:00", 3, Change(wall("2020-02-15T06:00"), 2)),
        ("2020-02-15T03:00", 3, Change(wall("2020-02-15T06:00"), 2)),
        ("2020-02-15T06:00", 2, Change(wall("2020-02-15T22:00"), 1)),
    ],
)
def test_in_a_peak_its_own_profile_rules(now: str, running: int, change: Change) -> None:
    today = wall(now).date()
    days = {today: TEMPO, today + timedelta(days=1): TEMPO}
    assert Timetable(days, (PEAK,)).next_change(wall(now), running) == change


def test_that_a_peak_begins_is_known_before_its_profile_is() -> None:
    coming = Peak(1, wall("2020-02-15T06:00"), wall("2020-02-16T06:00"))
    assert Timetable(BOTH, (coming,)).next_change(wall("2020-02-14T23:00"), 1) == Change(wall("2020-02-15T06:00"), None)


def test_in_a_peak_whose_profile_was_said_before_we_came_nothing_is_known() -> None:
    assert Timetable(BOTH, (PEAK._replace(profile=None),)).next_change(wall("2020-02-14T12:00"), 4) is None


NOT_ANNOUNCED = NextDay(wall("2020-02-15T06:00"), None)


@pytest.mark.parametrize(("number", "running"), [(1, 4), (2, 6)])
def test_but_on_tempo_a_peak_keeps_the_hours_of_the_day(number: int, running: int) -> None:
    unheard = Peak(number, PEAK.begins, PEAK.ends)
    on_tempo = Timetable(BOTH, (unheard,), NOT_ANNOUNCED)
    assert on_tempo.next_change(wall("2020-02-14T12:00"), running) == Change(wall("2020-02-14T22:00"), running - 1)
    assert on_tempo.next_change(wall("2020-02-14T12:00"), 2) is None  # it is not that peak that runs
    assert Timetable({}, (unheard,), NOT_ANNOUNCED).next_change(wall("2020-02-14T12:00"), running) is None


@pytest.mark.parametrize(
    ("peak", "index"),
    [
        (None, None),  # silence is not blue, but the hours change in any colour
        (0, 2),
        (1, 4),  # white after white: DPM1 still tells of the first one
        (2, 6),
    ],
)
def test_the_next_tempo_day_has_the_colour_that_was_announced(peak: int | None, index: int | None) -> None:
    on_tempo = Timetable(BOTH, (PEAK,), NextDay(PEAK.ends, peak))
    assert on_tempo.next_change(wall("2020-02-14T23:00"), 3) == Change(wall("2020-02-15T06:00"), index)


def test_without_a_colour_and_without_other_hours_a_tempo_day_may_bring_no_change() -> None:
    later = {FRIDAY: OFF_PEAK, SATURDAY: OFF_PEAK}  # the hours change at 06:20
    assert Timetable(later, (), NOT_ANNOUNCED).next_change(wall("2020-02-14T23:00"), 1) is None
    blue = NOT_ANNOUNCED._replace(peak=0)
    assert Timetable(later, (), blue).next_change(wall("2020-02-14T23:00"), 1) == Change(wall("2020-02-15T06:20"), 2)
    # nor where the day is not known
    assert Timetable({FRIDAY: OFF_PEAK}, (), NOT_ANNOUNCED).next_change(wall("2020-02-14T23:00"), 1) is None


def test_beyond_the_next_tempo_day_no_colour_is_known() -> None:
    flat = {FRIDAY: FLAT, SATURDAY: FLAT}
    yesterday = NextDay(wall("2020-02-14T06:00"), 0)
    assert Timetable(flat, (), yesterday).next_change(wall("2020-02-14T23:00"), 1) is None


def test_a_peak_is_known_without_the_day_around_it() -> None:
    # the days have other numbers, so today's profile is not known
    assert Timetable({}, (PEAK,)).next_change(wall("2020-02-14T12:00"), 4) == Change(wall("2020-02-14T22:00"), 3)
    assert Timetable({}, (PEAK,)).next_change(wall("2020-02-14T23:00"), 3) is None


def test_a_peak_of_another_contract_may_end_after_midnight() -> None:
    ejp = Peak(1, wall("2020-02-14T07:00"), wall("2020-02-15T01:00"), DayProfile("00008002 01008001 07008002"))
    timetable = Timetable({FRIDAY: FLAT, SATURDAY: FLAT}, (ejp,))
    assert timetable.next_change(wall("2020-02-14T06:30"), 1) == Change(wall("2020-02-14T07:00"), 2)
    assert timetable.next_change(wall("2020-02-14T12:00"), 2) == Change(wall("2020-02-15T01:00"), 1)


CLOCK = st.times().map(lambda at: f"{at:%H%M}")
PROFILES = st.lists(st.tuples(CLOCK, st.integers(0, 15)), max_size=6).map(
    lambda blocks: DayProfile(" ".join(f"{clock}{index:04X}" for clock, index in blocks))
)


@given(PROFILES, PROFILES, st.datetimes(wall("2020-02-14T00:00"), wall("2020-02-14T23:59")), st.integers(1, 10))
def test_until_the_next_change_the_index_runs_on_and_then_it_is_another(
    today: DayProfile, tomorrow: DayProfile, now: datetime, running: int
) -> None:
    days = {FRIDAY: today, SATURDAY: tomorrow}
    change = Timetable(days).next_change(now, running)
    if change is None or index_at(today, now) != running:
        return
    assert index_at(days[change.at.date()], change.at) == change.number != running
    minutes = int((change.at - now).total_seconds() // 60)
    passed = (now + timedelta(minutes=n) for n in range(minutes))
    assert {index_at(days[at.date()], at) for at in passed} <= {running}
