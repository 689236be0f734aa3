"""What no label says but the labels tell, of one meter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.derived import PERIOD_INDEX, REGISTER_PARTS, Derived, Said
from bridge.derived.quality import LineQuality
from bridge.tic.catalogue import BY_SLUG, DERIVED, Mode, Quantity
from bridge.tic.models import MODELS, Historique, Reading, Standard
from bridge.tic.values import PARIS, DayProfile, Relays, StatusRegister, Value
from tests.bridge.heard import checked
from tests.bridge.readings import values_of


def take(*readings: Reading, every: float = 1.0) -> list[Said]:
    derived = Derived(PARIS)
    return [derived.take(checked(reading, n * every)) for n, reading in enumerate(readings)]


def test_what_a_frame_told_stays_known() -> None:
    assert take(Standard(ltarf="HP BLEU"), Standard(sinsts=4500, pref=9), Standard()) == [
        Said({"tariff_period": "HP BLEU"}, {}, {"tariff_period"}),
        Said({"tariff_period": "HP BLEU", "power_used_percent": 50}, {}, {"power_used_percent"}),
        Said({"tariff_period": "HP BLEU", "power_used_percent": 50}, {}, set()),
    ]


def test_only_what_differs_has_changed() -> None:
    assert [said.changed for said in take(Historique(ptec="HC"), Historique(ptec="HC"), Historique(ptec="HP"))] == [
        {"tariff_period", "tariff_index"},
        set(),
        {"tariff_period", "tariff_index"},
    ]


def test_another_source_is_a_change_though_the_value_is_the_same() -> None:
    blue = {"tempo_today": "bleu", "tempo_tomorrow": "rouge"}
    unsaid, said = Historique(ptec="HPJB", demain="rouge"), Historique(ptec="HPJB", demain="rouge")
    first, second = take(unsaid, said)
    assert ({slug: first.values[slug] for slug in blue}, second.changed) == (blue, set())
    derived = Derived(PARIS)
    derived.take(checked(Historique(demain="rouge"), 0.0))
    told = derived.take(checked(Historique(ptec="HPJB", demain="rouge"), 1.0))
    assert (told.attributes["tempo_today"], "tempo_today" in told.changed) == ({"source": "ptec"}, True)


def test_what_is_said_is_the_callers_own() -> None:
    derived = Derived(PARIS)
    first = derived.take(checked(Standard(ltarf="HP"), 0.0))
    first.values.clear()
    assert derived.take(checked(Standard(), 1.0)).values == {"tariff_period": "HP"}


def test_the_other_mode_does_not_know_what_this_one_told() -> None:
    three_phases = Historique(isousc=15, iinst1=16, iinst2=1, iinst3=1, ptec="HPJB", demain=None)
    known = {"over_power_1": True, "over_power_2": False, "over_power_3": False, "over_power": True}
    tempo = {"tempo_today": "bleu", "tempo_tomorrow": None}
    gone = dict.fromkeys((*known, *tempo, "tariff_index"))
    assert take(three_phases, Standard(ltarf="HP BLEU"), Standard()) == [
        Said(
            {"tariff_period": "HPJB", "tariff_index": 2, **tempo, **known},
            {"tempo_today": {"source": "ptec"}, "tempo_tomorrow": {"source": None}},
            {"tariff_period", "tariff_index", *tempo, *known},
        ),
        Said(
            {"tariff_period": "HP BLEU", **gone},
            {"tempo_today": {"source": None}, "tempo_tomorrow": {"source": None}},
            {"tariff_period", "tariff_index", "tempo_today", *known},
        ),
        Said(
            {"tariff_period": "HP BLEU", **gone},
            {"tempo_today": {"source": None}, "tempo_tomorrow": {"source": None}},
            set(),
        ),
    ]


def test_a_total_is_a_label_of_the_other_mode() -> None:
    said = take(Historique(hchc=1, hchp=2), Standard(east=4))
    assert [("east" in s.values, "east" in s.changed) for s in said] == [(True, True), (False, False)]


def test_and_back() -> None:
    said = take(Standard(sinsts=900, pcoup=9, pref=9), Historique(papp=900, isousc=30))[-1]
    assert said.values == {"power_used_percent": 15, "breaker_margin": None, "breaker_seconds_to_trip": None}


def test_the_lines_quality_is_that_of_the_line() -> None:
    quality = LineQuality()
    derived = Derived(PARIS, quality)
    frames = [checked(Standard(ltarf="HP"), float(n)) for n in range(3)]
    told = []
    for frame in frames:
        quality.add(frame)
        told.append(derived.take(frame))
    assert [said.changed for said in told] == [{"tariff_period", "link_quality"}, {"frames_per_minute"}, set()]
    assert told[-1].values == {"tariff_period": "HP", "link_quality": 100, "frames_per_minute": 60}


def test_a_frame_that_says_nothing_is_not_for_us() -> None:
    noise = checked(Standard(), 0.0)
    with pytest.raises(AssertionError):
        Derived(PARIS).take(noise._replace(decoded=noise.decoded._replace(reading=None)))


# --- with the catalogue --------------------------------------------------------------------------


def test_all_that_is_derived_is_in_the_table() -> None:
    quality = LineQuality()
    derived = Derived(PARIS, quality)
    everything = [
        Standard(
            stge=StatusRegister(1 << 24), relais=Relays(0), ltarf="BASE", sinsts=1, pref=9, pcoup=9, east=1, njourf=0,
            njourf_next=0, pjourf_next=DayProfile("00008001"),
        ),
        Historique(ptec="HCJB", demain=None, papp=1, isousc=30, iinst1=1, iinst2=1, iinst3=1),
    ]  # fmt: skip
    said: set[str] = set()
    for n, reading in enumerate(everything):
        quality.add(checked(reading, float(n)))
        said |= derived.take(checked(reading, float(n))).values.keys()
    assert said == set(DERIVED) - {"last_frame", "refused_groups"}  # the bridge itself knows these
    assert set(REGISTER_PARTS) <= set(DERIVED)
    assert set(PERIOD_INDEX.values()) == set(range(1, 7))


def _fits(slug: str, value: Value) -> bool:
    """Whether a value is of its row's kind."""
    row = BY_SLUG[slug]
    if value is None:
        return True
    if row.words is not None:
        return value in row.words
    kinds = {Quantity.FACT: bool, Quantity.TEXT: str, Quantity.INSTANT: object}
    return isinstance(value, kinds.get(row.quantity, int))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_meter_says_what_is_derived_is_of_the_rows_kind(data: st.DataObject) -> None:
    derived = Derived(PARIS, LineQuality())
    now = 0.0
    for _ in range(data.draw(st.integers(1, 8))):
        mode = data.draw(st.sampled_from(Mode))
        reading = MODELS[mode].model_validate(data.draw(values_of(mode)))
        now += data.draw(st.floats(0, 100))
        said = derived.take(checked(reading, now), data.draw(st.lists(st.sampled_from(["dpm1", "fpm2", "adps"]))))
        assert [(slug, value) for slug, value in said.values.items() if not _fits(slug, value)] == []
        assert said.changed <= said.values.keys()
