"""What a meter in mode standard tells beyond its labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from bridge.derived.standard import REGISTER_PARTS, OfStandard
from bridge.derived.told import Told
from bridge.tic.models import Standard
from bridge.tic.values import PARIS, DayProfile, Relays, Stamp, StatusRegister, Value, read_stamp
from tests.bridge.heard import START, checked

TEMPO = DayProfile("00004001 06004002 22004001")
WHITE = DayProfile("00004003 06004004 22004003")
WHITE_DAY = StatusRegister(0x463A0800)  # index 3, today white, tomorrow blue, PM1 in force
OFF_PEAK = DayProfile("0000C001 06208002 2220C001")


def frames(*readings: Standard | tuple[Standard, Sequence[str]]) -> list[list[Told]]:
    """What each frame tells, a second apart; a tuple names the labels that stopped, too."""
    meter = OfStandard(PARIS)
    said = []
    for n, reading in enumerate(readings):
        reading, gone = reading if isinstance(reading, tuple) else (reading, ())  # noqa: PLW2901  one of two shapes
        said.append(list(meter.take(reading, checked(reading, float(n)).at, gone)))
    return said


def told(*readings: Standard | tuple[Standard, Sequence[str]]) -> list[dict[str, Value]]:
    return [{told.slug: told.value for told in frame} for frame in frames(*readings)]


def dated(date: str, **labels: Any) -> Standard:
    """A frame with its DATE."""
    stamp: Stamp = read_stamp(date)
    return Standard(date=stamp.at, stamps={"date": stamp}, **labels)


def test_an_empty_frame_tells_nothing() -> None:
    assert told(Standard()) == [{}]


# --- registers -----------------------------------------------------------------------------------


def test_the_parts_of_the_register_are_told_when_it_changes() -> None:
    register = {
        "breaker": "closed", "terminal_cover": False, "overvoltage": False, "over_power": False, "role": "consumer",
        "energy_direction": "drawn", "distributor_tariff": 1, "clock_degraded": False, "tic_output": "standard",
        "euridis": "secured", "plc": "new_lock", "plc_synchronised": False, "peak_notice": None, "peak": "pm1",
    }  # fmt: skip
    first, second, third = told(
        Standard(stge=WHITE_DAY), Standard(stge=WHITE_DAY), Standard(stge=StatusRegister(0x463A0880))
    )
    assert first == {
        **register, "tariff_index": 3, "tempo_today": "blanc", "tempo_tomorrow": "bleu", "next_tariff_change": None,
    }  # fmt: skip
    assert second == {"tariff_index": 3}
    assert {slug for slug in third if third[slug] != first.get(slug)} == {"over_power"}
    assert set(REGISTER_PARTS) <= set(first)


def test_the_relays_are_told_when_they_change() -> None:
    relays = Relays(140)
    assert told(Standard(relais=relays), Standard(relais=relays), Standard(relais=Relays(0))) == [
        {f"relay_{n}": n in (3, 4, 8) for n in range(1, 9)},
        {},
        {f"relay_{n}": False for n in range(1, 9)},
    ]


# --- powers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "share"),
    [
        (Standard(sinsts=4500, pref=9), {"power_used_percent": 50}),
        (Standard(sinst1=4500, pref=9), {"power_used_percent": 50}),  # a pilot meter's spelling
        (Standard(sinsts=0, pref=9), {"power_used_percent": 0}),
        (Standard(sinsts=4500), {}),
        (Standard(sinsts=4500, pref=0), {}),
    ],
)
def test_the_share_of_the_subscribed_power(reading: Standard, share: dict[str, Value]) -> None:
    assert told(reading) == [share]


def test_margin_and_time_to_the_breakers_trip() -> None:
    assert told(
        Standard(sinsts=4500, smaxsn=5000, pcoup=9), Standard(pcoup=9), Standard(sinsts=18_000, smaxsn=5000)
    ) == [
        {"breaker_margin": 7200, "breaker_seconds_to_trip": None},
        {},
        {"breaker_margin": -6300, "breaker_seconds_to_trip": 58},  # 68 from rest
    ]


def test_the_mean_power_comes_from_both_indexes() -> None:
    readings = [Standard(east=100 + 2 * n, eait=50 + n) for n in range(100)]
    assert [told(*readings)[n] for n in (0, -1)] == [{"active_power_mean": None}, {"active_power_mean": 3600}]
    # a frame that lost one
    assert told(*readings, Standard(eait=150))[-1] == {"active_power_mean": 3600}


# --- tariff --------------------------------------------------------------------------------------


def test_the_period_is_the_suppliers_text() -> None:
    assert told(Standard(ltarf="HP BLEU")) == [{"tariff_period": "HP BLEU"}]


def test_the_index_is_what_register_and_ntarf_agree_on() -> None:
    assert told(dated("H200214120000", ntarf=2)) == [{"tariff_index": 2, "next_tariff_change": None}]
    agreed, contradicted = Standard(stge=WHITE_DAY, ntarf=3), Standard(stge=WHITE_DAY, ntarf=4)
    indexes = [said.get("tariff_index") for said in told(agreed, contradicted, Standard(), contradicted)]
    assert indexes == [3, 3, None, None]


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def changes(*readings: Standard | tuple[Standard, Sequence[str]]) -> list[tuple[Value, Any]]:
    """Each time that the next change is told, and the index that follows."""
    return [
        (told.value, told.attributes)
        for frame in frames(*readings)
        for told in frame
        if told.slug == "next_tariff_change"
    ]


def plain(date: str, index: int, **labels: Any) -> Standard:
    return dated(date, **{"ntarf": index, "njourf": 0, "njourf_next": 0, "pjourf_next": OFF_PEAK, **labels})


def test_the_next_change_is_told_when_it_changes_and_looked_at_each_minute() -> None:
    assert changes(
        plain("E190922173134", 2), plain("E190922173135", 2), plain("E190922221959", 2), plain("E190922222001", 1)
    ) == [
        (paris("2019-09-22T22:20"), {"index": 1}),
        (paris("2019-09-22T22:20"), {"index": 1}),
        (paris("2019-09-23T06:20"), {"index": 2}),
    ]


def test_the_next_change_carries_the_offset_of_its_own_day() -> None:
    # the night in which winter time begins
    [(change, _)] = changes(plain("E191026230000", 1))
    assert isinstance(change, datetime)
    assert change.isoformat() == "2019-10-27T06:20:00+01:00"


def test_a_clock_that_the_meter_doubts_foretells_nothing() -> None:
    assert changes(plain("e190922173134", 2)) == [(None, {"index": None})]


def test_without_a_date_the_hosts_clock_counts() -> None:
    reading = Standard(ntarf=2, njourf=0, njourf_next=0, pjourf_next=OFF_PEAK)
    assert START.isoformat() == "2026-01-15T12:00:00+00:00"
    assert changes(reading) == [(paris("2026-01-15T22:20"), {"index": 1})]


def test_a_frame_that_lost_its_date_decides_nothing_anew() -> None:
    assert changes(plain("E190922173134", 2), Standard(ntarf=1)) == [(paris("2019-09-22T22:20"), {"index": 1})]


def test_a_contradiction_ends_what_was_foretold() -> None:
    lies = {"stge": StatusRegister(0)}
    assert changes(plain("E190922173134", 2), plain("E190922173135", 2, **lies), plain("E190922173136", 2, **lies)) == [
        (paris("2019-09-22T22:20"), {"index": 1}),
        (None, {"index": None}),
    ]


def test_another_contract_forgets_the_profiles() -> None:
    week = {"njourf": 0, "njourf_next": 1, "pjourf_next": DayProfile("00008001")}
    sunday = {"njourf": 1, "njourf_next": 0}
    known = plain("E190921173134", 1, ngtf="A", **sunday), plain("E190922173134", 2, ngtf="A", **week)
    other = plain("E190921173134", 1, ngtf="A", **sunday), plain("E190922173134", 2, ngtf="B", **week)
    assert [changes(*said)[-1] for said in (known, other)] == [
        (paris("2019-09-22T22:20"), {"index": 1}),
        (None, {"index": None}),
    ]


def test_on_a_white_day_the_peaks_profile_is_remembered() -> None:
    blue, white = StatusRegister(0x013A0401), StatusRegister(0x423A0C01)
    peak = {
        "dpm1": read_stamp(" 200214060000").at, "fpm1": read_stamp(" 200215060000").at, "pjourf_next": TEMPO,
    }  # fmt: skip
    eve = plain("H200213180000", 2, stge=blue, ppointe=WHITE, **peak)
    began = plain("H200214060001", 4, stge=white, **peak)
    assert changes(eve, (began, ["ppointe"])) == [
        (paris("2020-02-13T22:00"), {"index": 1}),
        (paris("2020-02-14T22:00"), {"index": 3}),
    ]
    # after a restart the hours of the day are taken
    assert changes(began) == [(paris("2020-02-14T22:00"), {"index": 3})]


def test_a_white_day_that_follows_another_is_foretold_by_the_register() -> None:
    # white in force and announced; DPM1 and FPM1 still tell of the first one
    register = StatusRegister(0x4A3A0800)
    peak = {
        "dpm1": read_stamp(" 200214060000").at, "fpm1": read_stamp(" 200215060000").at, "pjourf_next": TEMPO,
    }  # fmt: skip
    assert changes(plain("H200214230000", 3, stge=register, **peak)) == [(paris("2020-02-15T06:00"), {"index": 4})]


def test_before_tomorrows_colour_is_known_only_the_time_of_the_next_change_is() -> None:
    register = StatusRegister(0x013A0001)
    assert changes(plain("H200214230000", 1, stge=register, pjourf_next=TEMPO)) == [
        (paris("2020-02-15T06:00"), {"index": None})
    ]


# --- tempo ---------------------------------------------------------------------------------------


def colours(*readings: Standard | tuple[Standard, Sequence[str]]) -> list[list[Told]]:
    return [[told for told in frame if told.slug.startswith("tempo")] for frame in frames(*readings)]


def test_colours_are_told_with_their_source_when_something_changes() -> None:
    red = {"dpm2": read_stamp(" 200215060000").at, "fpm2": read_stamp(" 200216060000").at}
    blue = StatusRegister(0x013A0401)
    today = Told("tempo_today", "bleu", {"source": "stge"})
    assert colours(
        dated("H200214170000", stge=blue),
        dated("H200214170001", stge=blue),
        dated("H200214170002", stge=blue, **red),
        (dated("H200214170003", stge=blue), ["dpm2", "fpm2"]),
    ) == [
        [today, Told("tempo_tomorrow", None, {"source": None})],
        [],
        [today, Told("tempo_tomorrow", "rouge", {"source": "dpm"})],
        [today, Told("tempo_tomorrow", None, {"source": None})],
    ]


def test_a_meter_that_is_not_on_tempo_tells_no_colour() -> None:
    base = StatusRegister(0x003A0001)
    peak = {"dpm1": read_stamp(" 200215060000").at, "fpm1": read_stamp(" 200216060000").at}
    assert colours(dated("H200214170000", stge=base, **peak)) == [[]]


def test_a_meter_that_leaves_tempo_says_so() -> None:
    base, blue = StatusRegister(0x003A0001), StatusRegister(0x013A0401)
    assert colours(dated("H200214170000", stge=blue), dated("H200214170001", stge=base))[-1] == [
        Told("tempo_today", None, {"source": None}),
        Told("tempo_tomorrow", None, {"source": None}),
    ]


def test_at_night_the_meters_clock_tells_whose_day_it_is() -> None:
    # 03:00: the register already says red, the index in force is still blue
    register = StatusRegister(0x033A0001)
    assert colours(dated("H200215030000", stge=register))[0] == [
        Told("tempo_today", "bleu", {"source": "stge"}),
        Told("tempo_tomorrow", "rouge", {"source": "stge"}),
    ]
