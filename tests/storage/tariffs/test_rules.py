"""Offers whose hours are their own: the comparison and the costs of days, against plain loops."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from storage.models import Meter, Rollup
from storage.rollups import rolled_up
from storage.tariffs.comparison import Quote
from storage.tariffs.daily import costs, costs_by, reckon
from storage.tariffs.models import (
    CalendarRule,
    DirtyDays,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    TempoDay,
)
from storage.tariffs.offers import compare_offers
from tests import reference_rules as reference
from tests.storage.tariffs.samples import LONG_AGO, hour, new_meter, new_offer, sign, without_shipped
from tests.storage.tariffs.test_comparison import BEGIN, DAYS, END, FIRST, LAST, slots

pytestmark = pytest.mark.django_db
Hour = tuple[int, int, list[int] | None]  # start, Wh, minutes
Rules = list[dict[str, Any]]
OFF_PEAK: Rules = [{"period": "hc", "hours": "off_peak"}, {"period": "hp"}]


def clock(begins: str, ends: str) -> dict[str, Any]:
    return {"hours": "clock", "begins": clock_time.fromisoformat(begins), "ends": clock_time.fromisoformat(ends)}


OFFERS: dict[str, tuple[reference.Minute, dict[str, str], Rules]] = {
    "weekend": (
        reference.weekend,
        {"weekend": "0.15", "hc": "0.16", "hp": "0.23"},
        [{"period": "weekend", "days": "weekend"}, {"period": "weekend", "days": "holiday"}, *OFF_PEAK],
    ),
    "chosen": (
        reference.chosen,
        {"choisi": "0.14", "hc": "0.165", "hp": "0.24"},
        [{"period": "choisi", "days": "wednesday"}, {"period": "choisi", "days": "weekend"}, *OFF_PEAK],
    ),
    "super": (
        reference.super_off_peak,
        {"super": "0.12", "hc": "0.17", "hp": "0.22"},
        [{"period": "super", "season": "winter", **clock("02:00", "06:20")}, *OFF_PEAK],
    ),
    "flex": (
        reference.flex,
        {"eco_hc": "0.15", "eco_hp": "0.21", "sobriete_hc": "0.22", "sobriete_hp": "0.72"},
        [
            {"period": "sobriete_hp", "days": "event", **clock("08:00", "13:00")},
            {"period": "sobriete_hp", "days": "event", **clock("18:00", "20:00")},
            {"period": "sobriete_hc", "days": "event"},
            {"period": "eco_hp", **clock("08:00", "13:00")},
            {"period": "eco_hp", **clock("18:00", "20:00")},
            {"period": "eco_hc"},
        ],
    ),
}
EVENTS = {day: n % 5 == 0 for n, day in enumerate(DAYS) if n % 3}


@pytest.fixture(autouse=True)
def _no_prices_but_ours(db: None) -> Iterator[None]:
    """Those that ticbridge ships are in every new database."""
    without_shipped()
    with translation.override("en"):
        yield


@pytest.fixture
def meter() -> Meter:
    return new_meter()


def offer(name: str) -> Offer:
    """In the database, with its rules and, of the days, what is known."""
    _, prices, rules = OFFERS[name]
    made = new_offer("other", prices, {6: "0"}, code=name)
    for rank, rule in enumerate(rules, 1):
        CalendarRule.objects.create(offer=made, rank=rank, **rule)
    if name == "flex":
        for day, is_event in EVENTS.items():
            EventDay.objects.create(offer=made, day=day, is_event=is_event, source="user")
    return made


def quotes(meter: Meter, first: date = FIRST, last: date = LAST) -> dict[str, Quote]:
    return {quote.name: quote for quote in compare_offers(meter, first, last).quotes}


def household(meter: Meter) -> list[Hour]:
    """Hours, also in the database; on every second day the minutes of those in which off-peak hours begin or end."""
    rng = random.Random(3)
    rows, hours = [], []
    for start in range(BEGIN, END, 3600):
        at = datetime.fromtimestamp(start, UTC)
        wall = at.astimezone(reference.PARIS)
        minutes = [rng.randrange(80) for _ in range(60)]
        is_told = wall.hour in (6, 22) and wall.day % 2 == 0
        rows.append(hour(meter, at, east=sum(minutes), sinsts_max=4000))
        if is_told:
            rows += [
                Rollup(meter=meter, step=60, start=at + timedelta(minutes=n), east=wh) for n, wh in enumerate(minutes)
            ]
        hours.append((start, sum(minutes), minutes if is_told else None))
    Rollup.objects.bulk_create(rows)
    rolled_up.send(Rollup, meter=meter.pk, start=BEGIN, end=END)
    return hours


@pytest.mark.parametrize("name", OFFERS)
def test_comparison_and_costs_are_what_plain_loops_say(meter: Meter, name: str) -> None:
    """Of a contract whose periods no index counts."""
    hours = household(meter)
    slots(meter)
    sign(meter, offer(name))
    rule, prices, _ = OFFERS[name]
    shared = reference.shares(rule, hours, EVENTS)
    low, high = reference.bounds(shared, prices)
    assert quotes(meter)[name].bounds == (low, high)
    assert low < high  # of some hours with an edge within, minutes are not known; of some days nothing
    expected: dict[str, int] = defaultdict(int)
    for _, periods, wh in shared:
        expected[periods[0] if len(periods) == 1 else "?"] += wh
    list(reckon())
    found = {line.period: (line.wh, line.amount) for line in costs(meter, FIRST, LAST).lines if line.period}
    assert found == {
        period: (wh, None if period == "?" else wh * Decimal(prices[period]) / 1000) for period, wh in expected.items()
    }


def test_the_comparison_says_what_the_contract_cost(meter: Meter) -> None:
    """One mechanism: where all is known both are the same to the last digit."""
    household(meter)
    sign(meter, new := offer("weekend"))
    CalendarRule.objects.filter(offer=new, hours="off_peak").update(hours="all")
    list(reckon())
    paid = costs(meter, FIRST, LAST).total
    assert paid is not None
    assert quotes(meter)["weekend"].bounds == (paid, paid)


def test_indexes_that_count_the_periods_of_the_offer_go_before_its_rules(meter: Meter) -> None:
    Rollup.objects.bulk_create(
        hour(meter, datetime.fromtimestamp(start, UTC), east=100, easf01=40, easf02=60)
        for start in range(BEGIN, END, 3600)
    )
    rolled_up.send(Rollup, meter=meter.pk, start=BEGIN, end=END)
    for index, period in ((1, "weekend"), (2, "hp")):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)
    sign(meter, offer("weekend"))
    list(reckon())
    lines = {line.period: line.wh for line in costs(meter, FIRST, LAST).lines if line.period}
    number = (END - BEGIN) // 3600
    assert lines == {"weekend": 40 * number, "hp": 60 * number}


def test_a_day_of_a_file_without_hours_has_a_price_if_it_is_of_one_period(meter: Meter) -> None:
    sunday, monday = datetime(2025, 11, 2, tzinfo=reference.PARIS), datetime(2025, 11, 3, tzinfo=reference.PARIS)
    for day in (sunday, monday):
        Rollup.objects.create(meter=meter, step=86_400, start=day, east=9000, origin=Rollup.Origin.ENEDIS)
        rolled_up.send(Rollup, meter=meter.pk, start=int(day.timestamp()), end=int(day.timestamp()) + 86_400)
    slots(meter)
    sign(meter, offer("weekend"))
    list(reckon())
    days = costs_by(meter, sunday.date(), monday.date(), "day")
    assert [[(row.period, row.wh, row.amount) for row in day.lines if row.period] for day in days] == [
        [("weekend", 9000, Decimal("1.35"))],
        [("?", 9000, None)],
    ]


def test_without_slots_off_peak_hours_are_not_known_and_nothing_else_is_doubted(meter: Meter) -> None:
    household(meter)
    sign(meter, offer("weekend"))
    doubted = {line.periods: line.why for line in quotes(meter)["weekend"].lines if line.why}
    assert doubted == {("hc", "hp"): "no off-peak slots are known"}


def test_hours_that_no_rule_tells_are_not_priced(meter: Meter) -> None:
    household(meter)
    made = new_offer("other", {"nuit": "0.1"}, {6: "0"}, code="half")
    CalendarRule.objects.create(offer=made, rank=1, period="nuit", **clock("22:00", "06:00"))
    sign(meter, made)
    found = quotes(meter)["half"]
    assert found.bounds is None
    assert [why.partition(" (")[0] for why in found.unknown] == ["no rule of this offer tells all of its hours"]


# --- days that somebody declares -----------------------------------------------------------------


def winter(meter: Meter, *, peaks: dict[date, bool], label: str = "EJP") -> None:
    """Hours from 1 to 9 November 2025, counted as EJP does it; of days that are not named nothing was heard."""
    rows = []
    for n in range(24 * 9):
        at = datetime(2025, 11, 1, tzinfo=reference.PARIS).astimezone(UTC) + timedelta(hours=n)
        wall = at.astimezone(reference.PARIS)
        day = (wall - timedelta(hours=7)).date()
        if day in peaks:
            in_peak = peaks[day] and (wall.hour >= 7 or wall.hour < 1)
            rows.append(hour(meter, at, east=500, easf01=0 if in_peak else 500, easf02=500 if in_peak else 0))
    Rollup.objects.bulk_create(rows)
    rolled_up.send(Rollup, meter=meter.pk, start=int(rows[0].start.timestamp()), end=int(rows[-1].start.timestamp()))
    for index, period in ((1, "hn"), (2, "pm")):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)


def days_of(meter: Meter) -> list[tuple[date, bool, str]]:
    return list(EventDay.objects.order_by("day").values_list("day", "is_event", "source"))


def test_peaks_of_ejp_are_learned_and_the_owners_entry_stands(meter: Meter) -> None:
    ejp = new_offer("ejp", {"hn": "0.18", "pm": "0.34"}, {6: "0"})
    sign(meter, ejp)
    EventDay.objects.create(offer=ejp, day=date(2025, 11, 6), is_event=True, source="user")
    winter(meter, peaks={date(2025, 11, 3): False, date(2025, 11, 5): True, date(2025, 11, 6): False})
    list(reckon())
    learned = [
        (date(2025, 11, 3), False, "meter ...4567"),
        (date(2025, 11, 5), True, "meter ...4567"),
        (date(2025, 11, 6), True, "user"),
    ]
    assert days_of(meter) == learned
    list(reckon())
    assert days_of(meter) == learned
    EventDay.objects.filter(day=date(2025, 11, 3)).update(is_event=True, source="meter ...9999")
    for meaning in IndexPeriod.objects.all():  # it was no peak that index 2 counted, as the owner says later
        meaning.period = "hn"
        meaning.save(force_update=True)
    list(reckon())
    assert days_of(meter) == [
        (date(2025, 11, 3), True, "meter ...9999"),
        (*learned[1][:1], False, learned[1][2]),
        learned[2],
    ]


def test_what_one_meter_learned_tells_another_offer_of_ejp(meter: Meter) -> None:
    other = new_offer("ejp", {"hn": "0.1", "pm": "1"}, {6: "0"}, code="other-ejp")
    EventDay.objects.create(offer=other, day=date(2025, 11, 5), is_event=True)
    EventDay.objects.create(offer=other, day=date(2025, 11, 4), is_event=False)
    new_offer("ejp", {"hn": "0.18", "pm": "0.34"}, {6: "0"})
    sign(meter, new_offer("base", {"base": "0.2"}, {6: "0"}))
    at = datetime(2025, 11, 4, tzinfo=reference.PARIS).astimezone(UTC) + timedelta(hours=7)
    Rollup.objects.bulk_create(hour(meter, at + timedelta(hours=n), east=1000) for n in range(48))
    found = quotes(meter, date(2025, 11, 4), date(2025, 11, 6))
    low = (24 + 6) * Decimal("0.18") + 18 * Decimal("0.34")
    assert found["ejp"].bounds == (low, low)


def test_a_full_season_leaves_no_other_peak(meter: Meter) -> None:
    household(meter)
    ejp = new_offer("ejp", {"hn": "0.18", "pm": "0.34"}, {6: "0"})
    for n in range(22):
        EventDay.objects.create(offer=ejp, day=date(2026, 1, 1) + timedelta(days=n))
    bounds = quotes(meter)["ejp"].bounds
    assert bounds is not None
    assert bounds[0] == bounds[1]
    EventDay.objects.get(day=date(2026, 1, 1)).delete()
    bounds = quotes(meter)["ejp"].bounds
    assert bounds is not None
    assert bounds[0] < bounds[1]


def test_days_of_an_offer_of_ones_own_are_learned_from_its_indexes(meter: Meter) -> None:
    made = offer("flex")
    sign(meter, made)
    EventDay.objects.all().delete()
    Rollup.objects.bulk_create(
        hour(
            meter, datetime.fromtimestamp(BEGIN + 3600 * n, UTC), east=500,
            **{f"easf0{1 + (n % 24 in (*range(8, 13), 18, 19)) + 2 * (n < 24)}": 500},
        )
        for n in range(48)
    )  # fmt: skip
    for index, period in enumerate(("eco_hc", "eco_hp", "sobriete_hc", "sobriete_hp"), 1):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)
    rolled_up.send(Rollup, meter=meter.pk, start=BEGIN, end=BEGIN + 48 * 3600)
    list(reckon())
    assert days_of(meter) == [(DAYS[0], True, "meter ...4567"), (DAYS[1], False, "meter ...4567")]


def test_colours_are_learned_and_days_that_contradict_themselves_are_not(meter: Meter) -> None:
    TempoDay.objects.create(day=date(2025, 11, 5), colour="bleu", source="user")
    rows = []
    for n in range(24 * 4):
        at = datetime(2025, 11, 3, 6, tzinfo=reference.PARIS).astimezone(UTC) + timedelta(hours=n)
        colour = (2, 4, 2, 0)[n // 24] if n % 24 or n // 24 != 3 else 4  # index of the colour's off-peak hours
        rows.append(hour(meter, at, east=500, **{f"easf0{colour + 1 + (n % 24 < 16)}": 500}))
    Rollup.objects.bulk_create(rows)
    for index, period in enumerate(("bleu_hc", "bleu_hp", "blanc_hc", "blanc_hp", "rouge_hc", "rouge_hp"), 1):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)
    list(reckon())
    assert list(TempoDay.objects.order_by("day").values_list("day", "colour", "source")) == [
        (date(2025, 11, 3), "blanc", "meter ...4567"),
        (date(2025, 11, 4), "rouge", "meter ...4567"),
        (date(2025, 11, 5), "bleu", "user"),
    ]


# --- what changes them ---------------------------------------------------------------------------


def test_rules_event_days_and_slots_mark_the_days_whose_costs_they_change(meter: Meter) -> None:
    made = offer("flex")
    sign(meter, made)
    household(meter)

    def marked() -> tuple[datetime, datetime | None] | None:
        found = DirtyDays.objects.values_list("first", "last").first()
        DirtyDays.objects.all().delete()
        return found

    marked()
    rule = CalendarRule.objects.get(offer=made, rank=6)
    rule.season = "summer"
    rule.save()
    assert marked() == (LONG_AGO, None)
    event = EventDay.objects.get(day=date(2025, 11, 5))
    event.is_event = not event.is_event
    event.save()
    assert marked() == (datetime(2025, 11, 4, tzinfo=UTC), datetime(2025, 11, 7, tzinfo=UTC))
    made.events = 20
    made.save()
    marked()
    event.delete()
    assert marked() == (datetime(2025, 8, 31, tzinfo=UTC), None)
    slots(meter)
    assert marked() == (LONG_AGO, None)
    OffPeakSlot.objects.all().delete()
    assert marked() is not None


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"hours": "clock"}, "need both, and two different ones"),
        ({"hours": "clock", "begins": clock_time(2), "ends": clock_time(2)}, "need both, and two different ones"),
        ({"begins": clock_time(2)}, "are for hours from begin to end only"),
        ({"hours": "off_peak", "begins": clock_time(2), "ends": clock_time(3)}, "are for hours from begin to end only"),
    ],
)
def test_hours_that_say_nothing_are_refused(columns: dict[str, Any], said: str) -> None:
    made = new_offer("other", {}, {})
    with pytest.raises(ValidationError, match=said):
        CalendarRule(offer=made, rank=1, period="x", **columns).full_clean()
    CalendarRule(offer=made, rank=1, period="x", **clock("02:00", "03:00")).full_clean()


def test_an_option_whose_hours_are_known_takes_no_rules() -> None:
    with pytest.raises(ValidationError, match="rules are for other periods only"):
        CalendarRule(offer=new_offer("hphc", {}, {}), rank=1, period="hc").full_clean()
