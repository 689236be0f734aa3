"""What a meter in mode historique tells beyond its labels."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.derived.historique import PERIOD_INDEX, OfHistorique
from bridge.derived.power import CONTRACTS
from bridge.tic.catalogue import BY_SLUG
from bridge.tic.models import Historique
from bridge.tic.values import Value
from tests.bridge.heard import checked


def told(*readings: Historique | tuple[Historique, Sequence[str]]) -> list[dict[str, Value]]:
    """What each frame tells, a second apart; a tuple names the labels that stopped, too."""
    meter = OfHistorique()
    said = []
    for n, reading in enumerate(readings):
        reading, gone = reading if isinstance(reading, tuple) else (reading, ())  # noqa: PLW2901  one of two shapes
        said.append({told.slug: told.value for told in meter.take(reading, checked(reading, float(n)).at, gone)})
    return said


def test_an_empty_frame_tells_nothing() -> None:
    assert told(Historique()) == [{}]


# --- the total index -----------------------------------------------------------------------------


@pytest.mark.parametrize("slugs", CONTRACTS[1:], ids=lambda slugs: slugs[0])
def test_the_total_is_the_sum_of_a_frame_that_has_all_its_parts(slugs: tuple[str, ...]) -> None:
    parts = {slug: 10**n for n, slug in enumerate(slugs)}
    partial = dict(list(parts.items())[1:])
    frames = told(*(Historique.model_validate(values) for values in (parts, partial, {"papp": 1}, parts)))
    total = sum(parts.values())
    assert [frame.get("east", "not told") for frame in frames] == [total, "not told", "not told", total]


def test_a_meter_that_sends_its_total_is_told_no_other() -> None:
    assert [said.get("east", "not told") for said in told(Historique(base=1), Historique(base=2))] == ["not told"] * 2


def test_a_contract_that_becomes_a_flat_price_ends_the_sum() -> None:
    both, flat = Historique(hchc=1, hchp=2), Historique(base=3)
    assert [said.get("east", "not told") for said in told(both, flat, flat, both)] == [3, None, "not told", 3]


# --- tariff --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ptec", "index", "colour"),
    [
        ("TH", 1, None),
        ("HC", 1, None),
        ("HP", 2, None),
        ("HN", 1, None),
        ("PM", 2, None),
        ("HCJB", 1, "bleu"),
        ("HPJB", 2, "bleu"),
        ("HCJW", 3, "blanc"),
        ("HPJW", 4, "blanc"),
        ("HCJR", 5, "rouge"),
        ("HPJR", 6, "rouge"),
    ],
)
def test_the_period_tells_index_and_colour(ptec: str, index: int, colour: str | None) -> None:
    said: dict[str, Value] = {"tariff_period": ptec, "tariff_index": index}
    tempo = {} if colour is None else {"tempo_today": colour, "tempo_tomorrow": None}
    assert told(Historique(ptec=ptec)) == [{**said, **tempo}]


def test_every_period_of_the_table_is_known() -> None:
    assert set(PERIOD_INDEX) == set((BY_SLUG["ptec"].words or {}).values())


def test_tomorrow_is_what_demain_says_and_who_says_it_stands_beside_it() -> None:
    meter = OfHistorique()
    reading = Historique(ptec="HPJB", demain="rouge")
    assert {t.slug: t.attributes for t in meter.take(reading, checked(reading, 0.0).at, ())} == {
        "tariff_period": None,
        "tariff_index": None,
        "tempo_today": {"source": "ptec"},
        "tempo_tomorrow": {"source": "demain"},
    }


def test_no_announcement_is_said_and_a_lost_one_is_not() -> None:
    known: dict[str, Value] = {"tempo_today": "bleu", "tempo_tomorrow": "rouge"}
    period: dict[str, Value] = {"tariff_period": "HPJB", "tariff_index": 2}
    assert told(
        Historique(ptec="HPJB", demain="rouge"),
        Historique(ptec="HPJB"),  # DEMAIN was damaged
        Historique(iinst1=2, iinst2=3, iinst3=4),  # a short frame
        Historique(demain=None),  # `----`; PTEC was damaged
    ) == [{**period, **known}, {**period, **known}, {}, {"tempo_today": "bleu", "tempo_tomorrow": None}]


def test_demain_alone_of_a_frame_whose_period_was_damaged() -> None:
    assert told(Historique(demain="rouge")) == [{"tempo_today": None, "tempo_tomorrow": "rouge"}]
    assert told(Historique(demain=None)) == [{}]


# --- above the subscribed power ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "over"),
    [
        (Historique(iinst=30, isousc=30), False),
        (Historique(iinst=31, isousc=30), True),
        (Historique(iinst=31, isousc=30, adps=31), True),
        (Historique(iinst=30, isousc=30, adps=31), True),  # measured a moment before
        (Historique(adps=31), True),
    ],
)
def test_a_single_phase_is_above_when_adps_or_its_current_says_so(reading: Historique, over: bool) -> None:
    assert told(reading) == [{"over_power": over}]


@pytest.mark.parametrize("reading", [Historique(iinst=31), Historique(isousc=30), Historique(iinst=31, isousc=0)])
def test_a_current_alone_tells_nothing(reading: Historique) -> None:
    assert told(reading) == [{}]


def test_a_warning_that_stopped_is_over_even_where_the_subscribed_current_is_not_known() -> None:
    assert told(Historique(adps=31), Historique(iinst=2), (Historique(iinst=2), ["adps"])) == [
        {"over_power": True},
        {},
        {"over_power": False},
    ]


def test_short_frames_tell_which_phase_is_above() -> None:
    long = Historique(isousc=15, iinst1=2, iinst2=3, iinst3=4)
    short = Historique(iinst1=2, iinst2=16, iinst3=4, adir2=16)
    silent = Historique(iinst1=16, iinst2=3, iinst3=4)  # some meters were never seen to send ADIRn
    none: dict[str, Value] = {"over_power_1": False, "over_power_2": False, "over_power_3": False, "over_power": False}
    assert told(long, short, silent) == [
        none,
        {**none, "over_power_2": True, "over_power": True},
        {**none, "over_power_1": True, "over_power": True},
    ]


def test_before_the_first_long_frame_only_warnings_tell() -> None:
    short = Historique(iinst1=2, iinst2=16, iinst3=4)
    warned = Historique(iinst1=2, iinst2=16, iinst3=4, adir2=16)
    assert told(short, warned) == [{}, {"over_power_2": True, "over_power": True}]


# --- power ---------------------------------------------------------------------------------------


def test_the_share_of_the_subscribed_power() -> None:
    # ISOUSC counts 200 V, and a third of the power on three phases
    single, three = Historique(papp=3000, isousc=30), Historique(papp=9000, isousc=30, iinst1=13)
    assert [said["power_used_percent"] for said in told(single)] == [50]
    assert [said["power_used_percent"] for said in told(three)] == [50]
    assert told(Historique(papp=3000)) == [{}]
    assert told(Historique(isousc=30), Historique(papp=3000)) == [{}, {"power_used_percent": 50}]


def test_the_mean_power_comes_from_the_sum_of_the_indexes() -> None:
    frames = [Historique(hchc=100 + n, hchp=200 + n) for n in range(100)]
    *_, last = told(*frames)
    assert last == {"east": 498, "active_power_mean": 7200}
    # short frames lack them
    *_, last = told(*frames, Historique(iinst1=2))
    assert last == {"active_power_mean": 7200}
