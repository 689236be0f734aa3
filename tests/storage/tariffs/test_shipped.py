"""The prices that come with ticbridge: whole, sourced, without overlap, and as the page has them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from storage.tariffs import migrations
from storage.tariffs.grids import Price, Series
from storage.tariffs.shipped import POWERS, digest, midnight, shipped_offers

OFFERS = {offer.code: offer for offer in shipped_offers()}


def price(code: str, period: str, day: str, power: int = 0, kind: str = "energy") -> Price | None:
    """What holds at noon of a day: the price of that power, else that of every power."""
    noon = midnight(date.fromisoformat(day)) + timedelta(hours=12)
    found = [
        p
        for p in OFFERS[code].prices
        if (p.kind, p.period) == (kind, period) and p.power in (power, 0)
        and p.start <= noon and (p.end is None or noon < p.end)
    ]  # fmt: skip
    return max(found, key=lambda p: p.power, default=None)


def amount(*args: Any, **options: Any) -> str | None:
    found = price(*args, **options)
    return None if found is None else str(found.amount)


def test_what_is_shipped() -> None:
    told = {code: ([p.code for p in offer.periods], offer.option) for code, offer in OFFERS.items()}
    assert told == {
        "tarif-bleu-base": (["base"], "base"),
        "tarif-bleu-hphc": (["hp", "hc"], "hphc"),
        "tarif-bleu-tempo": (["bleu_hc", "bleu_hp", "blanc_hc", "blanc_hp", "rouge_hc", "rouge_hp"], "tempo"),
        "tarif-bleu-ejp": (["hn", "pm"], "ejp"),
        "zen-flex": (["eco_hc", "eco_hp", "sobriete_hc", "sobriete_hp"], "other"),
    }


@pytest.mark.parametrize("code", OFFERS)
def test_each_price_has_its_source_and_the_day_of_its_check(code: str) -> None:
    for p in OFFERS[code].prices:
        assert p.source, p
        assert len(p.source) <= 200, p
        assert p.confidence in ("A", "B"), p
        assert p.checked_on == date(2026, 11, 20), p
        assert p.taxed, p
        assert p.amount > 0, p
        assert p.power in (0, *POWERS), p


@pytest.mark.parametrize("code", OFFERS)
def test_prices_begin_at_midnight_in_paris_and_follow_each_other(code: str) -> None:
    series: dict[Series, list[Price]] = defaultdict(list)
    for p in OFFERS[code].prices:
        assert (p.start.hour, p.start.minute, str(p.start.tzinfo)) == (0, 0, "Europe/Paris")
        series[p.series].append(p)
    for prices in series.values():
        for before, after in pairwise(sorted(prices, key=lambda p: p.start)):
            assert before.end is not None, before
            assert before.end <= after.start, after


def test_prices_as_published() -> None:
    assert amount("tarif-bleu-base", "base", "2012-07-22", 6) is None
    assert amount("tarif-bleu-base", "base", "2012-07-23", 6) == "0.1263"
    assert amount("tarif-bleu-base", "base", "2012-07-23", 36) == "0.1287"
    assert amount("tarif-bleu-base", "base", "2016-12-31", 3) == "0.1503"
    assert amount("tarif-bleu-base", "base", "2026-01-31", 6) == "0.1952"
    assert [amount("tarif-bleu-base", "base", "2026-02-01", p) for p in (3, 6, 9, 36)] == [
        "0.1940", "0.1940", "0.1927", "0.1927",
    ]  # fmt: skip
    assert amount("tarif-bleu-hphc", "hp", "2023-07-31") is None  # before, nobody told us
    assert [amount("tarif-bleu-hphc", p, "2025-02-01") for p in ("hp", "hc")] == ["0.2146", "0.1696"]
    assert [amount("tarif-bleu-tempo", p.code, "2026-02-01") for p in OFFERS["tarif-bleu-tempo"].periods] == [
        "0.1325", "0.1612", "0.1499", "0.1871", "0.1575", "0.7060",
    ]  # fmt: skip
    assert [amount("tarif-bleu-ejp", p, "2026-02-01") for p in ("hn", "pm")] == ["0.1781", "0.3440"]


def test_a_power_unknown_has_no_price_where_prices_depend_on_it() -> None:
    assert amount("tarif-bleu-base", "base", "2026-02-01") is None
    assert amount("tarif-bleu-base", "base", "2025-08-01") == "0.1952"


def test_twelve_months_are_a_year_to_the_cent() -> None:
    def year(code: str, day: str, power: int) -> str | None:
        return amount(code, "", day, power, kind="subscription")

    assert year("tarif-bleu-base", "2026-02-01", 6) == "187.80"  # 12 x 15.65
    assert year("tarif-bleu-base", "2026-02-01", 3) == "144.36"
    assert year("tarif-bleu-hphc", "2025-08-01", 9) == "237.72"
    assert year("tarif-bleu-tempo", "2025-08-01", 9) == "233.88"
    assert year("tarif-bleu-base", "2025-02-01", 6) == "165.17"  # the regulator's, by the year
    assert year("tarif-bleu-base", "2025-02-01", 18) == "328.68"
    assert year("tarif-bleu-base", "2024-02-01", 18) is None
    assert year("tarif-bleu-tempo", "2026-02-01", 24) is None  # not offered
    assert year("tarif-bleu-hphc", "2026-02-01", 3) is None


def test_where_sources_differ_it_is_said() -> None:
    found = price("tarif-bleu-tempo", "", "2025-08-01", 9, kind="subscription")
    assert found is not None
    assert found.source == "Monthly subscription in JC144/EDF_Simulateur_Prix; the press has 238.06 a year"
    found = price("tarif-bleu-base", "", "2024-12-01", 6, kind="subscription")
    assert found is not None
    assert "another subscription from 2024-11-01 (6 kVA, 12.68 a month)" in found.source


def test_confidence_is_that_of_each_price() -> None:
    tempo = {p.code: price("tarif-bleu-tempo", p.code, "2025-08-01") for p in OFFERS["tarif-bleu-tempo"].periods}
    assert {code for code, p in tempo.items() if p is not None and p.confidence == "A"} == {"bleu_hc", "rouge_hp"}


def test_the_newest_prices_have_no_end_and_nothing_is_shipped_after_them() -> None:
    last = datetime(2026, 1, 31, 23, tzinfo=UTC)
    for offer in OFFERS.values():
        assert max(p.start for p in offer.prices) == last
        assert {p.start for p in offer.prices if p.end is None} == {last}


def test_nothing_is_a_float() -> None:
    assert {type(p.amount) for offer in OFFERS.values() for p in offer.prices} == {Decimal}


def test_the_newest_migration_loads_the_file_as_it_is() -> None:
    folder = Path(str(migrations.__file__)).parent
    made = [import_module(f"{migrations.__name__}.{path.stem}") for path in sorted(folder.glob("0*.py"))]
    assert [module.DIGEST for module in made if hasattr(module, "DIGEST")][-1] == digest(), (
        "the shipped prices changed: bring them in a new migration; if the last is not released, correct its checksum"
    )
