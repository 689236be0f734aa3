"""Costs in the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from bridge.config import StorageSettings
from storage.models import Meter, Rollup
from storage.rollups import roll_up, rolled_up
from storage.tariffs.daily import Costs, Line, costs, costs_by, reckon
from storage.tariffs.marks import mark
from storage.tariffs.models import DayCost, DirtyDays, IndexPeriod, Offer, TariffPrice
from storage.worker import Worker
from tests.storage.tariffs.samples import LONG_AGO, hour, new_meter, new_offer, sign, without_shipped
from tests.storage.test_rollups import TEN, add, steady
from tests.storage.test_rollups import new_meter as new_epoch

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = date(2026, 3, 28), date(2026, 3, 31)  # the 29th has 23 hours
HOURS = 24 + 23 + 24 + 24
BEGIN = datetime(2026, 3, 28, tzinfo=PARIS).astimezone(UTC)


@pytest.fixture(autouse=True)
def _no_prices_but_ours(request: pytest.FixtureRequest) -> None:
    """Those that ticbridge ships are in every new database."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        without_shipped()


@pytest.fixture
def meter() -> Meter:
    return new_meter()


@pytest.fixture
def base() -> Offer:
    return new_offer("base", {"base": "0.2"}, {6: "182.5"})


def fill(meter: Meter, hours: int = HOURS, **columns: int) -> None:
    """Hours from BEGIN on, and the mark that whoever writes them makes."""
    Rollup.objects.bulk_create(hour(meter, BEGIN + timedelta(hours=n), **columns) for n in range(hours))
    start = int(BEGIN.timestamp())
    rolled_up.send(Rollup, meter=meter.pk, start=start, end=start + hours * 3600)


def work() -> None:
    with transaction.atomic():
        list(reckon())
    assert not DirtyDays.objects.exists()


def amounts(meter: Meter) -> list[Decimal | None]:
    return [day.total for day in costs_by(meter, FIRST, LAST, "day")]


def test_days_and_months_and_their_sum(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000)
    work()
    assert costs(meter, FIRST, LAST) == Costs(
        FIRST,
        LAST,
        (
            Line("drawn", "", None, Decimal("2.000000000"), estimated=False),
            Line("drawn", "base", 95_000, Decimal("19.000000000"), estimated=False),
        ),
        Decimal(21),
        complete=True,
    )
    assert amounts(meter) == [Decimal("5.3"), Decimal("5.1"), Decimal("5.3"), Decimal("5.3")]
    months = costs_by(meter, FIRST, date(2026, 4, 2), "month")
    assert [(m.first, m.last, m.complete, m.known) for m in months] == [
        (FIRST, LAST, True, Decimal(21)),
        (date(2026, 4, 1), date(2026, 4, 2), False, Decimal()),
    ]


def test_reckoning_again_writes_nothing(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000)
    work()
    keys = set(DayCost.objects.values_list("pk", flat=True))
    mark([meter.pk], LONG_AGO)
    work()
    assert set(DayCost.objects.values_list("pk", flat=True)) == keys


def test_an_hour_that_is_rolled_up_leaves_the_rest_of_its_day_as_it_was(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000)
    work()
    before = amounts(meter)
    noon = int((BEGIN + timedelta(hours=24 + 12)).timestamp())
    rolled_up.send(Rollup, meter=meter.pk, start=noon, end=noon + 3600)
    work()
    assert amounts(meter) == before


def test_a_new_price_is_paid_from_its_day_on(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000)
    work()
    TariffPrice.objects.get(period="base").revise(datetime(2026, 3, 30, tzinfo=PARIS), amount=Decimal("0.3"))
    assert DirtyDays.objects.get().last is None
    work()
    assert amounts(meter) == [Decimal("5.3"), Decimal("5.1"), Decimal("7.7"), Decimal("7.7")]


def test_a_contract_that_changes_at_an_hour_splits_the_day(meter: Meter, base: Offer) -> None:
    noon = datetime(2026, 3, 30, 12, tzinfo=PARIS)
    other = new_offer("base", {"base": "0.1"}, {6: "365"}, code="other")
    old = sign(meter, base)
    old.revise(noon, offer=other)
    fill(meter, east=1000)
    work()
    day = costs(meter, date(2026, 3, 30), date(2026, 3, 30))
    assert [(line.period, line.amount) for line in day.lines] == [("", Decimal("0.75")), ("base", Decimal("3.6"))]


def test_every_way_to_change_what_matters_marks(meter: Meter, base: Offer) -> None:
    contract = sign(meter, base)
    fill(meter, east=1000, easf01=1000)
    work()
    price = TariffPrice.objects.get(period="base")
    later = datetime(2026, 3, 30, tzinfo=UTC)

    def is_marked() -> bool:
        found = DirtyDays.objects.exists()
        DirtyDays.objects.all().delete()
        return found

    TariffPrice.objects.filter(pk=price.pk).update(amount=Decimal("0.21"))
    assert is_marked()
    TariffPrice.objects.bulk_update([price], ["amount"])
    assert is_marked()
    price.start_date = later
    price.save(force_update=True)
    assert DirtyDays.objects.get().first == LONG_AGO  # where it stood before
    assert is_marked()
    price.delete(force=True)
    assert is_marked()
    contract.power = 9
    contract.save(force_update=True)
    assert is_marked()
    IndexPeriod.objects.create(meter=meter, index=1, period="hc")
    assert is_marked()
    base.option = Offer.Option.OTHER
    base.save()
    assert is_marked()
    new_offer("tempo", {"bleu_hc": "0.1"}, {})
    assert not is_marked()  # nobody's contract


