"""A row of roll-ups to be, and the statement that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from storage.energy import Energy
from storage.models import Rollup
from storage.window import REGISTERS

POWER: Final = (
    "readings", "covered", "sinsts_sum", "sinsts_min", "sinsts_max", "sinsti_readings", "sinsti_sum", "sinsti_max",
)  # fmt: skip
ENERGY: Final = (*REGISTERS, "estimated", "has_reset")
_KEY: Final = ("meter_id", "step", "start", "origin")


@dataclass(slots=True)
class Bucket:
    """A row to be: what Rollup's columns of the same names hold."""

    start: int
    readings: int = 0
    covered: int = 0
    sinsts_sum: int | None = None
    sinsts_min: int | None = None
    sinsts_max: int | None = None
    sinsti_readings: int = 0
    sinsti_sum: int | None = None
    sinsti_max: int | None = None
    energy: dict[str, int] = field(default_factory=dict)  # by register; what is not there is not known
    estimated: bool = False
    has_reset: bool = False

    @property
    def is_known(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.readings or self.covered or self.energy)

    def add_power(self, other: Any) -> None:  # another bucket, or a row of Rollup
        """Take in the readings of a part of it."""
        self.readings += other.readings
        self.sinsti_readings += other.sinsti_readings
        self.sinsts_sum = _both(_plus, self.sinsts_sum, other.sinsts_sum)
        self.sinsts_min = _both(min, self.sinsts_min, other.sinsts_min)
        self.sinsts_max = _both(max, self.sinsts_max, other.sinsts_max)
        self.sinsti_sum = _both(_plus, self.sinsti_sum, other.sinsti_sum)
        self.sinsti_max = _both(max, self.sinsti_max, other.sinsti_max)

    def add_energy(self, name: str, energy: Energy) -> None:
        """Take in what a register says."""
        if energy.wh is not None:
            self.energy[name] = energy.wh
        self.estimated |= energy.estimated
        self.has_reset |= energy.has_reset


def _plus(a: int, b: int) -> int:
    return a + b


def _both(join: Callable[[int, int], int], a: int | None, b: int | None) -> int | None:
    return join(a, b) if a is not None and b is not None else a if b is None else b


def upsert(meter: int, step: int, buckets: Iterable[Bucket]) -> None:
    """Write rows, and no page for one that says the same already.

    Where readings were thinned since, the row that saw more of them is the better one: a minute stays whole, of hours
    and days the power. Their energy needs only the readings that thinning keeps.
    """
    table = connection.ops.quote_name(Rollup._meta.db_table)
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    saw_more = f"(excluded.readings, excluded.covered) >= ({table}.readings, {table}.covered)"
    columns = (*POWER, *ENERGY)
    old, new = (", ".join(f"{of}.{name}" for name in columns) for of in (table, "excluded"))
    if step == Rollup.Step.MINUTE:
        sets = [f"{name} = excluded.{name}" for name in columns]
        where = f"{saw_more} AND ({old}) {differs} ({new})"
    else:
        sets = [f"{name} = CASE WHEN {saw_more} THEN excluded.{name} ELSE {table}.{name} END" for name in POWER]
        sets += [f"{name} = excluded.{name}" for name in ENERGY]
        where = f"({old}) {differs} ({new})"
    statement = (
        f"INSERT INTO {table} ({', '.join((*_KEY, *columns))}) "  # noqa: S608  names only
        f"VALUES ({', '.join(['%s'] * (len(_KEY) + len(columns)))}) "
        f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {', '.join(sets)} WHERE {where}"
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_values(meter, step, bucket) for bucket in buckets if bucket.is_known])


def _values(meter: int, step: int, bucket: Bucket) -> list[Any]:  # of any column's type
    return [
        meter, step, bucket.start, Rollup.Origin.METER,
        *(getattr(bucket, name) for name in POWER),
        *(bucket.energy.get(name) for name in REGISTERS),
        bucket.estimated, bucket.has_reset,
    ]  # fmt: skip
