"""Which contract would have been cheapest, against a spreadsheet in plain loops."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from storage.models import Meter, Rollup
from storage.rollups import rolled_up
from storage.tariffs.comparison import Need, Quote, needed
from storage.tariffs.daily import costs, reckon
from storage.tariffs.models import IndexPeriod, OffPeakSlot, TempoDay
from storage.tariffs.offers import compare_offers
from tests.reference_comparison import Hour, Prices, bounds
from tests.storage.tariffs.samples import LONG_AGO, hour, new_meter, new_offer, sign, without_shipped

PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = date(2025, 10, 20), date(2025, 11, 12)  # 25 hours on 26 October; winter's rules from November on
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
BEGIN, END = (
    int(datetime(d.year, d.month, d.day, tzinfo=PARIS).timestamp()) for d in (FIRST, LAST + timedelta(days=1))
)
CHANGE = datetime(2025, 11, 1, tzinfo=PARIS)
GRIDS: dict[str, tuple[dict[str, str], dict[str, str]]] = {  # option -> prices before the change, after it
    "base": ({"base": "0.2016", "": "165.17"}, {"base": "0.1952", "": "185.94"}),
    "hphc": ({"hc": "0.1696", "hp": "0.2146", "": "170.1"}, {"hc": "0.1635", "hp": "0.2081", "": "188.88"}),
    "tempo": (
        {"bleu_hc": "0.1288", "bleu_hp": "0.1552", "blanc_hc": "0.1447", "blanc_hp": "0.1792", "rouge_hc": "0.1518",
         "rouge_hp": "0.6586", "": "167.64"},
        {"bleu_hc": "0.1232", "bleu_hp": "0.1494", "blanc_hc": "0.1391", "blanc_hp": "0.1730", "rouge_hc": "0.1460",
         "rouge_hp": "0.6468", "": "186"},
    ),
    "ejp": ({"hn": "0.1781", "pm": "0.344", "": "150"}, {"hn": "0.1791", "pm": "0.354", "": "151"}),
}  # fmt: skip
COLOURS = {day: ("bleu", "blanc", "rouge")[n % 3] for n, day in enumerate(DAYS) if n % 4}


@pytest.fixture(autouse=True)
def _no_prices_but_ours(request: pytest.FixtureRequest) -> None:
    """Those that ticbridge ships are in every new database."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        without_shipped()


@pytest.fixture
def meter(db: None) -> Meter:
    return new_meter()


def grid(option: str) -> Prices:
    """Also in the database."""
    found: Prices = []
    halves: tuple[dict[str, Any], ...] = ({"end_date": CHANGE}, {"start_date": CHANGE})
    for prices, when in zip(GRIDS[option], halves, strict=True):
        energy = {period: amount for period, amount in prices.items() if period}
        new_offer(option, energy, {6: prices[""], 9: "300"}, **when)
        begins = int(when["start_date"].timestamp()) if "start_date" in when else 0
        found += [(begins, period, Decimal(amount)) for period, amount in prices.items()]
    return found


def household(meter: Meter, **columns: Any) -> list[Hour]:
    """Hours with their minutes in every second one, also in the database."""
    rng = random.Random(1)
    rows, hours = [], []
    for n, start in enumerate(range(BEGIN, END, 3600)):
        at = datetime.fromtimestamp(start, UTC)
        minutes = [rng.randrange(80) for _ in range(60)]
        rows.append(hour(meter, at, east=sum(minutes), sinsts_max=4000 + n, **columns))
        if n % 2:
            rows += [
                Rollup(meter=meter, step=60, start=at + timedelta(minutes=m), east=wh) for m, wh in enumerate(minutes)
            ]
        hours.append((start, sum(minutes), minutes if n % 2 else None))
    Rollup.objects.bulk_create(rows)
    rolled_up.send(Rollup, meter=meter.pk, start=BEGIN, end=END)
    return hours


def slots(meter: Meter) -> None:
    OffPeakSlot.objects.create(meter=meter, begins=clock_time(22, 30), ends=clock_time(6, 30), start_date=LONG_AGO)


def quotes(meter: Meter) -> dict[tuple[str, int | None], Quote]:
    return {(quote.name, quote.power): quote for quote in compare_offers(meter, FIRST, LAST).quotes}


