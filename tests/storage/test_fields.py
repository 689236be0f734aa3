"""storage.fields: what is kept of a reading beyond the columns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bridge.config import Settings
from bridge.envelope import Envelope
from bridge.tic.catalogue import BY_SLUG, FIELDS
from storage.columns import FILLING
from storage.ingest import Mark, Outcome, ingest
from storage.models import Data
from storage.selection import Selection
from tests.storage.test_ingest import EPOCH, METER, TOPICS, envelope, incoming

STAMP = "H261121100000"
PROFILE = {"at": "06:00", "index": 2, "contact": "unchanged", "virtual": [1]}


def reading(seq: int = 1, **changes: Any) -> Envelope:  # values of a reading
    values = {
        "adsc": "021861000001", "date": "2026-11-21T10:00:00+01:00", "ltarf": "HC", "east": 1000, "sinsts": 750,
        "umoy1": 231, "stge": "003A4401", "adps": None, "pjourf_next": [PROFILE], "prm": "12345678901234", **changes,
    }  # fmt: skip
    return envelope(
        seq, values=values, stamps={"date": STAMP, "umoy1": STAMP}, extra={"NEWLABEL": "A 1"},
        derived={"tempo_today": "bleu", "over_power": False, "relay_1": None},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ((), None),
        (("umoy1",), {"umoy1": 231, "umoy1_stamp": STAMP}),
        (("stge", "pjourf_next"), {"stge": "003A4401", "pjourf_next": [PROFILE]}),
        (("NEWLABEL",), {"NEWLABEL": "A 1"}),
        (("tempo_today", "over_power", "relay_1"), {"tempo_today": "bleu", "over_power": False}),
        (("adps", "umoy2", "OTHER"), None),  # not now, not by this meter
        (("east", "date", "ltarf"), None),  # in columns already
        (("prm",), {"prm": "12345678901234"}),  # the bridge let it out
        (
            "all",
            {
                "adsc": "021861000001", "umoy1": 231, "umoy1_stamp": STAMP, "stge": "003A4401",
                "pjourf_next": [PROFILE], "prm": "12345678901234", "NEWLABEL": "A 1",
            },
        ),
    ],
)  # fmt: skip
def test_what_is_kept(fields: Any, extra: dict[str, Any] | None) -> None:  # "all" or a tuple
    assert Selection(fields).kept(reading()) == extra


def test_a_label_of_the_other_mode_is_kept_under_the_canonical_name() -> None:
    one = envelope(1, mode="historique", values={"adco": "021861000001", "papp": 3, "ptec": "HC", "isousc": 30})
    assert Selection(("adsc",)).kept(one) == {"adsc": "021861000001"}
    assert Selection("all").kept(one) == {"adsc": "021861000001", "isousc": 30}


def test_whatever_a_meter_may_say_is_in_a_column_or_in_extra() -> None:
    for row in (row for row in FIELDS if row.label is not None):
        extra = Selection("all").kept(envelope(1, values={row.slug: 1}))
        assert (extra == {row.canonical: 1}) == (row.slug not in FILLING), row.slug


def test_no_name_can_be_taken_for_a_stamp() -> None:
    assert [slug for slug in BY_SLUG if slug.endswith("_stamp")] == []


@pytest.mark.django_db
def test_a_field_that_is_named_appears_in_the_row() -> None:
    assert ingest(TOPICS, incoming(reading()), Selection(("umoy1",))).stored == 1
    assert Data.objects.values_list("east", "extra").get() == (1000, {"umoy1": 231, "umoy1_stamp": STAMP})
    assert Data.objects.filter(extra__umoy1__gt=230).count() == 1


@pytest.mark.django_db
def test_without_such_fields_the_column_is_null() -> None:
    ingest(TOPICS, incoming(reading()))
    assert Data.objects.filter(extra__isnull=True).count() == 1


@pytest.mark.django_db
def test_what_comes_again_after_other_fields_were_chosen_is_the_same_reading() -> None:
    ingest(TOPICS, incoming(reading()), Selection(("umoy1",)))
    again = Outcome(duplicates=1, marks=[Mark(METER, EPOCH, 1)])
    assert ingest(TOPICS, incoming(reading()), Selection(("umoy1", "stge"))) == again
    assert ingest(TOPICS, incoming(reading()), Selection("all")) == again
    assert ingest(TOPICS, incoming(reading(umoy1=99)), Selection("all")).mismatched == 1


# --- the option ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", ["all", [], ["umoy1", "tempo_today"], ["NEWLABEL", "A+1"]])
def test_fields_are_all_or_a_list(fields: Any) -> None:  # as in YAML
    assert Selection.of(Settings.model_validate({"storage": {"fields": fields}}).storage) == Selection(
        fields if fields == "all" else tuple(fields)
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("umoy1", "expected all, or a list of fields"),
        (["umoi1"], "expected a field of `ticbridge labels`"),
        (["papp"], "expected the canonical name, sinsts"),
        (["UMOY1"], "expected its name in `ticbridge labels`, in small letters"),
        (["A B"], "expected a field of `ticbridge labels`"),
        (["A"] * 257, "at most 256"),
    ],
)
def test_a_field_that_cannot_be_is_named(fields: Any, said: str) -> None:  # as in YAML
    with pytest.raises(ValueError, match=re.escape(said)):
        Settings.model_validate({"storage": {"fields": fields}})
