"""What a day cost, against plain loops."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tariffs.costs import Agreement, Bucket, Day, Known, Row, Series, price_day
from storage.tariffs.timeline import Timeline, Version
from tests.reference_costs import Hour, House, reference_day

PARIS = ZoneInfo("Europe/Paris")
PERIODS = ("base", "hc", "hp", "bleu_hc", "rouge_hp", "hn", "pm", "weekend")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp())


def known(house: House) -> Known:
    """What the code is given of a house."""
    contracts: dict[str, list[Version[Agreement]]] = {}
    for start, end, direction, offer, power, only in house.contracts:
        contracts.setdefault(direction, []).append(Version(start, end, Agreement(offer, power, only)))
    prices: dict[Series, list[Version[Decimal]]] = {}
    for start, end, offer, kind, period, power, amount in house.prices:
        prices.setdefault(Series(offer, kind, period, power), []).append(Version(start, end, amount))
    meanings: dict[int, list[Version[str]]] = {}
    for start, end, index, period in house.meanings:
        meanings.setdefault(index, []).append(Version(start, end, period))
    return Known(
        {key: Timeline(rows) for key, rows in contracts.items()},
        {key: Timeline(rows) for key, rows in meanings.items()},
        {key: Timeline(rows) for key, rows in prices.items()},
    )


def bucket(hour: Hour) -> Bucket:
    return Bucket(
        hour.start, hour.start + 3600, hour.east, hour.indexes, hour.eait, hour.estimated, hour.has_reset
    )  # fmt: skip


def priced(house: House, day: str, hours: list[Hour], of_year: int = 365) -> list[Row]:
    start = at(day)
    end = at((date.fromisoformat(day) + timedelta(days=1)).isoformat())
    due = set(range(start, end, 3600))
    lacks = not due <= {hour.start for hour in hours if hour.east is not None or hour.indexes}
    return price_day(Day(start, end, of_year), [bucket(hour) for hour in hours], known(house), lacks=lacks)


def whole_day(day: str, **hour: Any) -> list[Hour]:  # an Hour's fields
    start = at(day)
    end = at((date.fromisoformat(day) + timedelta(days=1)).isoformat())
    return [Hour(at_, **hour) for at_ in range(start, end, 3600)]


def chain(rng: random.Random, start: int, end: int, step: int) -> list[tuple[int, int | None]]:
    """Half-open periods without overlap, some with holes between them, of whole steps."""
    cuts = sorted(rng.sample(range(start - 40 * step, end + 40 * step, step), 5))
    found: list[tuple[int, int | None]] = [pair for pair in pairwise(cuts) if rng.random() < 0.8]
    return [*found, (cuts[-1], None)] if rng.random() < 0.8 else found


def random_house(rng: random.Random, start: int, end: int) -> House:
    house = House()
    for direction in ("drawn", "injected") if rng.random() < 0.5 else ("drawn",):
        for a, b in chain(rng, start, end, rng.choice((1800, 3600, 86_400))):
            power = rng.choice((None, 6, 9))
            only = "injected" if direction == "injected" else rng.choice(("", "", "base"))
            house.contracts.append((a, b, direction, rng.randrange(3), power, only))
    for offer in range(3):
        for period in (*PERIODS, "injected"):
            for power in (0, 6):
                if rng.random() < 0.6:
                    for a, b in chain(rng, start, end, 3600):
                        house.prices.append(
                            (a, b, offer, "energy", period, power, Decimal(rng.randrange(1, 10**6)) / 10**6)
                        )
        for power in (0, 6, 9):
            if rng.random() < 0.5:
                for a, b in chain(rng, start, end, 3600):
                    house.prices.append((a, b, offer, "subscription", "", power, Decimal(rng.randrange(10**5)) / 100))
    for index in range(1, 5):
        for a, b in chain(rng, start, end, 7):
            house.meanings.append((a, b, index, rng.choice(("", *PERIODS))))
    return house


def random_hours(rng: random.Random, start: int, end: int) -> list[Hour]:
    hours = []
    for begins in range(start, end, 3600):
        if rng.random() < 0.02:
            continue
        indexes = {n: rng.choice((0, 0, rng.randrange(4000))) for n in range(1, 5) if rng.random() < 0.9}
        total = sum(indexes.values())
        east = rng.choice((None, total, total, total + rng.randrange(4), total + rng.randrange(3000)))
        eait = rng.choice((None, 0, rng.randrange(2000)))
        hours.append(Hour(begins, east, indexes, eait, rng.random() < 0.1, rng.random() < 0.01))
    return hours


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["2024-03-31", "2024-10-27", "2025-01-01", "2025-02-01", "2025-06-15"]))
def test_any_history_costs_what_plain_loops_say(seed: int, day: str) -> None:
    rng = random.Random(seed)
    start, end = at(day), at((date.fromisoformat(day) + timedelta(days=1)).isoformat())
    of_year = 366 if day.startswith("2024") else 365
    house, hours = random_house(rng, start, end), random_hours(rng, start, end)
    rows = priced(house, day, hours, of_year)
    assert {(r.direction, r.period): (r.wh, r.amount, r.estimated) for r in rows} == reference_day(
        house, start, end, of_year, hours, end
    )


def offer(prices: dict[str, str], subscription: str | None = "120.45", only: str = "") -> House:
    """A contract for ever, of one offer."""
    house = House(contracts=[(0, None, "drawn", 1, 6, only)])
    house.prices = [(0, None, 1, "energy", period, 0, Decimal(price)) for period, price in prices.items()]
    if subscription is not None:
        house.prices.append((0, None, 1, "subscription", "", 6, Decimal(subscription)))
    return house


SUBSCRIPTION = Row("drawn", "", None, Decimal("0.330000000"))


def test_base_is_the_total_whatever_the_indexes_count() -> None:
    rows = priced(
        offer({"base": "0.1952"}, only="base"), "2025-06-15", whole_day("2025-06-15", east=100, indexes={7: 99})
    )
    assert rows == [SUBSCRIPTION, Row("drawn", "base", 2400, Decimal("0.468480000"))]


@pytest.mark.parametrize(
    ("prices", "meanings"),
    [
        ({"hc": "0.1635", "hp": "0.2081"}, {1: "hc", 2: "hp"}),
        ({"bleu_hc": "0.1232", "rouge_hp": "0.6468"}, {1: "bleu_hc", 6: "rouge_hp"}),
        ({"hn": "0.1781", "pm": "0.344"}, {1: "hn", 2: "pm"}),
        ({"semaine": "0.21", "weekend": "0.15"}, {3: "semaine", 4: "weekend"}),
    ],
    ids=["hphc", "tempo", "ejp", "custom"],
)
def test_each_index_costs_what_its_period_costs(prices: dict[str, str], meanings: dict[int, str]) -> None:
    house = offer(prices)
    house.meanings = [(0, None, index, period) for index, period in meanings.items()]
    hours = whole_day("2025-06-15", east=300, indexes=dict(zip(meanings, (100, 200), strict=True)))
    assert priced(house, "2025-06-15", hours) == [
        SUBSCRIPTION,
        *(
            Row("drawn", period, 24 * wh, (24 * wh * Decimal(price) / 1000).quantize(Decimal("1e-9")))
            for (period, price), wh in zip(prices.items(), (100, 200), strict=True)
        ),
    ]


def test_what_is_injected_is_taken_off() -> None:
    house = offer({"base": "0.2"}, only="base")
    house.contracts.append((0, None, "injected", 2, None, "injected"))
    house.prices.append((0, None, 2, "energy", "injected", 0, Decimal("0.04")))
    assert priced(house, "2025-06-15", whole_day("2025-06-15", east=0, eait=1000)) == [
        SUBSCRIPTION,
        Row("drawn", "base", 0, Decimal("0E-9")),
        Row("injected", "injected", 24_000, Decimal("-0.960000000")),
    ]


def test_what_is_injected_without_a_contract_has_no_price() -> None:
    rows = priced(offer({"base": "0.2"}, only="base"), "2025-06-15", whole_day("2025-06-15", east=0, eait=10))
    assert rows[-1] == Row("injected", "?", 240, None)


@pytest.mark.parametrize("lost", ["contract", "price", "meaning"])
def test_what_is_not_known_is_never_zero(lost: str) -> None:
    house = offer({"hc": "0.1635"})
    house.meanings = [(0, None, 1, "hc")]
    setattr(house, f"{lost}s", [])
    rows = priced(house, "2025-06-15", whole_day("2025-06-15", indexes={1: 10}))
    assert Row("drawn", "?", 240, None) in rows
    assert all(row.amount is None for row in rows if row.period or lost != "meaning")


def test_a_missing_hour_is_more_than_is_known() -> None:
    hours = whole_day("2025-06-15", east=100)[1:]
    assert priced(offer({"base": "0.2"}, only="base"), "2025-06-15", hours) == [
        SUBSCRIPTION,
        Row("drawn", "?", None, None),
        Row("drawn", "base", 2300, Decimal("0.460000000")),
    ]


def test_a_day_that_changes_its_price_has_no_price_as_a_whole() -> None:
    """Of a day of which a file tells no hours."""
    house = offer({"base": "0.2"}, only="base")
    noon = at("2025-06-15T12:00")
    house.prices[0] = (0, noon, 1, "energy", "base", 0, Decimal("0.2"))
    start, end = at("2025-06-15"), at("2025-06-16")
    day = Day(start, end, 365)
    assert price_day(day, [Bucket(start, end, east=1000)], known(house)) == [
        SUBSCRIPTION,
        Row("drawn", "?", 1000, None),
    ]


def test_a_day_that_changes_its_contract_has_no_price_as_a_whole() -> None:
    house = offer({"base": "0.2"}, only="base")
    start, end = at("2025-06-15"), at("2025-06-16")
    house.contracts = [(0, at("2025-06-15T12:00"), "drawn", 1, 6, "base")]
    rows = price_day(Day(start, end, 365), [Bucket(start, end, east=1000)], known(house))
    assert rows[1:] == [Row("drawn", "?", 1000, None)]


def test_who_sells_and_has_no_index_of_it_does_not_know_what() -> None:
    house = offer({"base": "0.2"}, only="base")
    house.contracts.append((0, None, "injected", 2, None, "injected"))
    house.prices.append((0, None, 2, "energy", "injected", 0, Decimal("0.04")))
    assert priced(house, "2025-06-15", whole_day("2025-06-15", east=0))[-1] == Row("injected", "?", None, None)
