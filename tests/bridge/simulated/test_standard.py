"""What a simulated meter says in mode standard."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bridge.simulated.contract import Contract, colour
from bridge.simulated.plan import Plan
from bridge.simulated.standard import MESSAGE
from bridge.tic.models import Standard
from bridge.tic.values import PARIS
from tests.bridge.simulated import NOON, SUMMER_NOON, frames, local, name_of, standard
from tests.bridge.simulated.test_contract import day_of, ejp_day


@pytest.mark.parametrize(
    ("plan", "groups", "size"),  # section 9 of the note
    [
        (Plan(Contract.BASE), 38, 865),
        (Plan(Contract.PRODUCER), 48, 1070),
        (Plan(Contract.BASE, phases=3), 53, 1200),
        (Plan(Contract.PRODUCER, phases=3), 63, 1440),
    ],
    ids=name_of,
)
def test_frames_are_as_long_as_real_ones(plan: Plan, groups: int, size: int) -> None:
    [frame] = frames(plan, SUMMER_NOON, number=1)
    assert frame.count(b"\n") == groups
    assert len(frame) == pytest.approx(size, rel=0.03)


def test_a_tempo_frame_with_a_peak_announced_is_as_long_as_a_real_one() -> None:
    eve = day_of("bleu", "rouge")
    [frame] = frames(Plan(Contract.TEMPO), local(f"{eve}T18:00"), number=1)
    assert frame.count(b"\n") == 41
    assert len(frame) == pytest.approx(1025, rel=0.03)


def test_panels_make_a_meter_inject_at_noon() -> None:
    [*_, reading] = standard(Plan(Contract.PRODUCER, seed=3), SUMMER_NOON, number=40)
    assert reading.stge is not None
    assert reading.sinsti is not None
    assert reading.smaxin is not None
    assert (reading.sinsts, reading.sinsti > 0, reading.smaxin >= reading.sinsti) == (0, True, True)
    assert (reading.stge.role, reading.stge.energy_direction) == ("producer", "injected")


def test_the_daily_maximum_starts_again_at_midnight() -> None:
    evening = datetime.combine(date(2026, 1, 15), datetime.min.time().replace(hour=23), PARIS)
    told = standard(Plan(), evening, step=60, number=120)
    before, after = told[59], told[61]
    assert (after.smaxsn_prev, after.stamps["smaxsn_prev"].raw) == (before.smaxsn, before.stamps["smaxsn"].raw)
    assert after.stamps["smaxsn"].raw.startswith("H260116")


def test_the_load_curve_moves_every_half_hour() -> None:
    told = [reading.stamps["ccasn"].raw for reading in standard(Plan(), NOON, step=600, number=6)]
    assert told == ["H260115120000"] * 3 + ["H260115123000"] * 3


def test_the_mean_voltage_is_that_of_ten_minutes() -> None:
    told = [reading.stamps["umoy1"].raw for reading in standard(Plan(), NOON, step=300, number=4)]
    assert told == ["H260115120000"] * 2 + ["H260115121000"] * 2


@pytest.mark.parametrize("phases", [1, 3])
def test_above_the_subscribed_power_the_register_says_so(phases: int) -> None:
    told = standard(Plan(phases=phases, overload=True), NOON, step=10, number=400)
    said = [reading.stge is not None and reading.stge.over_power for reading in told]
    power = "sinsts" if phases == 1 else "sinsts1"
    assert set(said) == {False, True}
    assert said == [reading.get(power) > (9000 if phases == 1 else 6000) for reading in told]


def test_the_breaker_never_trips_although_overloaded() -> None:
    told = standard(Plan(overload=True), NOON, step=10, number=2000)
    assert max(reading.smaxsn or 0 for reading in told) < 1.3 * 9000


# --- tempo, peaks --------------------------------------------------------------------------------


def peak_labels(reading: Standard) -> dict[str, str]:
    """The raw horodates of DPMn and FPMn, and the indexes of PPOINTE."""
    said = {slug: stamp.raw for slug, stamp in reading.stamps.items() if slug[1:3] == "pm"}
    if reading.ppointe is not None:
        said["ppointe"] = " ".join(f"{s.at} {s.index}" for s in reading.ppointe.switches)
    return said


def bits(reading: Standard) -> tuple[str | None, str | None, str | None, str | None]:
    """Today, tomorrow, notice, peak."""
    register = reading.stge
    assert register is not None
    return register.tempo_today, register.tempo_tomorrow, register.peak_notice, register.peak


def test_a_red_day_is_told_as_real_meters_tell_it() -> None:
    blue = day_of("bleu", "rouge", "bleu")
    red, after = blue + timedelta(days=1), blue + timedelta(days=2)
    peak = {"dpm2": f" {red:%y%m%d}060000", "fpm2": f" {after:%y%m%d}060000"}
    profile = {"ppointe": "00:00 5 06:00 6 22:00 5"}
    times = [f"{blue}T16:00", f"{blue}T18:00", f"{blue}T21:00", f"{red}T06:30", f"{after}T05:00", f"{after}T06:30"]
    told = [standard(Plan(), local(at))[0] for at in times]
    assert [(peak_labels(reading), bits(reading)) for reading in told] == [
        ({}, ("bleu", None, None, None)),
        ({**peak, **profile}, ("bleu", None, None, None)),  # known hours before STGE says so
        ({**peak, **profile}, ("bleu", "rouge", "pm2", None)),
        (peak, ("rouge", None, None, "pm2")),
        (peak, ("rouge", "bleu", None, "pm2")),
        ({}, ("bleu", None, None, None)),
    ]
    assert told[3].dpm2 == local(f"{red}T06:00")


def test_a_white_day_before_a_red_one_is_told_beside_it() -> None:
    white = day_of("blanc", "rouge")
    [reading] = standard(Plan(), local(f"{white}T21:00"))
    assert set(peak_labels(reading)) == {"dpm1", "fpm1", "dpm2", "fpm2", "ppointe"}
    assert bits(reading) == ("blanc", "rouge", "pm2", "pm1")


def test_a_second_white_day_is_told_by_the_register_alone() -> None:
    white = day_of("blanc", "blanc")
    [reading] = standard(Plan(), local(f"{white}T21:00"))
    assert peak_labels(reading)["dpm1"] == f" {white:%y%m%d}060000"
    assert "ppointe" not in peak_labels(reading)
    assert bits(reading) == ("blanc", "blanc", "pm1", "pm1")


def test_an_ejp_peak_is_told_by_the_register_too() -> None:
    peak = ejp_day()
    eve, after = peak - timedelta(days=1), peak + timedelta(days=1)
    times = [f"{eve}T18:00", f"{eve}T21:00", f"{peak}T07:30", f"{after}T01:30"]
    told = [standard(Plan(Contract.EJP), local(at))[0] for at in times]
    ahead = {"dpm1": f" {peak:%y%m%d}070000", "fpm1": f" {after:%y%m%d}010000"}
    profile = {"ppointe": "00:00 2 01:00 1 07:00 2"}
    assert [(peak_labels(reading), bits(reading), reading.ntarf) for reading in told] == [
        ({**ahead, **profile}, (None, None, None, None), 1),
        ({**ahead, **profile}, (None, None, "pm1", None), 1),
        (ahead, (None, None, None, "pm1"), 2),
        ({}, (None, None, None, None), 1),
    ]


def test_todays_colour_is_the_one_of_the_period() -> None:
    for hour in range(0, 48, 3):
        [reading] = standard(Plan(Contract.TEMPO), NOON + timedelta(hours=hour))
        assert reading.stge is not None
        assert (reading.ltarf or "").lower().endswith(reading.stge.tempo_today or "?")
        assert reading.stge.tariff_index == reading.ntarf


def test_tomorrows_colour_stands_in_the_register_from_eight_in_the_evening_on() -> None:
    told = standard(Plan(Contract.TEMPO), local("2026-01-15T19:00"), step=1800, number=4)
    known = colour(date(2026, 1, 16), 1)
    assert [bits(reading)[1] for reading in told] == [None, None, known, known]


# --- the rest of the register --------------------------------------------------------------------


@pytest.mark.parametrize(("contract", "closed"), [(Contract.HCHP, True), (Contract.TEMPO, True), (Contract.EJP, False)])
def test_the_dry_contact_closes_off_peak_where_there_is_off_peak(contract: Contract, closed: bool) -> None:
    [night], [day] = (standard(Plan(contract), local(f"2026-07-15T{clock}")) for clock in ("23:00", "12:00"))
    for reading, expected in ((night, closed), (day, False)):
        assert reading.stge is not None
        assert reading.relais is not None
        assert (reading.stge.dry_contact_closed, reading.relais.closed(1)) == (expected, expected)


def test_a_meter_that_lost_its_clock_writes_small_letters() -> None:
    [reading] = standard(Plan(degraded=True), SUMMER_NOON)
    assert reading.stge is not None
    assert reading.stge.clock_degraded
    assert {stamp.raw[0] for slug, stamp in reading.stamps.items()} == {"e"}
    assert {stamp.degraded for stamp in reading.stamps.values()} == {True}
    [sound] = standard(Plan(), SUMMER_NOON)
    assert sound.stge is not None
    assert (sound.date, sound.stge.clock_degraded) == (reading.date, False)


def test_the_very_short_message_stands_in_single_frames() -> None:
    told = [reading.msg2 for reading in standard(Plan(), NOON, step=60, number=1440)]
    said = [n for n, message in enumerate(told) if message is not None]
    assert {told[n] for n in said} == {MESSAGE}
    assert 10 < len(said) < 40
    assert {n % 15 for n in said} == {0}
    assert told[0] is None
