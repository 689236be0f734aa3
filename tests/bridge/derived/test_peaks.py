"""Mobile peaks that the meter knows of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.derived.peaks import Peak, Peaks
from bridge.tic.models import Standard
from bridge.tic.values import PARIS, DayProfile, read_stamp

WHITE = DayProfile("00004003 06004004 22004003")
RED = DayProfile("00004005 06004006 22004005")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def at(text: str) -> datetime:
    """As DPMn and FPMn give it: ` 200214060000`."""
    return read_stamp(f" {text}0000").at


def known(*frames: tuple[str, Standard, Sequence[str]]) -> tuple[Peak, ...]:
    peaks = Peaks(PARIS)
    for now, reading, gone in frames:
        peaks.take(reading, gone, wall(now))
    return peaks.known


WHITE_DAY = Standard(dpm1=at("20021406"), fpm1=at("20021506"))
MONDAY = Peak(1, wall("2020-02-14T06:00"), wall("2020-02-15T06:00"))


def test_a_peak_runs_from_its_begin_to_its_end_on_the_meters_clock() -> None:
    assert known(("2020-02-13T18:00", WHITE_DAY, ())) == (MONDAY,)
    moments = ("2020-02-14T05:59:59", "2020-02-14T06:00", "2020-02-15T05:59:59", "2020-02-15T06:00")
    assert [MONDAY.is_in_force(wall(moment)) for moment in moments] == [False, True, True, False]


def test_a_meter_that_knows_of_no_peak_says_nothing() -> None:
    assert known(("2020-02-13T18:00", Standard(east=1), ())) == ()


def test_a_peak_without_its_end_is_not_known_yet() -> None:
    assert known(("2020-02-13T18:00", Standard(dpm1=at("20021406")), ())) == ()


def test_what_one_frame_lacks_is_remembered_and_what_stopped_is_not() -> None:
    damaged = Standard(fpm1=at("20021506"))
    assert known(("2020-02-13T18:00", WHITE_DAY, ()), ("2020-02-13T18:00", damaged, ())) == (MONDAY,)
    gone = (("2020-02-13T18:00", WHITE_DAY, ()), ("2020-02-15T06:00", Standard(), ("dpm1", "fpm1")))
    assert known(*gone) == ()


def test_the_profile_is_that_of_the_next_peak_that_did_not_begin() -> None:
    both = Standard(
        dpm1=at("20021406"), fpm1=at("20021506"), dpm2=at("20021506"), fpm2=at("20021606"), ppointe=WHITE,
    )  # fmt: skip
    saturday = Peak(2, wall("2020-02-15T06:00"), wall("2020-02-16T06:00"))
    assert known(("2020-02-13T18:00", both, ())) == (MONDAY._replace(profile=WHITE), saturday)
    later = both.model_copy(update={"ppointe": RED})
    assert known(("2020-02-13T18:00", both, ()), ("2020-02-14T06:00", later, ())) == (
        MONDAY._replace(profile=WHITE),
        saturday._replace(profile=RED),
    )


def test_a_profile_is_remembered_when_its_peak_begins_and_ppointe_stops() -> None:
    announced = WHITE_DAY.model_copy(update={"ppointe": WHITE})
    assert known(("2020-02-13T18:00", announced, ()), ("2020-02-14T06:00", WHITE_DAY, ("ppointe",))) == (
        MONDAY._replace(profile=WHITE),
    )


def test_a_profile_that_is_still_sent_is_that_of_the_peak_in_force() -> None:
    # teleinfo2mqtt issue 47: PPOINTE at noon of the peak's day
    announced = WHITE_DAY.model_copy(update={"ppointe": WHITE})
    assert known(("2020-02-14T12:00", announced, ())) == (MONDAY._replace(profile=WHITE),)


def test_a_profile_of_no_known_peak_is_nobodys() -> None:
    over = WHITE_DAY.model_copy(update={"ppointe": WHITE})
    assert known(("2020-02-16T12:00", over, ())) == (MONDAY,)
    assert known(("2020-02-16T12:00", Standard(ppointe=WHITE), ())) == ()


def test_another_contract_has_other_profiles() -> None:
    announced = WHITE_DAY.model_copy(update={"ppointe": WHITE})
    peaks = Peaks(PARIS)
    peaks.take(announced, (), wall("2020-02-13T18:00"))
    peaks.forget()
    peaks.take(WHITE_DAY, ("ppointe",), wall("2020-02-13T18:00"))
    assert peaks.known == (MONDAY,)


def test_a_meter_overseas_keeps_the_time_of_its_own_zone() -> None:
    zone = ZoneInfo("America/Guadeloupe")
    begins, ends = (read_stamp(f" {text}0000", zone).at for text in ("20071406", "20071506"))
    peaks = Peaks(zone)
    peaks.take(Standard(dpm1=begins, fpm1=ends), (), wall("2020-07-13T18:00"))
    assert peaks.known == (Peak(1, wall("2020-07-14T06:00"), wall("2020-07-15T06:00")),)


def test_a_frame_that_says_nothing_new_changes_nothing() -> None:
    peaks = Peaks(PARIS)
    peaks.take(WHITE_DAY, (), wall("2020-02-13T18:00"))
    before = peaks.known
    peaks.take(WHITE_DAY, (), wall("2020-02-14T18:00"))
    assert peaks.known is before
