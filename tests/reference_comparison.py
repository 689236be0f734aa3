"""A household's hours under an offer, as a spreadsheet would have it: a line for each minute, a sum at the end.

Nothing here is imported from `storage`. An hour is (start, Wh, minutes: Wh of each or None). Prices: (start, period,
EUR per kWh) in order, each until the next one of its period; a year's subscription the same, period "".
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
Hour = tuple[int, int, list[int] | None]
Prices = list[tuple[int, str, Decimal]]


def wall(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(PARIS)


def price(prices: Prices, period: str, at: int) -> Decimal:
    found = None
    for start, name, amount in prices:
        if name == period and start <= at:
            found = amount
    assert found is not None
    return found


def off_peak(at: int) -> str:
    """Slots 22:30-6:30."""
    clock = wall(at).hour * 60 + wall(at).minute
    return "hc" if clock >= 22 * 60 + 30 or clock < 6 * 60 + 30 else "hp"


def tempo(at: int, colours: dict[date, str]) -> list[str]:
    clock = wall(at)
    day = clock.date() if clock.hour >= 6 else clock.date() - timedelta(days=1)
    hours = "hp" if 6 <= clock.hour < 22 else "hc"
    if day in colours:
        names = [colours[day]]
    elif day.isoweekday() == 7:
        names = ["bleu"]
    elif day.month in (11, 12, 1, 2, 3) and day.isoweekday() <= 5:
        names = ["bleu", "blanc", "rouge"]
    else:
        names = ["bleu", "blanc"]
    return [f"{name}_{hours}" for name in names]


def ejp(at: int) -> list[str]:
    clock = wall(at)
    day = clock.date() if clock.hour >= 1 else clock.date() - timedelta(days=1)
    in_peak = clock.hour >= 7 or clock.hour < 1
    return ["hn", "pm"] if in_peak and day.month in (11, 12, 1, 2, 3) else ["hn"]


def possible(option: str, hour: Hour, colours: dict[date, str]) -> list[tuple[list[str], int]]:
    """(periods that it may be, Wh)."""
    start, wh, minutes = hour
    if option == "base":
        return [(["base"], wh)]
    if option == "tempo":
        return [(tempo(start, colours), wh)]
    if option == "ejp":
        return [(ejp(start), wh)]
    kinds = [off_peak(start + 60 * n) for n in range(60)]
    if len(set(kinds)) == 1:
        return [([kinds[0]], wh)]
    if minutes is not None:
        return [([kind], part) for kind, part in zip(kinds, minutes, strict=True)]
    return [(["hc", "hp"], wh)]


def bounds(
    option: str, hours: list[Hour], prices: Prices, days: list[date], colours: dict[date, str]
) -> tuple[Decimal, Decimal]:
    low = high = Decimal(0)
    for hour in hours:
        for periods, wh in possible(option, hour, colours):
            paid = [wh * price(prices, period, hour[0]) / 1000 for period in periods]
            low += min(paid)
            high += max(paid)
    fixed = Decimal(0)
    for day in days:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())
        of_year = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
        share = Fraction(price(prices, "", midnight)) / of_year
        fixed += Decimal(round(share * 10**9)) / 10**9
    return low + fixed, high + fixed
