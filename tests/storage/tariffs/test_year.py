"""A year of readings to its costs: two price changes, a change of contract, a silence, both changes of the clock."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from storage.dirty import mark
from storage.models import Data, Epoch
from storage.rollups import roll_up
from storage.tariffs.daily import costs, costs_by, reckon
from storage.tariffs.models import IndexPeriod, Offer, TariffPrice
from tests.reference_costs import Hour, House, reference_day
from tests.storage.tariffs.samples import sign
from tests.storage.test_rollups import new_meter

PARIS = ZoneInfo("Europe/Paris")
TEMPO = [f"{colour}_{hours}" for colour in ("bleu", "blanc", "rouge") for hours in ("hc", "hp")]  # indexes 1 to 6
LABELS = {
    **{period: " ".join(reversed(period.upper().split("_"))) for period in TEMPO},
    "hc": "HEURE CREUSE",
    "hp": "HEURE PLEINE",
}
GRIDS = {
    date(2024, 1, 1): ("0.1296 0.1609 0.1486 0.1894 0.1568 0.7562", "0.2068 0.2700", "160.01 166.6"),
    date(2024, 2, 1): ("0.1288 0.1552 0.1447 0.1792 0.1518 0.6586", "0.1696 0.2146", "167.64 168.48"),
    date(2024, 8, 1): ("0.1232 0.1494 0.1391 0.1730 0.1460 0.6468", "0.1635 0.2081", "186 188.88"),
}
MOVE = date(2024, 7, 1)  # from Tempo to HP/HC
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def running(at: int, colours: list[str]) -> tuple[int, str]:
    """The index that counts, and its period."""
    clock = datetime.fromtimestamp(at, PARIS)
    hours = "hp" if 6 <= clock.hour < 22 else "hc"
    if at >= midnight(MOVE):
        return (1 if hours == "hc" else 2), hours
    day = clock.date() if clock.hour >= 6 else clock.date() - timedelta(days=1)
    period = f"{colours[day.toordinal() % len(colours)]}_{hours}"
    return TEMPO.index(period) + 1, period


def live(epoch: Epoch, silence: range) -> list[Hour]:
    """A reading at each hour, but for a silence; what each hour drew."""
    rng, colours = random.Random(7), ["bleu"] * 9 + ["blanc"] * 4 + ["rouge"] * 2
    indexes = {n: 1_000_000 * n for n in range(1, 7)}
    rows: list[Data] = []
    hours = []
    for at in range(midnight(DAYS[0]), midnight(date(2025, 1, 1)) + 1, 3600):
        index, period = running(at, colours)
        if at not in silence:
            values = {f"easf{n:02}": value for n, value in indexes.items()}
            rows.append(
                Data(
                    meter=epoch.meter, epoch=epoch, seq=len(rows) + 1, dateTime=moment(at), ntarf=index,
                    ltarf=LABELS[period], east=sum(indexes.values()), **values,
                )
            )  # fmt: skip
        wh = rng.randrange(3000)
        indexes[index] += wh
        hours.append(Hour(at, wh, {n: wh if n == index else 0 for n in indexes}))
    with transaction.atomic():
        Data.objects.bulk_create(rows)
        mark({epoch.meter_id: [row.dateTime for row in rows]})
    return hours[:-1]


def sold() -> tuple[House, list[Offer]]:
    """The grids, also in the database."""
    offers = [Offer.objects.create(code=code, name=code, option=code) for code in ("tempo", "hphc")]
    house = House()
    starts = [*GRIDS, None]
    for start, end in pairwise(starts):
        assert start is not None
        first, last = midnight(start), None if end is None else midnight(end)
        *energies, yearly = GRIDS[start]
        for offer, periods, amounts, year in zip(offers, (TEMPO, ["hc", "hp"]), energies, yearly.split(), strict=True):
            prices = [("energy", p, 0, a) for p, a in zip(periods, amounts.split(), strict=True)]
            for kind, period, power, amount in [*prices, ("subscription", "", 9, year)]:
                house.prices.append((first, last, offer.pk, kind, period, power, Decimal(amount)))
    TariffPrice.objects.bulk_create(
        TariffPrice(
            offer_id=offer, kind=kind, period=period, power=power, amount=amount, start_date=moment(first),
            end_date=None if last is None else moment(last),
        )
        for first, last, offer, kind, period, power, amount in house.prices
    )  # fmt: skip
    return house, offers


@pytest.mark.slow
@pytest.mark.django_db
def test_a_year_costs_what_plain_loops_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.rollups._HOURS", 744)  # larger slices: the same rows, sooner
    epoch = new_meter()
    silent = midnight(date(2024, 3, 12))
    silence = range(silent + 5 * 3600, silent + 40 * 3600)  # within a month: its days are estimated, the month is exact
    hours = live(epoch, silence)
    house, (tempo, hphc) = sold()
    moved = midnight(MOVE)
    sign(epoch.meter, tempo, moment(midnight(DAYS[0])), 9).revise(moment(moved), offer=hphc)
    list(roll_up())
    list(reckon())

    house.contracts = [(0, moved, "drawn", tempo.pk, 9, ""), (moved, None, "drawn", hphc.pk, 9, "")]
    house.meanings = [(0, moved, n, period) for n, period in enumerate(TEMPO, 1)]
    house.meanings += [(moved, None, 1, "hc"), (moved, None, 2, "hp")]
    expected: dict[int, dict[str, Decimal]] = {}
    for day in DAYS:
        start, end = midnight(day), midnight(day + timedelta(days=1))
        mine = [hour for hour in hours if start <= hour.start < end]
        month = expected.setdefault(day.month, {})
        for (_, period), (_, amount, _) in reference_day(house, start, end, 366, mine, end).items():
            assert amount is not None
            month[period] = month.get(period, Decimal()) + amount

    months = costs_by(epoch.meter, DAYS[0], DAYS[-1], "month")
    found = {m.first.month: {line.period: line.amount for line in m.lines if line.amount} for m in months}
    assert found == {
        number: {period: amount for period, amount in month.items() if amount} for number, month in expected.items()
    }
    year = costs(epoch.meter, DAYS[0], DAYS[-1])
    assert year.complete
    assert year.total == sum(sum(month.values()) for month in expected.values())
    assert {row.is_confirmed for row in IndexPeriod.objects.all()} == {False}
    told = IndexPeriod.objects.order_by("index", "start_date").values_list("index", "label", "period")
    assert list(told) == [
        (1, "HC BLEU", "bleu_hc"),
        (1, "HEURE CREUSE", "hc"),
        (2, "HP BLEU", "bleu_hp"),
        (2, "HEURE PLEINE", "hp"),
        (3, "HC BLANC", "blanc_hc"),
        (4, "HP BLANC", "blanc_hp"),
        (5, "HC ROUGE", "rouge_hc"),
        (6, "HP ROUGE", "rouge_hp"),
    ]
