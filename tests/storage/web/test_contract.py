"""Contract, prices, off-peak hours and meanings, entered without the administration."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from storage.models import Meter
from storage.tariffs.models import Contract, IndexPeriod, Offer, OffPeakSlot, TariffPrice
from tests.storage.tariffs.samples import LONG_AGO, new_meter, new_offer, sign, without_shipped

HERE = "/settings/contract/"
JUNE = datetime(2026, 5, 31, 22, tzinfo=UTC)


@pytest.fixture
def meter(db: None) -> Meter:
    without_shipped()
    made = new_meter()
    sign(made, new_offer("base", {"base": "0.25"}, {6: "182.5"}))
    return made


def post(client: Client, path: str = HERE, status: int = 302, **values: Any) -> str:
    answer = client.post(path, values)
    assert answer.status_code == status
    return client.get(path).content.decode() if status == 302 else answer.content.decode()


def contracts() -> list[tuple[str, int | None, datetime, datetime | None]]:
    rows = Contract.objects.order_by("start_date")
    return list(rows.values_list("offer__code", "power", "start_date", "end_date"))


def test_a_change_of_contract_keeps_what_was(meter: Meter, browser: Client) -> None:
    offer = new_offer("hphc", {"hp": "0.3", "hc": "0.2"}, {9: "200"})
    page = post(browser, what="contract", offer=offer.pk, power=9, since="2026-06-01")
    assert contracts() == [("base", 6, LONG_AGO, JUNE), ("hphc", 9, JUNE, None)]
    assert "hphc holds from 01/06/2026 on" in page
    post(browser, what="contract", offer=offer.pk, power=6, since="2026-06-01")
    assert contracts() == [("base", 6, LONG_AGO, JUNE), ("hphc", 6, JUNE, None)]
    assert "owner" in browser.get(HERE).content.decode()


def test_what_began_later_stays_where_it_is(meter: Meter, browser: Client) -> None:
    old = new_offer("base", {"base": "0.2"}, {3: "100"}, code="old")
    Contract.objects.update(start_date=JUNE)
    post(browser, what="contract", offer=old.pk, power=3, since="2026-01-01")
    assert [(row[0], row[3]) for row in contracts()] == [("old", JUNE), ("base", None)]


def test_a_household_enters_an_offer_of_its_own(meter: Meter, browser: Client) -> None:
    new_offer("hphc", {}, {})
    answer = browser.post(HERE, {"what": "offer", "name": "Vert fixe", "supplier": "X", "option": "base"})
    offer = Offer.objects.get(code="vert-fixe")
    path = f"{HERE}offers/{offer.pk}/"
    assert answer.headers["location"] == path
    post(browser, path, energy_base="0.19", subscription_="150", since="2026-06-01")
    post(browser, path, energy_base="0.18", subscription_="150", since="2026-07-01")
    rows = TariffPrice.objects.filter(offer=offer).order_by("kind", "start_date")
    assert [(row.kind, row.amount, row.origin, row.end_date is None) for row in rows] == [
        ("energy", Decimal("0.19"), "user", False),
        ("energy", Decimal("0.18"), "user", True),
        ("subscription", Decimal(150), "user", True),
    ]


def test_off_peak_hours_end_or_never_were(meter: Meter, browser: Client) -> None:
    post(browser, what="slot", begins="22:30", ends="06:30", season="all", since="2026-01-01")
    slot = OffPeakSlot.objects.get()
    assert (slot.begins, slot.ends, slot.start_date) == (
        time(22, 30),
        time(6, 30),
        datetime(2025, 12, 31, 23, tzinfo=UTC),
    )
    post(browser, what="end", kind="slot", pk=slot.pk)
    slot.refresh_from_db()
    assert slot.end_date is not None
    post(browser, what="end", kind="slot", pk=slot.pk, wrong=1)
    assert not OffPeakSlot.objects.exists()


def test_a_meaning_is_confirmed_for_the_past_too(meter: Meter, browser: Client) -> None:
    new_offer("hphc", {"hp": "0.3"}, {}).periods.create(code="hp", name_fr="HP", name_en="Peak")
    row = IndexPeriod.objects.create(meter=meter, index=2, label="MA PLEINE", start_date=LONG_AGO)
    choice: dict[str, Any] = {f"index-{row.pk}-period": "hp"}
    page = post(browser, what="meaning", pk=row.pk, **choice)
    assert list(IndexPeriod.objects.values_list("period", "is_confirmed", "start_date")) == [("hp", True, LONG_AGO)]
    assert "Index 2 is confirmed" in page


@pytest.mark.parametrize(
    "values",
    [
        {"what": "contract", "offer": "0", "since": "2026-06-01"},
        {"what": "contract", "offer": "1", "since": "tomorrow"},
        {"what": "slot", "begins": "25:00", "ends": "06:30", "season": "all", "since": "2026-01-01"},
        {"what": "offer", "name": "", "option": "base"},
    ],
)
def test_what_the_models_refuse_is_said_and_changes_nothing(
    meter: Meter, browser: Client, values: dict[str, Any]
) -> None:
    before = contracts()
    assert "errorlist" in post(browser, status=400, **values)
    assert (contracts(), OffPeakSlot.objects.exists()) == (before, False)


def test_who_may_only_look_sees_no_form_and_changes_nothing(meter: Meter) -> None:
    reader = User.objects.create_user("reader")
    client = Client(headers={"accept-language": "en"})
    client.force_login(reader)
    assert client.get(HERE).status_code == 403
    reader.user_permissions.add(*Permission.objects.filter(codename__in=("view_contract", "view_tariffprice")))
    page = client.get(HERE).content.decode()
    assert ("base" in page, 'name="what"' in page) == (True, False)
    offer = Offer.objects.get()
    prices = f"{HERE}offers/{offer.pk}/"
    assert 'name="since"' not in client.get(prices).content.decode()
    post(client, prices, 403, energy_base="0.1", since="2026-01-01")
    for what in ("contract", "offer", "slot"):
        post(client, status=403, what=what)
    post(client, status=403, what="end", kind="contract", pk=Contract.objects.get().pk, wrong=1)
    assert Contract.objects.count() == 1
