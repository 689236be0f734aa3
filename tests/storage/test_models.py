"""The columns against the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.tic.catalogue import BY_SLUG, Quantity
from storage.columns import MEASURES, SOURCES
from storage.models import Data

TUTORIAL = (
    "dateTime", "date", "ltarf", "east", "easf01", "easf02", "easd01", "easd02", "easd03", "easd04", "sinsts",
    "sinsts1", "sinsts2", "sinsts3",
)  # fmt: skip


def test_the_tutorials_columns_keep_their_names() -> None:
    names = {field.name for field in Data._meta.concrete_fields}
    assert set(TUTORIAL) <= names


def test_each_measure_is_a_canonical_row_of_the_catalogue() -> None:
    assert {column: BY_SLUG[column].canonical for column in MEASURES} == {column: column for column in MEASURES}


def test_each_measure_may_be_missing() -> None:
    assert [column for column in MEASURES if not Data._meta.get_field(column).null] == []


def test_a_column_is_filled_by_every_label_that_says_the_same() -> None:
    assert SOURCES["sinsts"] == ("papp", "sinsts", "sinst1")
    assert SOURCES["easf01"] == ("base", "hchc", "ejphn", "bbrhcjb", "easf01")


def test_measures_hold_what_their_labels_can_say() -> None:
    small = {name for name in MEASURES if Data._meta.get_field(name).get_internal_type() == "SmallIntegerField"}
    assert {BY_SLUG[name].quantity for name in small} == {Quantity.CURRENT, Quantity.VOLTAGE}
    assert max(BY_SLUG[name].digits for name in small) < 5


@pytest.mark.sqlite  # PostgreSQL's plan of an empty table says nothing: see test_plans.py
@pytest.mark.django_db
def test_a_question_of_time_uses_the_index() -> None:
    asked = Data.objects.filter(meter=1, dateTime__gte=datetime(2026, 1, 1, tzinfo=UTC)).order_by("-dateTime")
    assert "data_meter_time" in asked.explain()
