"""What the Now page shows, whole."""

from __future__ import annotations

from typing import Any

import pytest

from storage.web.face import Bar, Face, Row, face
from storage.web.said import said_live
from tests.storage.web.samples import METER, envelope

NBSP = "\N{NO-BREAK SPACE}"
DASHES = {f"phase{n}_{what}": "–" for n in (1, 2, 3) for what in ("share", "power", "current", "voltage")}


def of(values: dict[str, Any], **changes: Any) -> Face:
    return face(said_live(envelope(values, **changes)))


def test_a_standard_meter_on_tempo() -> None:
    assert face(said_live(envelope())) == Face(
        cells={
            **DASHES,
            "power": "1,200",
            "share": f"13{NBSP}% of 9{NBSP}kVA subscribed",
            "left": f"7,800{NBSP}VA left",
            "margin": "",
            "tariff": "Peak hours, blue day",
            "tariff_index": "index 2",
            "tempo_today": "Blue",
            "tempo_tomorrow": "not announced yet",
            "index": f"12,345.7{NBSP}kWh",
            "injected_power": "–",
            "injected_index": "–",
            "phase1_current": f"5{NBSP}A",
            "phase1_voltage": f"232{NBSP}V",
            "say": "1,200 VA, Peak hours, blue day",
        },
        marks={"tariff": "peak", "risk": "", "tempo_today": "bleu", "tempo_tomorrow": ""},
        shown={"tempo": True, "phases": False, "injection": False},
        bars=(Bar(fill=8.9, subscribed=66.9, breaker=87.0, over=False),),
        rows=(
            Row("adsc", "ADSC", "Meter address", METER),
            Row("date", "DATE", "Meter clock", "21 Nov. 2026 13:00"),
            Row("ngtf", "NGTF", "Tariff calendar", "TEMPO"),
            Row("ltarf", "LTARF", "Current tariff", "Peak hours, blue day"),
            Row("east", "EAST", "Total energy drawn", f"12,345,678{NBSP}Wh"),
            Row("easf01", "EASF01", "Supplier index 1", f"1,000,000{NBSP}Wh"),
            Row("irms1", "IRMS1", "Current, phase 1", f"5{NBSP}A"),
            Row("urms1", "URMS1", "Voltage, phase 1", f"232{NBSP}V"),
            Row("pref", "PREF", "Subscribed power", f"9{NBSP}kVA"),
            Row("pcoup", "PCOUP", "Cut-off power", f"9{NBSP}kVA"),
            Row("sinsts", "SINSTS", "Apparent power", f"1,200{NBSP}VA"),
            Row("smaxsn", "SMAXSN", "Today's maximum power", f"4,321{NBSP}VA"),
            Row("ntarf", "NTARF", "Current tariff index", "2"),
            Row("breaker", "", "Breaker", "Closed (power is on)"),
            Row("overvoltage", "", "Over-voltage", "No"),
            Row("tempo_today", "", "Tempo colour today", "Blue"),
            Row("tempo_tomorrow", "", "Tempo colour tomorrow", "–"),
            Row("relay_1", "", "Dry contact", "Open"),
        ),
    )


def test_a_meter_that_says_almost_nothing() -> None:
    shown = of({"msg1": "HELLO"}, extra={"ZZZ": "raw"})
    assert shown == Face(
        cells={
            **DASHES,
            "power": "–",
            "share": "Subscribed power not known yet",
            "left": "",
            "margin": "",
            "tariff": "–",
            "tariff_index": "",
            "tempo_today": "unknown",
            "tempo_tomorrow": "not announced yet",
            "index": "–",
            "injected_power": "–",
            "injected_index": "–",
            "say": "– VA, –",
        },
        marks={"tariff": "other", "risk": "", "tempo_today": "", "tempo_tomorrow": ""},
        shown={"tempo": False, "phases": False, "injection": False},
        rows=(Row("msg1", "MSG1", "Short message", "HELLO"), Row("extra ZZZ", "ZZZ", "Label unknown to us", "raw")),
    )


def test_three_phases_and_injection_have_parts_of_their_own() -> None:
    shown = of({"sinsts": 0, "sinsts2": 7, "irms2": 1, "urms2": 230, "sinsti": 1500, "eait": 671_600})
    cells = {key: shown.cells[key] for key in ("phase2_power", "phase2_current", "phase2_voltage")}
    injected = {key: shown.cells[key] for key in ("injected_power", "injected_index")}
    assert (shown.shown, cells, injected) == (
        {"tempo": False, "phases": True, "injection": True},
        {"phase2_power": f"7{NBSP}VA", "phase2_current": f"1{NBSP}A", "phase2_voltage": f"230{NBSP}V"},
        {"injected_power": f"1,500{NBSP}VA", "injected_index": f"671.6{NBSP}kWh"},
    )


