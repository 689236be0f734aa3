"""Contracts and prices move from one database to another as fixtures, in each of Django's formats."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.db.models import ProtectedError
from django.test import TestCase

from storage.models import Meter
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    Period,
    TariffPrice,
    TempoDay,
)
from tests.storage.scratch import Scratch

MODELS: Final = (
    Offer,
    Period,
    TariffPrice,
    CalendarRule,
    EventDay,
    Contract,
    IndexPeriod,
    OffPeakSlot,
    TempoDay,
)
# Numbers, and instants of which JSON keeps the milliseconds only.
_LEFT_OUT: Final = ("id", "offer_id", "meter_id", "creation_date", "modification_date")


def household() -> None:
    """One row of each, and an offer that stands before what it is to be told from."""
    meter = Meter.objects.create(meter_id="031861360149", mode="standard", timezone="Europe/Paris")
    Offer.objects.create(code="other", name="Other", option=Offer.Option.BASE)
    offer = Offer.objects.create(code="mine", name="Mine", option=Offer.Option.HPHC)
    Period.objects.create(offer=offer, code="hp", name_fr="Heures pleines", name_en="Peak hours")
    since: Any = "2026-02-01T00:00:00+01:00"
    TariffPrice.objects.create(offer=offer, period="hp", amount=Decimal("0.0000001"), start_date=since)
    Contract.objects.create(meter=meter, offer=offer, power=6, start_date=since)
    IndexPeriod.objects.create(meter=meter, index=2, label="HEURE PLEINE", period="hp", start_date=since)
    OffPeakSlot.objects.create(meter=meter, begins=time(22, 30), ends=time(6, 30), start_date=since)
    weekend = Offer.objects.create(code="weekend", name="Week-end", option=Offer.Option.OTHER, events=20)
    night = {"hours": "clock", "begins": time(22), "ends": time(6), "season": "winter"}
    CalendarRule.objects.create(offer=weekend, rank=1, period="night", days="weekend", **night)
    EventDay.objects.create(offer=weekend, day=date(2026, 1, 7), is_event=False, source="user")
    TempoDay.objects.create(day=date(2026, 1, 6), colour=TempoDay.Colour.RED, source="user")


def content() -> dict[str, list[dict[str, Any]]]:
    """What rows say, whatever their numbers."""
    found = {}
    for model in MODELS:
        rows: Any = model._default_manager
        found[model.__name__] = [
            {name: value for name, value in row.items() if name not in _LEFT_OUT}
            | ({"offer": Offer.objects.get(pk=row["offer_id"]).code} if "offer_id" in row else {})
            | ({"meter": Meter.objects.get(pk=row["meter_id"]).meter_id} if "meter_id" in row else {})
            for row in rows.order_by("pk").values()
        ]
    return found


def emptied() -> None:
    for model in reversed(MODELS):
        rows: Any = model._default_manager
        rows.all()._raw_delete(rows.db)
    Meter.objects.all().delete()


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["json", "jsonl", "yaml", "xml"])
def test_what_is_dumped_with_natural_keys_is_loaded_elsewhere_under_other_numbers(form: str, tmp_path: Path) -> None:
    emptied()
    household()
    before = content()
    number = Offer.objects.get(code="mine").pk
    file = tmp_path / f"mine.{form}"
    call_command(
        "dumpdata",
        "storage.meter",
        "tariffs",
        format=form,
        natural_foreign=True,
        natural_primary=True,
        output=str(file),
    )
    emptied()
    Offer.objects.create(code="stranger", name="Whose number it would have been", option=Offer.Option.BASE)
    call_command("loaddata", str(file), stdout=StringIO())
    Offer.objects.get(code="stranger").delete()
    assert content() == before
    assert Offer.objects.get(code="mine").pk != number
    call_command("loaddata", str(file), stdout=StringIO())  # found by their keys, and not doubled
    assert content() == before


@pytest.mark.django_db
def test_an_offer_of_a_contract_is_not_deleted() -> None:
    household()
    with pytest.raises(ProtectedError):
        Offer.objects.get(code="mine").delete()


@pytest.mark.slow
def test_a_fixture_of_the_site_is_found_by_its_name_and_by_its_path(scratch: Scratch) -> None:
    folder = scratch.folder / "fixtures"
    folder.mkdir()
    fields = "{code: %s, name: Ours, option: base, modification_date: 2026-11-28T00:00:00Z}"
    text = f"- {{model: tariffs.offer, fields: {fields}}}"
    (folder / "named.yaml").write_text(text % "named")
    elsewhere = scratch.folder / "elsewhere.yaml"
    elsewhere.write_text(text % "elsewhere")
    scratch.migrate()
    site = {"TICBRIDGE_STORAGE__FIXTURES": str(folder)}
    for fixture in ("named", str(elsewhere)):
        done = scratch.manage("loaddata", fixture, environment=site)
        assert done.out == "Installed 1 object(s) from 1 fixture(s)\n", done.said
    found = scratch.query("SELECT code FROM tariffs_offer WHERE name = ?", "Ours")
    assert sorted(found) == [("elsewhere",), ("named",)]
    assert scratch.manage("loaddata", "named").code == 1  # without the setting nobody looks there


class TestWithFixture(TestCase):
    """As other tests may use them."""

    fixtures = [str(Path(__file__).with_name("household.yaml"))]  # noqa: RUF012  Django declares it

    def test_its_rows_are_there(self) -> None:
        price = TariffPrice.objects.select_valid("2026-03-01").get(offer__code="house")
        assert (price.amount, price.offer.name) == (Decimal("0.25"), "House")
