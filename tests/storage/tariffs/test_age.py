"""No price runs on in silence past the day on which the next one was due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from storage.tariffs.age import Age, age_of, next_revision
from storage.tariffs.models import Offer, TariffPrice
from storage.tariffs.shipped import midnight


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 31), date(2026, 2, 1)),
        (date(2026, 2, 1), date(2026, 8, 1)),
        (date(2026, 7, 31), date(2026, 8, 1)),
        (date(2026, 8, 1), date(2027, 2, 1)),
        (date(2026, 12, 31), date(2027, 2, 1)),
    ],
)
def test_prices_are_revised_in_february_and_august(day: date, expected: date) -> None:
    assert next_revision(day) == expected


@pytest.mark.django_db
def test_shipped_prices_are_sure_until_the_next_revision() -> None:
    offer = Offer.objects.get(code="tarif-bleu-tempo")
    since, checked, due = date(2026, 2, 1), date(2026, 11, 20), date(2026, 8, 1)
    assert age_of(offer, date(2026, 7, 31)) == Age(since, checked, due, is_overdue=False)
    assert age_of(offer, date(2026, 8, 1)) == Age(since, checked, due, is_overdue=True)


@pytest.mark.django_db
def test_a_price_that_the_owner_adds_is_up_to_date() -> None:
    offer = Offer.objects.get(code="tarif-bleu-ejp")
    price = TariffPrice.objects.get(offer=offer, period="hn")
    price.revise(midnight(date(2026, 8, 1)), amount=Decimal("0.18"))
    assert age_of(offer, date(2026, 11, 28)) == Age(
        date(2026, 8, 1), date(2026, 11, 20), date(2027, 2, 1), is_overdue=False
    )


@pytest.mark.django_db
def test_of_the_owners_own_offers_no_revision_is_known() -> None:
    offer = Offer.objects.create(code="mine", name="Mine", option=Offer.Option.BASE)
    assert age_of(offer) is None
    TariffPrice.objects.create(offer=offer, period="base", amount=Decimal("0.1"), start_date=midnight(date(2020, 5, 1)))
    assert age_of(offer, date(2026, 11, 28)) == Age(date(2020, 5, 1), None, None, is_overdue=False)


def test_it_is_said_in_both_languages() -> None:
    late = Age(date(2026, 2, 1), date(2026, 11, 20), date(2026, 8, 1), is_overdue=True)
    with translation.override("en"):
        assert str(late) == (
            "prices from Feb. 1, 2026, checked on Nov. 20, 2026, "
            "a revision was due on Aug. 1, 2026 and is not known here"
        )
        assert str(Age(date(2026, 8, 1), None, date(2027, 2, 1), is_overdue=False)) == (
            "prices from Aug. 1, 2026, next revision due on Feb. 1, 2027"
        )
    with translation.override("fr"):
        assert str(late) == (
            "prix du 1 février 2026, vérifiés le 20 novembre 2026, "
            "une révision était due le 1 août 2026 et n’est pas connue ici"
        )
    assert late.in_english() == (
        "prices from 2026-02-01, checked on 2026-11-20, a revision was due on 2026-08-01 and is not known here"
    )