@pytest.mark.parametrize(
    ("values", "bar", "left"),
    [
        ({"sinsts": 9000, "pref": 9}, Bar(87.0, 87.0, None, False), f"0{NBSP}VA left"),
        ({"sinsts": 9200, "pref": 9}, Bar(88.9, 87.0, None, True), f"200{NBSP}VA over"),
        ({"sinsts": 99_000, "pref": 9}, Bar(100.0, 87.0, None, True), f"90,000{NBSP}VA over"),
        ({"sinsts": 3000, "pref": 6, "pcoup": 9}, Bar(22.3, 44.6, 87.0, False), f"3,000{NBSP}VA left"),
        ({"sinsts": -5, "pref": 9}, Bar(0.0, 87.0, None, False), f"9,005{NBSP}VA left"),
        ({"sinsts": 5, "pref": 0}, Bar(), ""),
    ],
)
def test_power_is_compared_with_what_may_be_drawn(values: dict[str, Any], bar: Bar, left: str) -> None:
    shown = of(values)
    assert (shown.bars, shown.cells["left"]) == ((bar,), left)


def test_on_three_phases_the_fullest_decides() -> None:
    shown = of(
        {"sinsts": 9500, "sinsts1": 1000, "sinsts2": 4200, "sinsts3": 4300, "irms2": 18, "pref": 12, "pcoup": 12}
    )
    assert (shown.cells["left"], shown.marks["risk"], [bar.over for bar in shown.bars]) == (
        f"phase 3: 300{NBSP}VA over", "over", [False, False, True, True],
    )  # fmt: skip
    assert shown.bars[1] == Bar(fill=16.7, subscribed=66.9, breaker=87.0, over=False)
    assert [shown.cells[f"phase{n}_share"] for n in (1, 2, 3)] == [f"{n}{NBSP}%" for n in (25, 105, 108)]


def test_a_historique_meter_on_three_phases_tells_them_by_their_currents() -> None:
    shown = of({"papp": 3000, "iinst1": 5, "iinst2": 1, "iinst3": 28, "isousc": 30}, mode="historique")
    assert (shown.cells["left"], shown.cells["margin"]) == (f"phase 3: 400{NBSP}VA left", "")
    assert [bar.fill for bar in shown.bars] == [14.5, 14.5, 2.9, 81.2]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "5 s"), (41, "40 s"), (89, "90 s"), (100, "2 min"), (3600, "60 min")],
)
def test_a_breaker_about_to_open_is_said_before_all_else(seconds: int, said: str) -> None:
    shown = of({"sinsts": 13_000, "pref": 9}, derived={"breaker_margin": 0, "breaker_seconds_to_trip": seconds})
    assert (shown.cells["left"], shown.marks["risk"]) == (f"the breaker opens in about {said}", "trip")


def test_the_breaker_tells_how_much_more_it_lets_through() -> None:
    one = of({"sinsts": 1200, "pref": 9}, derived={"breaker_margin": 10_500, "breaker_seconds_to_trip": None})
    three = of({"sinsts": 1200, "pref": 9, "irms2": 1}, derived={"breaker_margin": 2_500})
    assert [one.cells["margin"], three.cells["margin"]] == [
        f"Breaker (dashed): 10,500{NBSP}VA more", f"Breaker (dashed): 2,500{NBSP}VA more on the fullest phase",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "until"),
    [
        ("2026-11-21T22:00:00+01:00", "until 22:00"),
        ("2026-11-22T06:00:00+01:00", "until tomorrow, 06:00"),
        ("2026-11-23T06:00:00+01:00", "until Monday 23 November, 06:00"),
        ("2026-11-21T12:59:00+01:00", None),  # past
        ("soon", None),
        (None, None),
    ],
)
def test_the_meter_says_until_when_its_tariff_lasts(change: str | None, until: str | None) -> None:
    assert of({"ltarf": "HP"}, derived={"next_tariff_change": change}).cells.get("until") == until


def test_a_colour_that_is_none_marks_nothing() -> None:
    shown = of({}, derived={"tempo_today": "<b>"})
    assert (shown.marks["tempo_today"], shown.cells["tempo_today"], shown.shown["tempo"]) == ("", "<b>", False)
