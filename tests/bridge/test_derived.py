"""What no label says but the labels tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.derived import REGISTER_PARTS, LineQuality, derive
from bridge.guard import Checked, Moment
from bridge.tic.catalogue import BY_SLUG, DERIVED
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import Relays, StatusRegister, Value
from tests.bridge.wire import METER

# 463A0800: index 3, white today, blue tomorrow, PM1 in force
REGISTER: dict[str, Value] = {
    "breaker": "closed", "terminal_cover": False, "overvoltage": False, "over_power": False, "role": "consumer",
    "energy_direction": "drawn", "tariff_index": 3, "distributor_tariff": 1, "clock_degraded": False,
    "tic_output": "standard", "euridis": "secured", "plc": "new_lock", "plc_synchronised": False,
    "tempo_today": "blanc", "tempo_tomorrow": "bleu", "peak_notice": None, "peak": "pm1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("reading", "derived"),
    [
        (Standard(), {}),
        (Historique(), {}),
        (Reading(), {}),
        (Standard(stge=StatusRegister(0x463A0800)), REGISTER),
        (
            Standard(relais=Relays(140)),
            {f"relay_{n}": n in (3, 4, 8) for n in range(1, 9)},
        ),
        (Standard(ltarf="HP BLEU"), {"tariff_period": "HP BLEU"}),
        (Standard(sinsts=4500, pref=9), {"power_used_percent": 50}),
        (Standard(sinst1=4500, pref=9), {"power_used_percent": 50}),  # a pilot meter's spelling
        (Standard(sinsts=0, pref=9), {"power_used_percent": 0}),
        (Standard(sinsts=4500), {}),
        (Standard(sinsts=4500, pref=0), {}),
        # ISOUSC counts 200 V, and a third of the power on three phases
        (Historique(papp=3000, isousc=30, iinst=13), {"power_used_percent": 50}),
        (Historique(papp=9000, isousc=30, iinst1=13), {"power_used_percent": 50}),
        (Historique(papp=3000), {}),
        (Historique(papp=3000, isousc=0), {}),
        # a plain CBEMM sends no PAPP
        (Historique(isousc=30, iinst=13), {}),
        (Historique(demain=None), {"tempo_tomorrow": None}),
        (Historique(demain="rouge"), {"tempo_tomorrow": "rouge"}),
    ],
)
def test_a_frame_alone_tells(reading: Reading, derived: dict[str, Value]) -> None:
    assert dict(derive(reading)) == derived


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
    assert dict(derive(Historique(ptec=ptec))) == (said if colour is None else {**said, "tempo_today": colour})


def test_every_period_of_the_table_is_known() -> None:
    words = {word for word in (BY_SLUG["ptec"].words or {}).values() if word is not None}
    assert {word for word in words if not dict(derive(Historique(ptec=word)))["tariff_index"]} == set()


def test_all_that_is_derived_is_in_the_table() -> None:
    everything = [
        Standard(stge=StatusRegister(0), relais=Relays(0), ltarf="BASE", sinsts=1, pref=9),
        Historique(ptec="HCJB", demain=None, papp=1, isousc=30),
    ]
    quality = {"link_quality", "frames_per_minute"}
    assert {slug for reading in everything for slug, _ in derive(reading)} | quality == set(DERIVED)
    assert set(REGISTER_PARTS) <= set(DERIVED)


# --- line quality --------------------------------------------------------------------------------


def heard(at: float, accepted: int, refused: int) -> Checked:
    labels = ("sinsts", "east", "pref", "pcoup", "irms1", "urms1", "ntarf", "njourf")[:accepted]
    # as the decoder makes it: these three are always there, and no label
    always = {"stamps": {}, "extra": {}, "complete": True}
    reading = Standard.model_validate({**dict.fromkeys(labels, 1), **always}) if accepted else None
    damage = tuple(Refused("", str(n), Reason.CHECKSUM) for n in range(refused))
    return Checked(Decoded(reading, damage), METER, Moment(datetime(2026, 1, 15, tzinfo=UTC), at))


def quality(*frames: Checked, now: float) -> dict[str, Value]:
    line = LineQuality()
    for frame in frames:
        line.add(frame)
    return dict(line.values(now))


def test_before_the_first_frame_nothing_is_known() -> None:
    assert quality(now=0) == {}


def test_quality_is_the_share_of_groups_that_were_accepted() -> None:
    assert quality(heard(0, 7, 3), now=1) == {"link_quality": 70}
    assert quality(heard(0, 0, 3), now=1) == {"link_quality": 0}


def test_unknown_labels_that_are_handed_on_were_accepted_too() -> None:
    frame = Checked(Decoded(Historique(papp=1, extra={"GAZ": "1"})), METER, heard(0, 1, 0).at)
    damaged = heard(0, 0, 2)
    assert quality(frame, damaged, now=1) == {"link_quality": 50}


def test_frames_a_minute_need_two_frames_at_different_times() -> None:
    assert quality(heard(0, 1, 0), heard(0, 1, 0), now=1) == {"link_quality": 100}
    assert quality(*(heard(n * 1.5, 1, 0) for n in range(5)), now=6) == {"link_quality": 100, "frames_per_minute": 40}


def test_only_the_last_minute_counts() -> None:
    assert quality(heard(0, 0, 5), heard(61, 5, 0), heard(62, 5, 0), now=62) == {
        "link_quality": 100,
        "frames_per_minute": 60,
    }
    assert quality(heard(0, 5, 0), now=61) == {}


def test_a_line_of_noise_alone_is_not_remembered_for_ever() -> None:
    line = LineQuality()
    for n in range(1000):
        line.add(heard(float(n), 0, 1))
    assert len(line._frames) == 61  # nobody asked for values meanwhile


def test_derived_words_are_words_of_the_table() -> None:
    readings = (Standard(stge=StatusRegister(0xFFFFFFFF)), Historique(ptec="HPJR"), Historique(demain="bleu"))
    said = [(slug, value) for reading in readings for slug, value in derive(reading) if isinstance(value, str)]
    assert [(slug, value) for slug, value in said if value not in (BY_SLUG[slug].words or {value: value})] == []
