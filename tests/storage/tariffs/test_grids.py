"""Prices of a file meet those that are there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from storage.tariffs.grids import Plan, Price, checksum, is_untouched, plan


@dataclass
class Row:
    """A row without a database."""

    pk: int
    start_date: datetime
    end_date: datetime | None
    amount: Decimal
    origin: str = "shipped"
    shipped: str = ""
    kind: str = "energy"
    period: str = "base"
    power: int = 0
    taxed: bool = True
    source: str = ""
    confidence: str = ""
    checked_on: date | None = None


def at(year: int) -> datetime:
    return datetime(year, 2, 1, tzinfo=UTC)


def price(start: int, end: int | None, amount: str, **changes: Any) -> Price:
    until = None if end is None else at(end)
    return replace(Price("energy", "base", 0, at(start), until, Decimal(amount)), **changes)


def row(pk: int, given: Price, origin: str = "shipped") -> Row:
    """As the program writes it; what is the owner's bears no checksum."""
    return Row(pk, given.start, given.end, given.amount, origin, "" if origin == "user" else checksum(given))


def shipped(there: list[Row], given: list[Price], **options: Any) -> Plan:
    return plan(there, given, ours=("shipped",), whole="shipped", **options)


OLD, NEW = price(2025, None, "0.20"), price(2026, None, "0.19")
CLOSED = price(2025, 2026, "0.20")


def test_an_empty_table_takes_all() -> None:
    assert shipped([], [NEW, CLOSED]) == Plan(create=[CLOSED, NEW])


def test_the_same_again_does_nothing() -> None:
    assert shipped([row(1, CLOSED), row(2, NEW)], [CLOSED, NEW]) == Plan(same=2)


def test_new_prices_close_the_version_before() -> None:
    old = row(1, OLD)
    assert shipped([old], [CLOSED, NEW]) == Plan(change=[(old, CLOSED)], create=[NEW])


def test_a_corrected_price_is_corrected() -> None:
    old, right = row(1, OLD), price(2025, None, "0.21")
    assert shipped([old], [right]) == Plan(change=[(old, right)])


def test_an_edited_price_stays_and_is_told() -> None:
    mine = row(1, OLD)
    mine.amount = Decimal("0.22")
    assert not is_untouched(mine)
    assert shipped([mine], [OLD]).kept == ["base from 2025-02-01: 0.20: yours from 2025-02-01 says 0.22, and stays"]
    assert shipped([mine], [OLD], force=True) == Plan(change=[(mine, OLD)])


def test_the_owners_newer_price_is_followed_by_nothing_of_ours() -> None:
    old, mine = row(1, OLD), row(2, price(2026, None, "0.18"), "user")
    ended = replace(OLD, end=at(2026))
    made = shipped([old, mine], [replace(OLD, end=at(2026)), price(2027, None, "0.17")])
    assert (made.change, made.create) == ([(old, ended)], [])
    assert made.kept == ["base from 2027-02-01: 0.17: yours from 2026-02-01 says 0.18, and stays"]


def test_an_open_price_ends_where_the_owners_begins() -> None:
    mine = row(1, price(2026, None, "0.18"), "user")
    assert shipped([mine], [OLD]) == Plan(create=[CLOSED])
    assert shipped([mine, row(2, CLOSED)], [OLD]) == Plan(same=1)


def test_force_takes_the_owners_newer_price_away() -> None:
    old, mine = row(1, CLOSED), row(2, price(2026, None, "0.18"), "user")
    assert shipped([old, mine], [OLD], force=True) == Plan(change=[(old, OLD)], remove=[mine])


def test_force_ends_the_owners_older_price() -> None:
    mine = row(1, price(2024, None, "0.18"), "user")
    assert shipped([mine], [OLD], force=True) == Plan(create=[OLD], end=[(mine, at(2025))])


def test_what_is_shipped_no_more_is_removed_unless_it_was_edited() -> None:
    wrong = row(1, price(2024, 2025, "0.99"))
    assert shipped([wrong, row(2, OLD)], [OLD]) == Plan(remove=[wrong], same=1)
    wrong.amount = Decimal("0.18")
    assert shipped([wrong, row(2, OLD)], [OLD]) == Plan(same=1)


def test_what_the_owner_deleted_stays_deleted() -> None:
    made = shipped([], [OLD], gone={(OLD.series, OLD.start)})
    assert made == Plan(kept=["base from 2025-02-01: 0.20: you deleted it, and it stays so"])
    assert shipped([], [OLD], gone={(OLD.series, OLD.start)}, force=True) == Plan(create=[OLD])


def test_series_do_not_meet() -> None:
    other = price(2025, None, "0.30", power=6)
    assert shipped([row(1, OLD)], [OLD, other]) == Plan(create=[other], same=1)


def test_a_file_replaces_what_was_shipped_and_later_shipments_leave_it() -> None:
    old = row(1, OLD)
    finer = [price(2025, 2026, "0.20", source="CRE"), price(2026, None, "0.19", source="CRE")]
    made = plan([old], finer, ours=("shipped", "import"))
    assert made == Plan(change=[(old, finer[0])], create=[finer[1]])
    imported = [row(1, finer[0], "import"), row(2, finer[1], "import")]
    for each, given in zip(imported, finer, strict=True):
        each.source, each.shipped = given.source, checksum(given)
    assert shipped([*imported], [CLOSED, NEW]) == Plan(same=2)


def test_an_old_file_takes_no_newer_price_away() -> None:
    old, newer = row(1, CLOSED), row(2, NEW)
    assert plan([old, newer], [OLD], ours=("shipped", "import")) == Plan(same=1)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("0.21")}, {"end": at(2027)}, {"source": "x"}, {"confidence": "A"}, {"power": 6},
        {"checked_on": date(2026, 1, 1)}, {"period": "hp"}, {"taxed": False}, {"kind": "subscription"},
        {"start": at(2024)},
    ],
)  # fmt: skip
def test_a_checksum_sees_each_change(change: dict[str, Any]) -> None:
    assert checksum(replace(OLD, **change)) != checksum(OLD)


def test_a_checksum_does_not_see_how_a_number_is_written() -> None:
    assert checksum(replace(OLD, amount=Decimal("0.200000"))) == checksum(OLD)
