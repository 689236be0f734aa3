"""Shipped prices come into the database, and what the owner wrote is never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from storage.models import Meter
from storage.tariffs import shipping
from storage.tariffs.models import CalendarRule, Contract, Offer, Origin, Period, TariffPrice
from storage.tariffs.shipped import midnight, shipped_offers
from storage.tariffs.shipping import load_reference
from tests.storage.scratch import Scratch

pytestmark = pytest.mark.django_db
_ALL = sum(1 + len(offer.periods) + len(offer.prices) + len(offer.rules) for offer in shipped_offers())


def rows() -> dict[str, list[dict[str, Any]]]:
    models: tuple[Any, ...] = (Offer, Period, TariffPrice, CalendarRule)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def newest(code: str = "tarif-bleu-hphc", period: str = "hp") -> TariffPrice:
    found: TariffPrice = TariffPrice.objects.get(offer__code=code, period=period, end_date=None)
    return found


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As shipped by a version to come: the peak price of HP/HC changes in 2027."""

    def changed() -> Any:
        for offer in shipped_offers():
            if offer.code != "tarif-bleu-hphc":
                yield offer
                continue
            start = midnight(date(2027, 2, 1))
            old = next(p for p in offer.prices if p.period == "hp" and p.end is None)
            new = replace(old, start=start, amount=Decimal("0.2000"))
            yield replace(offer, prices=tuple(replace(p, end=start) if p is old else p for p in (*offer.prices, new)))

    monkeypatch.setattr(shipping, "shipped_offers", lambda: tuple(changed()))


def test_a_fresh_database_has_them() -> None:
    assert Offer.objects.filter(origin=Origin.SHIPPED).count() == len(shipped_offers())
    price = newest()
    assert (price.amount, price.checked_on, price.confidence) == (Decimal("0.2065"), date(2026, 11, 20), "B")
    assert price.source == "A published grid of the Tarif Bleu"


def test_loading_again_changes_nothing() -> None:
    before = rows()
    outcome = load_reference()
    assert (str(outcome), outcome.is_idle) == (
        f"0 made, 0 changed, 0 ended, 0 removed, {_ALL} as they were, 0 of yours kept",
        True,
    )
    assert rows() == before


def test_an_edited_price_is_kept_until_force() -> None:
    price = newest()
    price.amount = Decimal("0.1111")
    price.save(force_update=True)  # a correction in place
    outcome = load_reference()
    assert outcome.kept == ["tarif-bleu-hphc: hp from 2026-02-01: 0.2065: yours from 2026-02-01 says 0.1111, and stays"]
    assert outcome.is_idle
    assert newest().amount == Decimal("0.1111")
    assert load_reference(force=True).changed == 1
    assert newest().amount == Decimal("0.2065")
    assert [d.field for d in newest().history.first().differences()] == ["amount"]
    assert load_reference().is_idle


def test_a_price_revised_by_the_owner_is_kept_with_the_one_it_follows() -> None:
    mine = newest().revise("2026-08-01T00:00:00+02:00", amount=Decimal("0.2222"))
    before = rows()
    assert load_reference().is_idle
    assert rows() == before
    outcome = load_reference(force=True)
    assert (outcome.changed, outcome.removed) == (1, 1)
    assert newest().amount == Decimal("0.2065")
    assert mine.history.filter(history_type="-").exists()


def test_new_prices_close_those_before(next_version: None) -> None:
    outcome = load_reference()
    assert (outcome.made, outcome.changed, outcome.kept) == (1, 1, [])
    at = midnight(date(2027, 2, 1))
    assert list(
        TariffPrice.objects.filter(offer__code="tarif-bleu-hphc", period="hp").order_by("-start_date")
        .values_list("amount", "start_date", "end_date")[:2]
    ) == [(Decimal("0.2000"), at, None), (Decimal("0.2065"), midnight(date(2026, 2, 1)), at)]  # fmt: skip
    assert load_reference().is_idle


def test_new_prices_do_not_end_what_the_owner_entered(next_version: None) -> None:
    newest().revise("2026-08-01T00:00:00+02:00", amount=Decimal("0.2222"))
    outcome = load_reference()
    assert outcome.kept == ["tarif-bleu-hphc: hp from 2027-02-01: 0.2000: yours from 2026-08-01 says 0.2222, and stays"]
    assert newest().amount == Decimal("0.2222")


def test_a_dry_run_writes_nothing(next_version: None) -> None:
    before = rows()
    assert load_reference(dry_run=True).made == 1
    assert rows() == before


