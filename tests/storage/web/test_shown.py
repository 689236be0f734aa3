"""Values as texts for persons."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from bridge.tic.catalogue import BY_SLUG, FIELDS
from storage.web.shown import amount, clock, moment, number, value_text

PARIS = ZoneInfo("Europe/Paris")
NBSP = "\N{NO-BREAK SPACE}"
DAY = [
    {"at": "00:00", "index": 1, "contact": "closed", "virtual": []},
    {"at": "06:00", "index": None, "contact": "unchanged", "virtual": [1]},
]


@pytest.mark.parametrize(
    ("slug", "value", "english", "french"),
    [
        ("sinsts", 12_345, f"12,345{NBSP}VA", f"12{NBSP}345{NBSP}VA"),
        ("sinsts", None, "–", "–"),
        ("sinsts", "loud", "loud", "loud"),
        ("pref", 9, f"9{NBSP}kVA", f"9{NBSP}kVA"),
        ("ntarf", 1234, "1234", "1234"),
        ("ntarf", "x", "x", "x"),
        ("adsc", "042161000001", "042161000001", "042161000001"),
        ("ltarf", "HEURE CREUSE", "Off-peak hours", "Heures creuses"),
        ("ltarf", "HC SUPER MALIN", "HC SUPER MALIN", "HC SUPER MALIN"),
        ("ltarf", 7, "7", "7"),
        ("msg1", "", "–", "–"),
        ("overvoltage", False, "No", "Non"),
        ("overvoltage", True, "Yes", "Oui"),
        ("relay_1", True, "Closed", "Fermé"),
        ("relay_2", False, "Open", "Ouvert"),
        ("breaker", "closed", "Closed (power is on)", "Fermé (courant établi)"),
        ("breaker", "melted", "melted", "melted"),
        ("tempo_today", "blanc", "White", "Blanc"),
        ("relais", 5, "closed: 1, 3", f"fermés{NBSP}: 1, 3"),
        ("relais", 0, "all open", "tous ouverts"),
        ("relais", "x", "x", "x"),
        ("frames_per_minute", 64, "64", "64"),
        ("date", "2026-07-01T14:05:00+02:00", "1 July 2026 14:05", "1 juil. 2026 14:05"),
        ("date", "yesterday", "yesterday", "yesterday"),
        ("date", 5, "5", "5"),
        ("pjourf_next", DAY, "00:00 index 1, contact closed; 06:00 same index",
         "00:00 index 1, contact fermé; 06:00 même index"),
        ("pjourf_next", [], "–", "–"),
        ("pjourf_next", "x", "x", "x"),
    ],
)  # fmt: skip
def test_a_value_is_shown_in_the_readers_language(slug: str, value: Any, english: str, french: str) -> None:
    texts = []
    for language in ("en", "fr"):
        with translation.override(language):
            texts.append(value_text(BY_SLUG[slug], value, PARIS))
    assert texts == [english, french]


@pytest.mark.parametrize(
    ("slug", "stamp", "text"),
    [
        ("smaxsn", "H261121073000", f"4,321{NBSP}VA (21 Nov. 2026 07:30)"),
        ("smaxsn", "H261399073000", f"4,321{NBSP}VA"),
        ("date", "H261121073000", "4,321"),
    ],
)
def test_a_dated_value_says_when(slug: str, stamp: str, text: str) -> None:
    assert value_text(BY_SLUG[slug], 4321, PARIS, stamp) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1.25, None, "1.2"), (2.0, None, "2"), (1234.56, 1, "1,234.6"), (0.999, 0, "1"), (-5, None, "-5")],
)
def test_numbers_are_rounded_and_never_cut(value: float, decimals: int | None, text: str) -> None:
    assert number(value, decimals) == text


def test_a_number_without_a_unit_has_no_blank() -> None:
    assert amount(5, "") == "5"


def test_times_are_the_meters_own() -> None:
    at = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)
    assert (clock(at, PARIS), moment(at, PARIS)) == ("00:05", "2 July 2026 00:05")


@given(
    st.sampled_from(FIELDS),
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
)  # fmt: skip
def test_no_value_is_too_strange_to_be_shown(field: Any, value: Any) -> None:
    text = value_text(field, value, PARIS)
    assert text
    assert isinstance(text, str)
    assert not (isinstance(value, float) and math.isnan(value))
