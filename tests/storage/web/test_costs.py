"""What it costs, as an owner reads it, and as somebody who may only look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from storage.models import Meter, Rollup
from storage.tariffs.daily import reckon
from storage.tariffs.models import Offer, TariffPrice
from tests.storage.tariffs.samples import hour, new_meter, new_offer, sign, without_shipped

MAY = datetime(2026, 4, 30, 22, tzinfo=UTC)  # the first of May begins in Paris


def lived(meter: Meter, days: int, wh: int = 500, begin: datetime = MAY) -> None:
    """So many days of hours that drew the same."""
    Rollup.objects.bulk_create(
        hour(meter, begin + timedelta(hours=n), east=wh, easf01=wh) for n in range(24 * days)
    )  # fmt: skip


@pytest.fixture
def house(db: None) -> Meter:
    """Sixty-one days of 12 kWh, at 0.25 EUR and from June on at 0.30; 182.50 a year."""
    without_shipped()
    meter = new_meter()
    lived(meter, 61)
    offer = new_offer("base", {"base": "0.25"}, {6: "182.5"}, end_date=MAY + timedelta(days=31))
    new_offer("base", {"base": "0.30"}, {6: "182.5"}, start_date=MAY + timedelta(days=31))
    sign(meter, offer)
    list(reckon())
    return meter


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_a_month_is_energy_times_price_and_subscription(house: Meter, browser: Client) -> None:
    page = text(browser, "/costs/?month=2026-05")
    for part in ("May 2026", "108.50 €", "93.00 €", "372.0 kWh", "€/kWh", "0.2500", "15.50 €"):
        assert part in page
    assert "at least" not in page


def test_a_year_marks_the_month_of_new_prices(house: Meter, browser: Client) -> None:
    page = text(browser, "/costs/?year=2026")
    assert "231.50 €" in page
    assert "June 1, 2026: new prices: base" in page
    assert '"label": "Jun \\u25b2"' in page


def test_a_day_has_no_bars(house: Meter, browser: Client) -> None:
    page = text(browser, "/costs/?day=2026-06-02")
    assert "4.10 €" in page
    assert "costs-script" not in page


def test_of_what_is_not_known_the_page_says_so(house: Meter, browser: Client) -> None:
    rows: Any = TariffPrice.objects.filter(kind="energy")
    rows.delete(force=True)
    list(reckon())
    page = text(browser, "/costs/?month=2026-05")
    assert "at least, as not all is known" in page
    assert "Of 372.0 kWh no price is known" in page
    assert "15.50 €" in page


def test_the_csv_has_a_line_for_each_day_and_period(house: Meter, browser: Client) -> None:
    lines = text(browser, "/costs/costs.csv?day=2026-05-02").splitlines()
    assert lines == [
        "day,direction,period,Wh,EUR,estimated",
        "2026-05-02,drawn,subscription,,0.500000000,0",
        "2026-05-02,drawn,base,12000,3.000000000,0",
    ]


def test_the_month_that_runs_is_foretold(db: None, browser: Client) -> None:
    without_shipped()
    meter = new_meter()
    midnight = timezone.now().replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=81)
    lived(meter, 80, begin=midnight)
    sign(meter, new_offer("base", {"base": "0.25"}, {6: "182.5"}))
    list(reckon())
    page = text(browser, "/costs/")
    assert "Probably" in page
    assert "How this is foretold" in page


def test_the_comparison_ranks_by_the_year_and_gives_reasons(house: Meter, browser: Client) -> None:
    Offer.objects.filter(code="base").update(name="Dear")
    new_offer("base", {"base": "0.20"}, {6: "182.5"}, code="cheap")
    page = text(browser, "/costs/contracts/")
    assert page.index("1. cheap, 6 kVA") < page.index("2. Dear, 6 kVA (your own)")
    assert "less than a year" in page
    assert "0.2500 €/kWh" in page


@pytest.mark.parametrize("path", ["/costs/?day=2026-02-30", "/costs/?month=x", "/costs/costs.csv?year=20"])
def test_a_day_that_does_not_exist_is_refused(house: Meter, browser: Client, path: str) -> None:
    assert "a day that does not exist" in text(browser, path, 400)


def test_without_energy_or_contract_the_next_step_is_said(db: None, browser: Client) -> None:
    assert "first whole hour" in text(browser, "/costs/")
    lived(new_meter(), 1)
    assert 'href="/welcome/?meter=021761234567"' in text(browser, "/costs/")


def test_who_sells_reads_an_income(db: None, browser: Client) -> None:
    without_shipped()
    meter = new_meter()
    Rollup.objects.bulk_create(hour(meter, MAY + timedelta(hours=n), east=0, eait=1000) for n in range(24))
    sign(meter, new_offer("base", {"base": "0.25"}, {6: "182.5"}))
    sign(meter, new_offer("resale", {"injected": "0.10"}, {}), power=None, direction="injected")
    list(reckon())
    page = text(browser, "/costs/?day=2026-05-01")
    assert "Injected" in page
    assert "-2.40 €" in page


def test_costs_are_for_who_may_see_them(house: Meter) -> None:
    reader = User.objects.create_user("reader")
    client = Client(headers={"accept-language": "en"})
    client.force_login(reader)
    for path in ("/costs/", "/costs/costs.csv", "/costs/contracts/"):
        text(client, path, 403)
    reader.user_permissions.add(Permission.objects.get(codename="view_daycost"))
    assert "May" in text(client, "/costs/?month=2026-05")