def test_marks_grow_together(meter: Meter) -> None:
    days = [datetime(2026, 1, n, tzinfo=UTC) for n in range(1, 9)]
    mark([meter.pk], days[3], days[4])
    mark([meter.pk], days[2], days[3])
    mark([meter.pk], days[5], days[6])
    assert DirtyDays.objects.values_list("first", "last").get() == (days[2], days[6])
    mark([meter.pk], days[7])
    mark([meter.pk], days[1], days[2])
    assert DirtyDays.objects.values_list("first", "last").get() == (days[1], None)


def test_what_is_sold_has_its_own_contract_and_dated_price(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000, eait=2000)
    resale = new_offer("resale", {}, {})
    sign(meter, resale, direction="injected", power=None)
    work()
    day = costs(meter, FIRST, FIRST)
    assert [(line.period, line.wh, line.amount) for line in day.lines if line.direction == "injected"] == [
        ("?", 48_000, None)
    ]
    assert not day.complete
    price = TariffPrice.objects.create(offer=resale, period="injected", amount=Decimal("0.04"), start_date=LONG_AGO)
    price.revise(datetime(2026, 3, 30, tzinfo=PARIS), amount=Decimal("0.05"))
    work()
    assert amounts(meter) == [Decimal(text) for text in ("3.38", "3.26", "2.9", "2.9")]


def test_without_a_contract_energy_has_no_price(meter: Meter) -> None:
    fill(meter, east=1000)
    work()
    found = costs(meter, FIRST, LAST)
    assert (found.lines, found.total) == ((Line("drawn", "?", 95_000, None, estimated=False),), None)


def test_a_file_of_enedis_fills_what_the_meter_does_not_know(meter: Meter, base: Offer) -> None:
    """Hour by hour, and a day of which the file tells no hours. The meter's own row stands, also when estimated."""
    sign(meter, base)
    enedis = Rollup.Origin.ENEDIS
    Rollup.objects.bulk_create(
        [
            *(hour(meter, BEGIN + timedelta(hours=n), east=1000, estimated=n == 0) for n in range(12)),
            *(hour(meter, BEGIN + timedelta(hours=n), east=500, origin=enedis) for n in range(24)),
            Rollup(meter=meter, step=86_400, start=BEGIN, east=77_777, origin=enedis),
            Rollup(meter=meter, step=86_400, start=BEGIN + timedelta(days=1), east=7000, origin=enedis),
        ]
    )
    mark([meter.pk], LONG_AGO)
    work()
    days = costs_by(meter, FIRST, date(2026, 3, 29), "day")
    assert [day.lines[1] for day in days] == [
        Line("drawn", "base", 18_000, Decimal("3.6"), estimated=True),
        Line("drawn", "base", 7000, Decimal("1.4"), estimated=False),
    ]


def test_of_what_is_to_come_nothing_is_missing(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, 30, east=1000)
    work()
    assert [day.complete for day in costs_by(meter, FIRST, LAST, "day")] == [True, True, False, False]


def test_hours_before_the_first_one_are_missing(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, east=1000)
    work()
    Rollup.objects.filter(start=BEGIN + timedelta(hours=1)).delete()
    mark([meter.pk], LONG_AGO)
    work()
    assert amounts(meter) == [None, Decimal("5.1"), Decimal("5.3"), Decimal("5.3")]


def test_a_long_history_is_worked_off_in_slices(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    fill(meter, 24 * 40, east=1000)
    assert list(reckon()) == [32, 9]  # by seconds, and a day of 23 hours is among them


def test_days_with_many_readings_are_taken_one_by_one(base: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = new_epoch()
    sign(epoch.meter, base)
    add(epoch, steady(TEN, 3 * 86_400, every=3600))
    list(roll_up())
    monkeypatch.setattr("storage.tariffs.daily._READINGS", 30)
    assert sum(reckon()) == 4
    mark([epoch.meter_id], LONG_AGO)
    assert list(reckon())[:2] == [1, 1]
    mark([epoch.meter_id], LONG_AGO)
    monkeypatch.undo()
    assert list(reckon()) == [4]


def test_the_worker_learns_and_reckons(base: Offer) -> None:
    """From readings to costs, in one turn."""
    epoch = new_epoch()
    sign(epoch.meter, base)
    add(epoch, steady(TEN, 3600))
    Worker(StorageSettings()).turn()
    assert not DirtyDays.objects.exists()
    east = Rollup.objects.get(step=3600).east
    assert east
    row = DayCost.objects.get(period="base")
    assert (row.wh, row.amount) == (east, (east * Decimal("0.2") / 1000).quantize(Decimal("1e-9")))


def test_a_mark_is_made_in_the_transaction_of_the_change(meter: Meter, base: Offer) -> None:
    sign(meter, base)
    DirtyDays.objects.all().delete()
    with transaction.atomic():
        TariffPrice.objects.filter(period="base").update(amount=1)
        assert DirtyDays.objects.exists()
        transaction.set_rollback(True)
    assert not DirtyDays.objects.exists()