def test_a_name_that_the_owner_gave_is_kept_and_prices_still_come(next_version: None) -> None:
    offer = Offer.objects.get(code="tarif-bleu-hphc")
    offer.name = "Ours"
    offer.save()
    outcome = load_reference()
    assert (outcome.kept, outcome.made) == (["tarif-bleu-hphc: you changed it, and it stays so"], 1)
    assert load_reference(force=True).changed == 1
    assert Offer.objects.get(code="tarif-bleu-hphc").name == "Tarif Bleu Heures Creuses"


def test_rules_come_with_their_offer_and_the_owners_are_kept() -> None:
    offer = Offer.objects.get(code="zen-flex")
    assert (offer.rules.count(), offer.events) == (6, 20)
    CalendarRule.objects.get(offer=offer, rank=1).delete()
    outcome = load_reference()
    assert (outcome.kept, outcome.is_idle) == (["zen-flex: you changed its rules of hours, and they stay so"], True)
    assert offer.rules.count() == 5
    offer.rules.all().delete()  # all of them: wide bounds are what the owner wants
    assert load_reference().is_idle
    assert load_reference(force=True).made == 6
    assert load_reference().is_idle


def test_an_offer_that_the_owner_deleted_stays_deleted() -> None:
    Offer.objects.get(code="zen-flex").delete()
    outcome = load_reference()
    assert (outcome.kept, outcome.is_idle) == (["zen-flex: you deleted it, and it stays so"], True)
    load_reference(force=True)
    assert Offer.objects.get(code="zen-flex").prices.count() == 4


def test_a_price_that_the_owner_deleted_in_truth_stays_deleted() -> None:
    newest().delete(force=True)
    outcome = load_reference()
    assert outcome.kept == ["tarif-bleu-hphc: hp from 2026-02-01: 0.2065: you deleted it, and it stays so"]
    assert outcome.is_idle


def test_an_offer_of_the_owners_own_under_our_code_is_left_alone() -> None:
    Offer.objects.get(code="zen-flex").delete()
    Offer.history.all().delete()
    Offer.objects.create(code="zen-flex", name="My flex", option=Offer.Option.OTHER)
    outcome = load_reference()
    assert (outcome.kept, outcome.is_idle) == (["zen-flex: you changed it, and it stays so"], True)
    assert TariffPrice.objects.filter(offer__code="zen-flex").count() == 0


def test_the_command_tells_what_it_did_and_how_old_prices_are() -> None:
    price = newest()
    price.amount = Decimal("0.1111")
    price.save(force_update=True)
    out = StringIO()
    call_command("load_reference", "--dry-run", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[:2] == [
        "kept: tarif-bleu-hphc: hp from 2026-02-01: 0.2065: yours from 2026-02-01 says 0.1111, and stays",
        f"would be: 0 made, 0 changed, 0 ended, 0 removed, {_ALL - 1} as they were, 1 of yours kept",
    ]
    assert lines[2].startswith("tarif-bleu-base: prices from 2026-02-01, checked on 2026-11-20, ")


_PRICES = "SELECT count(*) FROM tariffs_tariffprice"
_OFFERS = "SELECT code FROM tariffs_offer ORDER BY code"


@pytest.mark.slow
def test_the_migration_comes_and_goes_and_leaves_what_is_the_owners(scratch: Scratch) -> None:
    scratch.migrate()
    number = scratch.query(_PRICES)
    assert len(scratch.query(_OFFERS)) == len(shipped_offers())
    scratch.migrate("tariffs", "0001")
    assert (scratch.query(_PRICES), scratch.query(_OFFERS)) == ([(0,)], [])
    scratch.migrate()
    assert scratch.query(_PRICES) == number
    scratch.write("UPDATE tariffs_tariffprice SET amount = ? WHERE period = 'pm'", [("0.5",)])
    scratch.migrate("tariffs", "0001")
    assert (scratch.query(_PRICES), scratch.query(_OFFERS)) == ([(1,)], [("tarif-bleu-ejp",)])
    scratch.migrate()
    assert scratch.query(_PRICES) == number
    assert scratch.query("SELECT CAST(amount AS REAL) FROM tariffs_tariffprice WHERE period = 'pm'") == [(0.5,)]


def test_an_offer_under_contract_is_not_taken_back() -> None:
    meter = Meter.objects.create(meter_id="031861360149", mode="standard", timezone="Europe/Paris")
    Contract.objects.create(meter=meter, offer=Offer.objects.get(code="zen-flex"))
    shipping.unload_reference(shipping._todays())
    assert list(Offer.objects.values_list("code", flat=True)) == ["zen-flex"]
