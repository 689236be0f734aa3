"""What a plan of `grids` does to the database; with today's models it is in history, in a migration it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from storage.tariffs.grids import Plan, Price, as_price, checksum, is_untouched


@dataclass(slots=True)
class Outcome:
    """How many rows were made, changed, ended, removed, left as they are; and what was kept, a sentence each."""

    made: int = 0
    changed: int = 0
    ended: int = 0
    removed: int = 0
    same: int = 0
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = f"{self.made} made, {self.changed} changed, {self.ended} ended, {self.removed} removed"
        return f"{done}, {self.same} as they were, {len(self.kept)} of yours kept"

    @property
    def is_idle(self) -> bool:
        """Whether nothing was written."""
        return not (self.made or self.changed or self.ended or self.removed)


def write(model: Any, offer: Any, plan: Plan, origin: str, outcome: Outcome) -> None:  # models of today or a migration
    """Do it, in the order in which no two prices ever overlap."""
    rows = model.objects
    if plan.remove:
        remove(rows.filter(pk__in=[row.pk for row in plan.remove]))
    for row, at in plan.end:
        changes: dict[str, Any] = {"end_date": at}
        if is_untouched(row):
            changes["shipped"] = checksum(replace(as_price(row), end=at))
        rows.filter(pk=row.pk).update(**changes)
    for row, price in plan.change:
        rows.filter(pk=row.pk).update(**_columns(price, origin))
    rows.bulk_create(_rows(model, offer, plan.create, origin))
    outcome.made += len(plan.create)
    outcome.changed += len(plan.change)
    outcome.ended += len(plan.end)
    outcome.removed += len(plan.remove)
    outcome.same += plan.same
    outcome.kept += [f"{offer.code}: {text}" for text in plan.kept]


def remove(rows: Any) -> None:  # a query set, as above
    """In truth: perishable entities would only be closed."""
    if hasattr(rows, "select_valid"):
        rows.delete(force=True)
    else:
        rows.delete()


def _columns(price: Price, origin: str) -> dict[str, Any]:
    return {
        "start_date": price.start, "end_date": price.end, "amount": price.amount, "source": price.source,
        "confidence": price.confidence, "checked_on": price.checked_on, "origin": origin, "shipped": checksum(price),
    }  # fmt: skip


def _rows(model: Any, offer: Any, prices: Iterable[Price], origin: str) -> list[Any]:
    return [
        model(offer=offer, kind=p.kind, period=p.period, power=p.power, taxed=p.taxed, **_columns(p, origin))
        for p in prices
    ]