def test_every_offer_costs_what_a_spreadsheet_says(meter: Meter) -> None:
    hours = household(meter)
    slots(meter)
    TempoDay.objects.bulk_create(TempoDay(day=day, colour=colour, source="user") for day, colour in COLOURS.items())
    grids = {option: grid(option) for option in GRIDS}
    found = {name: quote.bounds for (name, power), quote in quotes(meter).items() if power == 6}
    assert found == {option: bounds(option, hours, prices, DAYS, COLOURS) for option, prices in grids.items()}
    base, hphc = found["base"], found["hphc"]
    assert base is not None
    assert base[0] == base[1]
    assert hphc is not None
    assert hphc[0] < hphc[1]


def test_the_cheapest_comes_first_and_it_is_said_whether_that_is_sure(meter: Meter) -> None:
    household(meter)
    new_offer("base", {"base": "0.2"}, {6: "100"})
    new_offer("base", {"base": "0.19"}, {6: "100"}, code="cheap")
    found = compare_offers(meter, FIRST, LAST)
    assert ([quote.name for quote in found.quotes], found.is_sure) == (["cheap", "base"], True)
    new_offer("hphc", {"hc": "0.1", "hp": "0.3"}, {6: "100"})
    assert not compare_offers(meter, FIRST, LAST).is_sure  # no slot is known
    new_offer("other", {"week": "0.5", "weekend": "0.4"}, {6: "100"})
    new_offer("tempo", {"bleu_hc": "0.01"}, {6: "100"})
    found = compare_offers(meter, FIRST, LAST)
    assert [quote.name for quote in found.quotes] == ["cheap", "base", "hphc", "other", "tempo"]
    assert found.quotes[-1].bounds is None
    assert "the price of bleu_hp is not known" in found.quotes[-1].unknown[0]


def test_the_meters_own_indexes_say_what_slots_would(meter: Meter) -> None:
    """And then the contract that one has costs in the comparison what it cost."""
    offer = new_offer("hphc", {"hc": "0.16", "hp": "0.21"}, {6: "185.5"})
    sign(meter, offer)
    for index, period in ((1, "hc"), (2, "hp")):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)
    rng = random.Random(2)
    parts = [(rng.randrange(900), rng.randrange(900)) for _ in range(BEGIN, END, 3600)]
    Rollup.objects.bulk_create(
        hour(meter, datetime.fromtimestamp(BEGIN + n * 3600, UTC), east=hc + hp, easf01=hc, easf02=hp)
        for n, (hc, hp) in enumerate(parts)
    )
    rolled_up.send(Rollup, meter=meter.pk, start=BEGIN, end=END)
    list(reckon())
    paid = costs(meter, FIRST, LAST).total
    assert paid is not None
    assert quotes(meter)["hphc", 6].bounds == (paid, paid)


def test_half_hours_of_a_file_tell_a_slot_too(meter: Meter) -> None:
    enedis = Rollup.Origin.ENEDIS
    Rollup.objects.bulk_create(
        row
        for start in range(BEGIN, END, 3600)
        for row in (
            hour(meter, datetime.fromtimestamp(start, UTC), east=300, origin=enedis),
            *(
                Rollup(
                    meter=meter, step=1800, start=datetime.fromtimestamp(start + 1800 * n, UTC), east=wh, origin=enedis
                )
                for n, wh in enumerate((100, 200))
            ),
        )
    )
    slots(meter)
    sign(meter, new_offer("hphc", {"hc": "0.1", "hp": "0.2"}, {6: "0"}))
    (quote,) = quotes(meter).values()
    # In each day 200 Wh of the hour of 22:30 and 100 of that of 6:30 beside seven whole hours, one more on 26 October.
    off_peak = 24 * (200 + 100 + 7 * 300) + 300
    peak = (24 * 24 + 1) * 300 - off_peak
    exact = off_peak * Decimal("0.1") / 1000 + peak * Decimal("0.2") / 1000
    assert quote.bounds == (exact, exact)


def test_a_summer_slot_says_nothing_of_winter(meter: Meter) -> None:
    household(meter)
    OffPeakSlot.objects.create(
        meter=meter, begins=clock_time(0), ends=clock_time(8), season="summer", start_date=LONG_AGO
    )
    sign(meter, new_offer("hphc", {"hc": "0.1", "hp": "0.2"}, {6: "0"}))
    (unknown,) = (line for line in quotes(meter)["hphc", 6].lines if line.why)
    winter = Rollup.objects.filter(step=3600, start__gte=CHANGE)
    assert (unknown.periods, unknown.wh) == (("hc", "hp"), sum(row.east or 0 for row in winter))


