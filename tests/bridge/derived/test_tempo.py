"""The colour of today and of tomorrow."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.derived.peaks import Peak
from bridge.derived.tempo import Colour, Colours, of_historique, of_standard
from bridge.derived.told import Told
from bridge.tic.values import StatusRegister

UNKNOWN = Colour(None, None)
NOON = datetime.fromisoformat("2020-02-14T12:00")
NIGHT = datetime.fromisoformat("2020-02-15T03:00")  # the Tempo day of the 14th still runs


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def register(today: int, tomorrow: int = 0, *, index: int | None = None, peak: int | None = None) -> StatusRegister:
    """Colours 0 to 3 as the register codes them; index and peak follow today's, unless given."""
    index = 2 * today if index is None else index
    peak = max(0, today - 1) if peak is None else peak
    return StatusRegister(today << 24 | tomorrow << 26 | (index - 1) << 10 | peak << 30)


def peak(number: int, day: str) -> Peak:
    begins = wall(f"{day}T06:00")
    return Peak(number, begins, begins.replace(day=begins.day + 1))


def stge(word: str) -> Colour:
    return Colour(word, "stge")


def dpm(word: str) -> Colour:
    return Colour(word, "dpm")


# --- mode standard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "colours"),
    [
        (0x463A0800, Colours(stge("blanc"), stge("bleu"))),
        (0x2D3A8000, Colours(stge("bleu"), stge("rouge"))),
        (0x833AD501, Colours(stge("rouge"), UNKNOWN)),
        (0x013AC401, Colours(stge("bleu"), UNKNOWN)),
        (0x003A0001, None),  # on Base
    ],
)
def test_registers_of_real_meters(bits: int, colours: Colours | None) -> None:
    assert of_standard(StatusRegister(bits), (), NOON) == colours


def test_a_meter_that_is_not_on_tempo_has_no_colours_whatever_its_peaks() -> None:
    assert of_standard(register(0, index=1), (peak(1, "2020-02-14"), peak(2, "2020-02-15")), NOON) is None


@pytest.mark.parametrize(("number", "word"), [(1, "blanc"), (2, "rouge")])
def test_a_peak_dated_tomorrow_tells_its_colour_hours_before_the_register(number: int, word: str) -> None:
    assert of_standard(register(1), (peak(number, "2020-02-15"),), NOON) == Colours(stge("bleu"), dpm(word))


def test_without_a_source_tomorrow_is_unknown_and_never_blue() -> None:
    for peaks in ((), (peak(3, "2020-02-15"),), (peak(1, "2020-02-14"),), (peak(2, "2020-02-16"),)):
        assert of_standard(register(1), peaks, NOON) == Colours(stge("bleu"), UNKNOWN)


def test_the_register_settles_what_a_peak_contradicts() -> None:
    assert of_standard(register(1, 1), (peak(2, "2020-02-15"),), NOON) == Colours(stge("bleu"), stge("bleu"))
    assert of_standard(register(1, 2), (peak(2, "2020-02-15"),), NOON) == Colours(stge("bleu"), stge("blanc"))


def test_two_peaks_for_the_same_day_tell_nothing() -> None:
    peaks = (peak(1, "2020-02-15"), peak(2, "2020-02-15"))
    assert of_standard(register(1), peaks, NOON) == Colours(stge("bleu"), UNKNOWN)


def test_where_the_register_says_tomorrow_only_a_running_peak_tells_today() -> None:
    # the note does not allow it: a Tempo contract always has a colour of today
    assert of_standard(register(0, 3, index=4), (peak(1, "2020-02-14"),), NOON) == Colours(dpm("blanc"), stge("rouge"))
    assert of_standard(register(0, 3, index=1), (), NOON) == Colours(UNKNOWN, stge("rouge"))
    assert of_standard(register(0, 3, index=1), (), NIGHT) == Colours(UNKNOWN, stge("rouge"))


def test_by_day_the_registers_colour_stands() -> None:
    # whatever index is in force: a meter that says white and counts blue contradicts itself
    assert of_standard(register(2, index=2, peak=0), (), NOON) == Colours(stge("blanc"), UNKNOWN)


# --- between midnight and 06:00 ------------------------------------------------------------------


def test_at_night_today_is_the_day_that_began_the_morning_before() -> None:
    # the register turns at 06:00: its today is what the index in force says
    blue_then_red = register(1, 3, index=1)
    assert of_standard(blue_then_red, (), NIGHT) == Colours(stge("bleu"), stge("rouge"))


def test_at_night_a_register_that_turned_at_midnight_is_told_by_the_tariff_in_force() -> None:
    # it says red, and still counts blue off-peak hours: red begins at 06:00
    assert of_standard(register(3, 0, index=1, peak=0), (), NIGHT) == Colours(stge("bleu"), stge("rouge"))
    assert of_standard(register(1, 0, index=5, peak=2), (), NIGHT) == Colours(stge("rouge"), stge("bleu"))
    # at 06:00 both agree
    assert of_standard(register(3), (), wall("2020-02-15T06:00")) == Colours(stge("rouge"), UNKNOWN)


def test_at_night_the_day_that_begins_this_morning_is_tomorrow() -> None:
    assert of_standard(register(1, index=1), (peak(2, "2020-02-15"),), NIGHT) == Colours(stge("bleu"), dpm("rouge"))


@pytest.mark.parametrize(
    ("index", "in_force"),
    [(1, 1), (3, 0), (7, 0), (11, 0)],  # index and peak contradict each other; no such index on Tempo; not defined
)
def test_at_night_a_tariff_that_is_not_sure_settles_nothing(index: int, in_force: int) -> None:
    assert of_standard(register(3, index=index, peak=in_force), (), NIGHT) == Colours(stge("rouge"), UNKNOWN)


@given(st.integers(0, 0xFFFFFFFF), st.datetimes())
def test_any_register_gives_words_of_the_table_with_their_source(bits: int, now: datetime) -> None:
    colours = of_standard(StatusRegister(bits), (), now)
    assert (colours is None) is (bits >> 24 & 0xF == 0)
    for colour in colours or ():
        assert colour in (UNKNOWN, stge("bleu"), stge("blanc"), stge("rouge"))


# --- mode historique -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "tomorrow", "colours"),
    [
        ("HCJB", None, Colours(Colour("bleu", "ptec"), UNKNOWN)),
        ("HPJW", "rouge", Colours(Colour("blanc", "ptec"), Colour("rouge", "demain"))),
        ("HPJR", "bleu", Colours(Colour("rouge", "ptec"), Colour("bleu", "demain"))),
        (None, "rouge", Colours(UNKNOWN, Colour("rouge", "demain"))),
        (None, None, None),
        ("TH", None, None),
        ("HP", None, None),
        ("PM", None, None),
    ],
)
def test_period_and_tomorrow_of_a_historique_meter(
    period: str | None, tomorrow: str | None, colours: Colours | None
) -> None:
    assert of_historique(period, tomorrow) == colours


def test_colours_are_told_with_their_source() -> None:
    assert list(Colours(stge("blanc"), UNKNOWN).told()) == [
        Told("tempo_today", "blanc", {"source": "stge"}),
        Told("tempo_tomorrow", None, {"source": None}),
    ]
