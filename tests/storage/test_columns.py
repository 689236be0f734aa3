"""Both modes meet in the same columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import models

from bridge.envelope import Envelope
from bridge.tic.catalogue import BY_LABEL, BY_SLUG, Mode
from storage.columns import COLUMNS, FILLING, ColumnError, columns
from storage.models import Data

NOON = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def envelope(**fields: Any) -> Envelope:  # any field of the envelope
    return Envelope.model_validate(
        {
            "meter": "021861000001",
            "bridge": "pi",
            "epoch": "11111111-2222-4333-8444-555555555555",
            "seq": 1,
            "floor": 1,
            "ts": "2026-07-01T10:00:00.000Z",
            "tz": "Europe/Paris",
            "mode": "standard",
            "values": {},
            **fields,
        }
    )


def test_a_standard_reading_fills_the_columns_of_the_same_name() -> None:
    values = {
        "east": 5,
        "easf01": 3,
        "easf02": 2,
        "sinsts": 810,
        "irms1": 4,
        "urms1": 231,
        "ltarf": "HC BLEU",
        "ntarf": 1,
    }
    assert columns(envelope(values=values)) == {"dateTime": NOON, **values}


def test_base_is_the_total_and_the_first_index() -> None:
    values = {"base": 7, "papp": 810, "iinst": 4, "ptec": "TH"}
    assert columns(envelope(mode="historique", values=values, derived={"tariff_index": 1})) == {
        "dateTime": NOON, "east": 7, "easf01": 7, "sinsts": 810, "irms1": 4, "ltarf": "TH", "ntarf": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "labels",
    [
        ("hchc", "hchp"),
        ("ejphn", "ejphpm"),
        ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr"),
    ],
)
def test_the_total_of_a_contract_with_several_indexes_is_their_sum(labels: tuple[str, ...]) -> None:
    values = {label: 10**n for n, label in enumerate(labels)}
    expected = {f"easf{n:02}": 10 ** (n - 1) for n in range(1, len(labels) + 1)}
    assert columns(envelope(mode="historique", values=values)) == {
        "dateTime": NOON, "east": sum(values.values()), **expected,
    }  # fmt: skip


def test_a_total_is_not_made_of_some_of_its_parts() -> None:
    assert columns(envelope(mode="historique", values={"hchc": 5})) == {"dateTime": NOON, "easf01": 5}


def test_not_announced_is_null() -> None:
    assert columns(envelope(values={"sinsts": None})) == {"dateTime": NOON}


def test_the_meters_clock_is_kept_raw_and_in_utc() -> None:
    assert columns(envelope(stamps={"date": "E260701120000"})) == {
        "dateTime": NOON, "date": "E260701120000", "stamp_utc": NOON,
    }  # fmt: skip


def test_both_half_past_two_of_october_are_an_hour_apart() -> None:
    first = columns(envelope(stamps={"date": "E261025023000"}))["stamp_utc"]
    second = columns(envelope(stamps={"date": "H261025023000"}))["stamp_utc"]
    assert (second - first).total_seconds() == 3600


def test_a_clock_that_the_meter_doubts_gives_no_time() -> None:
    assert columns(envelope(stamps={"date": "e260701120000"})) == {
        "dateTime": NOON, "date": "e260701120000", "stamp_utc": None,
    }  # fmt: skip


def test_overseas_the_zone_tells_the_offset() -> None:
    row = columns(envelope(tz="Indian/Reunion", stamps={"date": "H260701140000"}))
    assert row["stamp_utc"] == NOON


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"values": {"sinsts": -1}}, "sinsts: expected a number from 0 to 99999"),
        ({"values": {"sinsts": 100_000}}, "sinsts: expected a number from 0 to 99999"),
        ({"values": {"sinsts": True}}, "sinsts: expected a number from 0 to 99999"),
        ({"values": {"papp": "810"}}, "papp: expected a number from 0 to 99999"),
        ({"values": {"ltarf": "x" * 17}}, "ltarf: expected at most 16 characters"),
        ({"values": {"ltarf": 3}}, "ltarf: expected at most 16 characters"),
        ({"stamps": {"date": "H261331000000"}}, "date: no such date 'H261331000000'"),
        ({"tz": "Mars/Olympus", "stamps": {"date": "H260701140000"}}, "tz: no such time zone 'Mars/Olympus'"),
    ],
)
def test_what_does_not_fit_is_named(fields: dict[str, Any], text: str) -> None:  # any field of the envelope
    with pytest.raises(ColumnError) as caught:
        columns(envelope(**fields))
    assert str(caught.value) == text


# --- the table of docs/reference/columns.md ------------------------------------------------------


def kind(field: Any) -> str:  # any column
    if isinstance(field, models.CharField):
        return f"text ({field.max_length})"
    words = {
        models.ForeignKey: "key", models.BigIntegerField: "big integer", models.SmallIntegerField: "small integer",
        models.IntegerField: "integer", models.DateTimeField: "instant", models.JSONField: "JSON",
    }  # fmt: skip
    return words[type(field)]


def test_the_table_has_each_column_in_order_with_its_type() -> None:
    fields = [field for field in Data._meta.concrete_fields if not field.primary_key]
    assert [(column.name, column.kind) for column in COLUMNS] == [(field.name, kind(field)) for field in fields]


@pytest.mark.parametrize("mode", list(Mode))
def test_each_label_of_the_table_fills_its_column(mode: Mode) -> None:
    filled = set()
    for column in COLUMNS[COLUMNS.index(next(c for c in COLUMNS if c.name == "ltarf")) : -1]:
        for labels in (column.standard if mode is Mode.STANDARD else column.historique).split(", "):
            rows = [BY_LABEL[mode][label] for label in labels.split(" + ") if label in BY_LABEL[mode]]
            values: dict[str, Any] = {row.slug: "TH" if column.name == "ltarf" else 3 for row in rows}
            if rows:
                value = columns(envelope(mode=mode, values=values))[column.name]
                assert value == (3 * len(rows) if column.name != "ltarf" else "TH"), (column.name, labels)
                filled |= set(values)
    assert filled | {"date"} >= {slug for slug in FILLING if BY_SLUG[slug].mode is mode}


def test_no_other_label_fills_a_column() -> None:
    for mode in Mode:
        others = [row for row in BY_LABEL[mode].values() if row.slug not in FILLING]
        assert others
        assert columns(envelope(mode=mode, values={row.slug: 3 for row in others})) == {"dateTime": NOON}
