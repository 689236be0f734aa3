"""What a rule may say, and what it means."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from bridge.tic.catalogue import BY_SLUG, DERIVED
from storage.alerts.conditions import Condition, Operator
from storage.alerts.meanings import WATCHABLE, Absent, Kind, condition, problems, unit_of, value_in
from storage.columns import MEASURES


def found(kind: str, field: str = "", operator: str = "", value: str = "", **more: Any) -> dict[str, str]:
    with translation.override("en"):
        return {name: str(text) for name, text in problems(kind, field, operator, value, **more).items()}


GOOD: list[tuple[tuple[str, str, str, str], dict[str, Any], Condition]] = [
    (("threshold", "sinsts", ">", "8000"), {"hysteresis": 500, "duration": 60}, Condition(Operator.GT, 8000, 500, 60)),
    (("threshold", "urms1", "<", "207,5"), {}, Condition(Operator.LT, 207.5)),
    (("threshold", "over_power", "=", "on"), {}, Condition(Operator.EQ, True)),
    (("threshold", "tempo_tomorrow", "=", "rouge"), {}, Condition(Operator.EQ, "rouge")),
    (("threshold", "ltarf", "!=", "HEURE CREUSE"), {}, Condition(Operator.NE, "HEURE CREUSE")),
    (("threshold", "breaker_margin", "<", "-200"), {}, Condition(Operator.LT, -200)),
    (("silent", "", "", "10"), {}, Condition(Operator.GE, 10)),
    (("production", "", "", ""), {}, Condition(Operator.LE, 0)),
    (("standby", "", "", "300"), {"hysteresis": 20}, Condition(Operator.GT, 300, 20)),
    (("cost", "", "", "4.50"), {}, Condition(Operator.GT, 4.5)),
    (("trip", "", "", ""), {}, Condition(Operator.LE, 3600, calm=60)),
    (("trip", "", "", "120"), {}, Condition(Operator.LE, 120, calm=60)),
]


@pytest.mark.parametrize(("parts", "more", "meant"), GOOD)
def test_a_rule_means_one_condition(parts: tuple[str, str, str, str], more: dict[str, Any], meant: Condition) -> None:
    assert found(*parts, **more) == {}
    assert condition(*parts, **more) == meant


_NO_FIELD = "Expected the name of a field, as the list of labels gives it, such as sinsts."
_NO_SIZES = "This field has no sizes to compare: expected = or !=."
_NO_SIDE = "Only a limit that is compared by size has one."
_NONE = "Leave it empty: this kind of rule has none."
BAD: list[tuple[tuple[str, ...], dict[str, Any], dict[str, str]]] = [
    (("threshold", "papp", ">", "1"), {}, {"field": _NO_FIELD}),
    (("threshold", "prm", "=", "1"), {}, {"field": _NO_FIELD}),
    (("threshold", "sinsts", "", "1"), {}, {"operator": "Expected an operator."}),
    (("threshold", "tempo_today", ">", "rouge"), {}, {"operator": _NO_SIZES}),
    (("threshold", "sinsts", ">", "100000"), {}, {"value": "Expected a number that this field can show (VA)."}),
    (("threshold", "sinsts", ">", "8 kVA"), {}, {"value": "Expected a number that this field can show (VA)."}),
    (("threshold", "sinsts", ">", "nan"), {}, {"value": "Expected a number that this field can show (VA)."}),
    (("threshold", "ntarf", "=", "11"), {}, {"value": "Expected a number that this field can show."}),
    (("threshold", "over_power", "=", "1"), {}, {"value": "Expected ON or OFF."}),
    (("threshold", "tempo_today", "=", "red"), {}, {"value": "Expected one of: blanc, bleu, rouge"}),
    (("threshold", "tempo_today", "=", "rouge"), {"hysteresis": 1}, {"hysteresis": _NO_SIDE}),
    (("threshold", "sinsts", ">", "1"), {"hysteresis": -1}, {"hysteresis": "Expected a number from 0 up."}),
    (("threshold", "sinsts", ">", "1"), {"duration": 90_000}, {"duration": "Expected at most a day, 86400 seconds."}),
    (("silent", "", "", ""), {}, {"value": "Expected a number from 1 to 10080 (min)."}),
    (("silent", "", "", "2.5"), {}, {"value": "Expected a number from 1 to 10080 (min)."}),
    (("production", "", "", "23"), {}, {"value": "Expected a number from 6 to 20 (h)."}),
    (("cost", "", "", "-1"), {}, {"value": "Expected a number from 0.01 to 10000 (€)."}),
    (("silent", "sinsts", ">", "5"), {"duration": 3, "hysteresis": 1},
     {"field": _NONE, "operator": _NONE, "duration": _NONE, "hysteresis": _NONE}),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "more", "wrong"), BAD)
def test_what_could_never_be_is_named(parts: tuple[str, ...], more: dict[str, Any], wrong: dict[str, str]) -> None:
    assert found(*parts, **more) == wrong


def test_every_measure_and_every_comparable_derived_value_may_be_watched() -> None:
    assert set(MEASURES) <= set(WATCHABLE)
    assert {"next_tariff_change", "last_frame", "refused_groups"} == set(DERIVED) - set(WATCHABLE)
    assert [slug for slug in WATCHABLE if BY_SLUG[slug].same_as or BY_SLUG[slug].personal] == []


def test_a_field_is_found_however_the_meter_spells_it() -> None:
    assert value_in("east", {"east": 7}, {}, {}) == 7
    assert value_in("sinsts", {}, {"papp": 530}, {}) == 530
    assert value_in("smaxsn", {}, {"smaxn": 900}, {}) == 900
    assert value_in("over_power", {}, {}, {"over_power": False}) is False
    assert value_in("breaker_seconds_to_trip", {}, {}, {"breaker_seconds_to_trip": None}) is None
    assert value_in("over_power", {}, {}, {}) is Absent


def test_a_value_has_the_unit_of_what_is_compared() -> None:
    units = [unit_of(kind, "urms1" if kind is Kind.THRESHOLD else "") for kind in Kind]
    assert units == ["V", "min", "Wh", "VA", "€", "s"]
    assert unit_of("threshold", "gone") == ""