@pytest.mark.parametrize(
    ("peak", "phases", "power"),
    [(3900, 1, 3), (3901, 1, 6), (7800, 1, 6), (7801, 1, 9), (46_800, 1, 36), (46_801, 1, None), (5000, 3, None)],
)
def test_the_power_that_peaks_need(peak: int, phases: int, power: int | None) -> None:
    assert needed(peak, phases).power == power


def test_without_a_power_nothing_is_needed() -> None:
    assert needed(None, 1) == Need(None, None, "no power was read")


def test_both_powers_are_priced(meter: Meter) -> None:
    household(meter)
    sign(meter, new_offer("base", {"base": "0.2"}, {6: "100", 9: "130"}), power=9)
    assert sorted(power or 0 for _, power in quotes(meter)) == [6, 9]


def test_a_spread_out_silence_yields_to_a_file_but_a_heard_hour_does_not(meter: Meter) -> None:
    at = [datetime.fromtimestamp(BEGIN + 3600 * n, UTC) for n in range(2)]
    Rollup.objects.bulk_create(
        [
            hour(meter, at[0], east=500, estimated=True, readings=0),
            hour(meter, at[1], east=500, estimated=True, readings=5),
            *(hour(meter, start, east=100, origin=Rollup.Origin.ENEDIS) for start in at),
        ]
    )
    assert compare_offers(meter, FIRST, LAST).wh == 600


def run(**options: Any) -> str:
    out = StringIO()
    call_command("compare_contracts", stdout=out, **options)
    return out.getvalue()


def test_the_command_prints_a_table_and_its_reasons(meter: Meter) -> None:
    Rollup.objects.bulk_create(
        hour(meter, datetime.fromtimestamp(start, UTC), east=1000, sinsts_max=7300) for start in range(BEGIN, END, 3600)
    )
    sign(meter, new_offer("base", {"base": "0.2"}, {6: "182.5", 9: "365"}), power=9)
    new_offer("hphc", {"hc": "0.1", "hp": "0.25"}, {6: "182.5"})
    assert run(first=FIRST, last=LAST).splitlines() == [
        "021761234567, 2025-10-20 to 2025-11-12: 577.0 kWh drawn in 577 hours",
        "Highest power read: 7300 VA; 6 kVA would have carried it (a breaker of 6 kVA opens above 7800 VA).",
        "Under the contracts of that time: not known",
        "",
        "     offer                             kVA        EUR  between",
        "  1  hphc                                6     112.98  69.70 and 156.25",
        "  2  base                                6     127.40",
        "  3  base                                9     139.40",
        "  4  hphc                                9  not known",
        "",
        "hphc at 6 kVA would probably have been the cheapest; what is not known could change that.",
        "",
        "hphc, 6 kVA",
        "  hc or hp                      577.0 kWh x 0.1 or 0.25 = 57.70 to 144.25 EUR",
        "  subscription             12.00 EUR",
        "  not certain: no off-peak slots are known (577.0 kWh)",
        "",
        "base, 6 kVA",
        "  base                          577.0 kWh x 0.2 = 115.40 EUR",
        "  subscription             12.00 EUR",
        "",
        "base, 9 kVA",
        "  base                          577.0 kWh x 0.2 = 115.40 EUR",
        "  subscription             24.00 EUR",
        "",
        "hphc, 9 kVA",
        "  hc or hp                      577.0 kWh x 0.1 or 0.25 = 57.70 to 144.25 EUR",
        "  subscription             not known",
        "  not certain: the subscription at 9 kVA is not known, of all days or some",
        "  not certain: no off-peak slots are known (577.0 kWh)",
    ]


def test_the_command_takes_the_last_whole_days(meter: Meter) -> None:
    household(meter)
    assert run().splitlines()[0].startswith("021761234567, 2025-10-20 to 2025-11-12:")


@pytest.mark.django_db
def test_the_command_says_what_it_lacks() -> None:
    with pytest.raises(CommandError, match="There is no meter yet"):
        run()
    meter = new_meter()
    with pytest.raises(CommandError, match="has no energy yet"):
        run()
    household(meter)
    with pytest.raises(CommandError, match="expected the earlier day first"):
        run(first=LAST, last=FIRST)
    Meter.objects.create(meter_id="999", mode="standard", timezone="Europe/Paris")
    with pytest.raises(CommandError, match=r"several meters; expected --meter with one of \.\.\.4567, \.\.\.999"):
        run()
    assert run(meter="4567").startswith("021761234567, ")
