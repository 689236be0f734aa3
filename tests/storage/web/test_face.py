"""What the Now page shows, whole."""

from __future__ import annotations

from typing import Any

import pytest

from storage.web.face import Bar, Face, Row, face
from storage.web.said import said_live
from tests.storage.web.samples import METER, envelope

NBSP = "\N{NO-BREAK SPACE}"
DASHES = {f"phase{n}_{what}": "–" for n in (1, 2, 3) for what in ("power", "current", "voltage")}


def of(values: dict[str, Any], **changes: Any) -> Face:
    return face(said_live(envelope(values, **changes)))


def test_a_standard_meter_on_tempo() -> None:
    assert face(said_live(envelope())) == Face(
        cells={
            **DASHES,
            "power": "1,200",
            "share": f"13{NBSP}% of 9{NBSP}kVA subscribed",
            "left": f"7,800{NBSP}VA left",
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
        marks={"tariff": "peak", "tempo_today": "bleu", "tempo_tomorrow": ""},
        shown={"tempo": True, "phases": False, "injection": False},
        bar=Bar(fill=11.6, subscribed=87.0, cutoff=None, over=False),
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
            "tariff": "–",
            "tariff_index": "",
            "tempo_today": "unknown",
            "tempo_tomorrow": "not announced yet",
            "index": "–",
            "injected_power": "–",
            "injected_index": "–",
            "say": "– VA, –",
        },
        marks={"tariff": "other", "tempo_today": "", "tempo_tomorrow": ""},
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
        ({"sinsts": 3000, "pref": 6, "pcoup": 9}, Bar(29.0, 58.0, 87.0, False), f"3,000{NBSP}VA left"),
        ({"sinsts": -5, "pref": 9}, Bar(0.0, 87.0, None, False), f"9,005{NBSP}VA left"),
        ({"sinsts": 5, "pref": 0}, Bar(), ""),
    ],
)
def test_power_is_compared_with_what_may_be_drawn(values: dict[str, Any], bar: Bar, left: str) -> None:
    shown = of(values)
    assert (shown.bar, shown.cells["left"]) == (bar, left)


def test_a_colour_that_is_none_marks_nothing() -> None:
    shown = of({}, derived={"tempo_today": "<b>"})
    assert (shown.marks["tempo_today"], shown.cells["tempo_today"], shown.shown["tempo"]) == ("", "<b>", False)
