"""What the database knows of a meter's energies, contracts and prices, as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from storage.models import Rollup
from storage.tariffs.costs import Agreement, Bucket, Known, Series
from storage.tariffs.models import Contract, IndexPeriod, TariffPrice
from storage.tariffs.timeline import Timeline, Version

INDEXES: Final = tuple(f"easf{n:02}" for n in range(1, 11))
_COLUMNS: Final = ("start", "origin", "east", "eait", "estimated", "has_reset", "readings", *INDEXES)
_CHUNK: Final = 1000  # rows in memory at once: a year has nine thousand hours


def moment(seconds: int) -> datetime:
    """As a query takes it."""
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(at: datetime) -> int:
    return int(at.timestamp() // 1)


def known(meter: int) -> Known:
    """Everything that prices a meter's energy."""
    contracts: dict[str, list[Version[Agreement]]] = defaultdict(list)
    offers = set()
    for contract in Contract.objects.filter(meter=meter).select_related("offer"):
        offers.add(contract.offer_id)
        agreement = Agreement(contract.offer_id, contract.power, contract.offer.only)
        contracts[contract.direction].append(_version(contract, agreement))
    meanings: dict[int, list[Version[str]]] = defaultdict(list)
    for told in IndexPeriod.objects.filter(meter=meter):
        meanings[told.index].append(_version(told, told.period))
    return Known(
        {direction: Timeline(versions) for direction, versions in contracts.items()},
        {index: Timeline(versions) for index, versions in meanings.items()},
        prices(offers),
    )


def prices(offers: Collection[int]) -> dict[Series, Timeline[Any]]:
    """Of some offers, with taxes: what is without them is not what a household pays."""
    found: dict[Series, list[Version[Any]]] = defaultdict(list)
    for row in TariffPrice.objects.filter(offer__in=offers, taxed=True):
        found[Series(row.offer_id, row.kind, row.period, row.power)].append(_version(row, row.amount))
    return {series: Timeline(versions) for series, versions in found.items()}


def _version(row: Any, what: Any) -> Version[Any]:  # a perishable entity, and what of it matters
    return Version(_seconds(row.start_date), None if row.end_date is None else _seconds(row.end_date), what)


def span(meter: int) -> tuple[int, int] | None:
    """From the first hour or day of which an energy may be known to the end of the last."""
    rows = Rollup.objects.filter(meter=meter, step__in=(Rollup.Step.HOUR, Rollup.Step.DAY))
    first, last = rows.order_by("start").first(), None
    ends = []
    for step in (Rollup.Step.HOUR, Rollup.Step.DAY):
        last = rows.filter(step=step).order_by("-start").first()
        if last is not None and (step == Rollup.Step.HOUR or last.origin == Rollup.Origin.ENEDIS):
            ends.append(_seconds(last.start) + int(step))
    return (_seconds(first.start), max(ends)) if first is not None and ends else None


def hours(meter: int, start: int, end: int, *, curve: bool = False) -> list[Bucket]:
    """The hours of start..end of which an energy is known.

    The meter's row before one of Enedis, even when it is estimated: its indexes are what is billed, period by period,
    and exact over the silence that they span; a load curve tells no period. `curve`: where the meter was not heard at
    all, the file's row first, as it matters then in which hour something was drawn.
    """
    return _merged(_rows(meter, Rollup.Step.HOUR, start, end), 3600, curve=curve)


def days(meter: int, start: int, end: int) -> list[Bucket]:
    """The days that a file of Enedis tells without their hours; their end is for the caller to set."""
    return _merged(_rows(meter, Rollup.Step.DAY, start, end).filter(origin=Rollup.Origin.ENEDIS), 86_400)


def _rows(meter: int, step: int, start: int, end: int) -> Any:  # a query
    rows = Rollup.objects.filter(meter=meter, step=step, start__gte=moment(start), start__lt=moment(end))
    return rows.order_by("start", "origin")  # the meter's first


def _merged(rows: Any, length: int, *, curve: bool = False) -> list[Bucket]:
    found: dict[int, Bucket] = {}
    spread = set()  # what was measured over a silence, and shared out over its hours
    for row in rows.values(*_COLUMNS).iterator(_CHUNK):
        start = _seconds(row["start"])
        indexes = {n: row[name] for n, name in enumerate(INDEXES, 1) if row[name] is not None}
        new = Bucket(
            start, start + length, row["east"], indexes, row["eait"], bool(row["estimated"]), bool(row["has_reset"])
        )
        if start not in found:
            found[start] = new
            if curve and new.estimated and not row["readings"]:
                spread.add(start)
        elif start in spread and new.east is not None:
            found[start] = _filled(new, found[start])
        else:
            found[start] = _filled(found[start], new)
    return [bucket for bucket in found.values() if bucket.is_drawn_known or bucket.injected is not None]


def _filled(ours: Bucket, other: Bucket) -> Bucket:
    """What the meter's row lacks, from a file."""
    drawn = ours if ours.is_drawn_known else other
    return Bucket(
        ours.start,
        ours.end,
        drawn.east,
        drawn.indexes,
        other.injected if ours.injected is None else ours.injected,
        drawn.estimated,
        drawn.has_reset,
    )


def starts(buckets: Iterable[Bucket]) -> set[int]:
    """Where buckets of known draw begin."""
    return {bucket.start for bucket in buckets if bucket.is_drawn_known}
