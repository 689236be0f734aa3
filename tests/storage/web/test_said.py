"""What a meter said, wherever we know it from."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.tic.catalogue import BY_SLUG
from storage.buckets import zone_of
from storage.web.said import Said, said_live, said_stored
from tests.storage.web.samples import METER, NOON, envelope, historique, stored, stored_meter

PARIS = ZoneInfo("Europe/Paris")


def test_a_live_reading_keeps_each_value_under_its_canonical_name() -> None:
    assert said_live(historique()) == Said(
        at=NOON,
        zone=PARIS,
        values={
            "adsc": METER, "optarif": "HC", "isousc": 30, "easf01": 3_000_000, "easf02": 4_000_000, "ptec": "HC",
            "irms1": 5, "sinsts": 1150, "tariff_index": 1, "east": 7_000_000,
        },
        fields={
            "adsc": BY_SLUG["adco"], "optarif": BY_SLUG["optarif"], "isousc": BY_SLUG["isousc"],
            "easf01": BY_SLUG["hchc"], "easf02": BY_SLUG["hchp"], "ptec": BY_SLUG["ptec"], "irms1": BY_SLUG["iinst"],
            "sinsts": BY_SLUG["papp"], "tariff_index": BY_SLUG["tariff_index"],
        },
    )  # fmt: skip


def test_stamps_and_unknown_labels_are_kept() -> None:
    said = said_live(envelope({"smaxsn": 5, "brandnew": 7}, stamps={"smaxsn": "H261121120000"}, extra={"ZZZ": "raw"}))
    assert (said.stamps, said.extra) == ({"smaxsn": "H261121120000"}, {"brandnew": "7", "ZZZ": "raw"})


def test_a_value_out_of_its_range_hides_only_the_sum_of_the_indexes() -> None:
    said = said_live(envelope({"hchc": 10**9, "hchp": 1, "papp": 5}, mode="historique"))
    assert said.values == {"easf01": 10**9, "easf02": 1, "sinsts": 5}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"pref": 9}, 9000),
        ({"isousc": 30}, 6000),
        ({"isousc": 30, "iinst2": 1}, 18_000),
        ({"sinsts": 5}, None),
        ({"pref": "nine"}, None),
        ({"pref": True}, None),
    ],
)
def test_the_subscribed_power_is_known_in_both_modes(values: dict[str, object], expected: float | None) -> None:
    assert said_live(envelope(values)).subscribed == expected


def test_the_first_text_among_several_is_found() -> None:
    said = said_live(envelope({"ltarf": None, "ptec": "HC", "njourf": 3}))
    assert (said.text("ltarf", "njourf", "ptec"), said.text("ltarf")) == ("HC", None)


def test_the_cutoff_power_is_in_va() -> None:
    assert (said_live(envelope({"pcoup": 12})).cutoff, said_live(envelope({"sinsts": 1})).cutoff) == (12_000, None)


@pytest.mark.django_db
def test_a_row_of_a_standard_meter_speaks_with_its_columns_names() -> None:
    row = stored(
        stored_meter(), NOON, 1, sinsts=500, east=7, ltarf="BASE", ntarf=1, stamp_utc=NOON - timedelta(seconds=1)
    )
    slugs = ("sinsts", "east", "ltarf", "ntarf", "date")
    values = {"sinsts": 500, "east": 7, "ltarf": "BASE", "ntarf": 1, "date": "2026-11-21T11:59:59+00:00"}
    assert said_stored(row, "standard", "Europe/Paris") == Said(NOON, PARIS, values, {s: BY_SLUG[s] for s in slugs})


@pytest.mark.django_db
def test_a_row_of_a_historique_meter_speaks_with_its_labels_where_they_are_certain() -> None:
    row = stored(stored_meter(), NOON, 1, sinsts=500, east=7, easf01=3, easf02=4, ltarf="HC", irms1=2)
    assert said_stored(row, "historique", "Europe/Paris").fields == {
        "sinsts": BY_SLUG["papp"], "east": BY_SLUG["east"], "easf01": BY_SLUG["easf01"], "easf02": BY_SLUG["easf02"],
        "ltarf": BY_SLUG["ptec"], "irms1": BY_SLUG["irms1"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["Europe/Paris", "Mars/Base", "../etc", ""])
def test_an_unknown_zone_is_the_mainlands(name: str) -> None:
    assert zone_of(name) == PARIS
