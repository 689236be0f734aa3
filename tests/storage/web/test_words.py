"""The meter's words in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from bridge.tic.catalogue import BY_SLUG, FIELDS
from storage.web.words import Period, age, contact, field_name, period, word


def test_the_catalogue_speaks_both_languages() -> None:
    names = []
    for language in ("fr", "fr-ca", "en", "de"):
        with translation.override(language):
            names.append(field_name(BY_SLUG["sinsts"]))
    assert names == ["Puissance apparente", "Puissance apparente", "Apparent power", "Apparent power"]


def test_every_word_of_the_catalogue_has_a_text_of_its_own() -> None:
    words = {(f.slug, w) for f in FIELDS if f.words for w in f.words.values() if w}
    assert sorted(f"{slug} {w}" for slug, w in words if word(slug, w) == w) == ["optarif EJP"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("HC BLEU", Period("Off-peak hours, blue day", "off-peak", tempo=True)),
        ("HPJR", Period("Peak hours, red day", "peak", tempo=True)),
        ("BASE", Period("Base", "base")),
        ("TH", Period("Base", "base")),
        ("PRODUCTEUR", Period("PRODUCTEUR", "other")),
    ],
)
def test_a_tariff_is_named_and_has_a_kind(said: str, expected: Period) -> None:
    assert period(said) == expected


def test_an_unknown_contact_is_shown_as_it_is() -> None:
    assert (contact("open"), contact("ajar")) == ("contact open", "ajar")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (7_199, "1 h ago"), (200_000, "2 d ago")],
)
def test_an_age_is_told_in_the_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text
