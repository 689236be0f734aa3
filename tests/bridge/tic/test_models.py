"""What a frame says, as frozen models."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.tic.catalogue import BY_LABEL, BY_SLUG, Field, Mode, Quantity
from bridge.tic.models import (
    MODELS,
    Digits2,
    Digits3,
    Digits5,
    Digits9,
    Historique,
    MeterId,
    Reading,
    Standard,
)
from bridge.tic.values import SUMMER, DayProfile, PhaseLoss, Relays, StatusRegister, read_stamp
from tests.bridge.readings import stamp_of, value_of, values_of
from tests.bridge.wire import METER

AT = datetime(2019, 9, 22, 17, 31, 34, tzinfo=SUMMER)
STANDARD = Standard(
    smaxsn=2110,
    adsc=METER,
    date=AT,
    stge=StatusRegister(0x003A0001),
    stamps={"date": read_stamp("E190922173134"), "smaxsn": read_stamp("E190922090032")},
)


def _type_of(row: Field) -> Any:
    if row.label in ("ADCO", "ADSC"):
        return MeterId
    by_quantity = {
        Quantity.IDENTIFIER: str,
        Quantity.TEXT: str,
        Quantity.WORD: str,
        Quantity.INSTANT: datetime,
        Quantity.STATUS_REGISTER: StatusRegister,
        Quantity.RELAYS: Relays,
        Quantity.PHASE_LOSS: PhaseLoss,
        Quantity.DAY_PROFILE: DayProfile,
    }
    return by_quantity.get(row.quantity) or {2: Digits2, 3: Digits3, 5: Digits5, 9: Digits9}[row.digits]


@pytest.mark.parametrize("mode", Mode)
def test_a_model_has_the_tables_fields_each_with_the_type_of_its_quantity(mode: Mode) -> None:
    common = get_type_hints(Reading, include_extras=True)
    hints = get_type_hints(MODELS[mode], include_extras=True)
    assert {name: hint for name, hint in hints.items() if name not in common} == {
        row.slug: _type_of(row) | None for row in BY_LABEL[mode].values()
    }


@pytest.mark.parametrize("mode", Mode)
def test_a_model_says_its_mode(mode: Mode) -> None:
    assert (MODELS[mode].mode, MODELS[mode]().mode) == (mode, mode)


def test_values_are_what_the_meter_sent_in_the_tables_order() -> None:
    assert list(STANDARD.values()) == [
        ("adsc", METER),
        ("date", AT),
        ("smaxsn", 2110),
        ("stge", StatusRegister(0x003A0001)),
    ]


def test_json_keeps_numbers_and_writes_registers_and_instants_as_text() -> None:
    assert STANDARD.to_json() == {
        "adsc": METER,
        "date": "2019-09-22T17:31:34+02:00",
        "smaxsn": 2110,
        "stge": "003A0001",
    }


def test_sent_and_not_announced_is_not_the_same_as_not_sent() -> None:
    assert (dict(Historique(demain=None).values()), dict(Historique().values())) == ({"demain": None}, {})


@pytest.mark.parametrize(
    ("reading", "address"),
    [
        (Historique(adco=METER), ("adco", METER)),
        (Standard(adsc=METER), ("adsc", METER)),
        (Historique(), ("adco", None)),
        (Standard(), ("adsc", None)),
    ],
)
def test_the_meters_id_is_its_address(reading: Reading, address: tuple[str, str | None]) -> None:
    assert (reading.address, reading.meter_id) == (address, address[1])


def test_a_reading_without_some_labels_forgets_their_stamps_too() -> None:
    left = STANDARD.without("adsc", "smaxsn", "papp")
    assert left == Standard(date=AT, stge=StatusRegister(0x003A0001), stamps={"date": read_stamp("E190922173134")})
    assert list(left.to_json()) == ["date", "stge"]


def test_a_revised_reading_has_the_new_values_and_all_the_others() -> None:
    new = STANDARD.revised({"smaxsn": 3000}, {"smaxsn": read_stamp("E190922101500")})
    assert new == STANDARD.model_copy(
        update={"smaxsn": 3000, "stamps": {**STANDARD.stamps, "smaxsn": read_stamp("E190922101500")}}
    )
    assert (list(new.to_json()), new.smaxsn, STANDARD.smaxsn) == (list(STANDARD.to_json()), 3000, 2110)
    assert STANDARD.revised({"stge": StatusRegister(1)}, {}).stamps == STANDARD.stamps


@settings(max_examples=40)
@given(st.sampled_from(Mode), st.data())
def test_a_revised_reading_is_the_one_that_the_model_makes_of_the_same_values(mode: Mode, data: st.DataObject) -> None:
    model = MODELS[mode]
    before: dict[str, Any] = data.draw(values_of(mode))
    stamps = {slug: read_stamp(data.draw(stamp_of(BY_SLUG[slug]))) for slug in before if BY_SLUG[slug].dated}
    new = {slug: data.draw(value_of(BY_SLUG[slug])) for slug in before if data.draw(st.booleans())}
    restamped = {slug: read_stamp(data.draw(stamp_of(BY_SLUG[slug]))) for slug in new if BY_SLUG[slug].dated}
    revised = model.model_validate({**before, "stamps": stamps}).revised(new, restamped)
    made = model.model_validate({**before, **new, "stamps": {**stamps, **restamped}})
    assert (revised, list(revised.values()), revised.to_json()) == (made, list(made.values()), made.to_json())
    assert (revised.model_dump(), revised.complete) == (made.model_dump(), made.complete)


@pytest.mark.parametrize("wrong", [{"smaxsn": 100_000}, {"smaxsn": "3000"}, {"adsc": "02186100000q"}, {"stge": 1}])
def test_a_revision_is_validated_as_strictly(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        STANDARD.revised(wrong, {})


def test_a_label_of_the_other_mode_is_got_as_none() -> None:
    assert (STANDARD.get("smaxsn"), STANDARD.get("east"), STANDARD.get("papp")) == (2110, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"papp": "00530"},  # nothing is coerced
        {"papp": 100_000},
        {"papp": -1},
        {"isousc": 100},
        {"iinst": 1000},
        {"base": 1_000_000_000},
        {"adco": "02186100000q"},
        {"adco": "0218610000011"},
        {"adco": f"{METER}\n"},
        {"sinsts": 530},  # a label of the other mode
        {"ppot": 0},
    ],
)
def test_a_model_refuses_what_no_meter_says(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Historique.model_validate(wrong)


def test_a_reading_is_frozen() -> None:
    with pytest.raises(ValidationError):
        STANDARD.smaxsn = 1  # type: ignore[misc]  # what the test is about
