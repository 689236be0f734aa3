"""A plausible past for the demo: a household that never was, up to where its simulated meter begins to speak."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, models, transaction

from bridge.simulated.meter import Plan
from bridge.tic.values import PARIS
from storage.buckets import HOUR
from storage.dirty import mark
from storage.models import Data, Epoch, Meter, Register, Rollup
from storage.seed.flow import Flow
from storage.seed.readings import READING, Reading, readings
from storage.seed.rollups import ROLLUP, rollups

__all__ = ["Seeded", "seed"]

BRIDGE: Final = "demo-history"
_STEP: Final = 10  # seconds between readings
_KNOWN: Final = ("east", *(f"easf{n:02}" for n in range(1, 11)), "eait")


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows were written."""

    readings: int = 0
    rollups: int = 0


def seed(plan: Plan, now: datetime, days: int = 56, raw: int = 24, every: float = _STEP) -> Seeded:
    """Write a meter's past up to `now` (aware): roll-ups of `days` civil days, and `raw` hours of readings.

    What is written is what the engine and the retention would have left: of the oldest hours the first and the last
    reading, of the last `raw` hours all of them, one each `every` seconds; all is rolled up but the hour that runs,
    which is marked. A meter that has readings is left alone.
    """
    end = int(now.timestamp()) // _STEP * _STEP
    seam = (end - raw * HOUR) // HOUR * HOUR
    # One hour more of whole readings: whoever rolls up some of the last hours again may look back without harm.
    whole = seam - HOUR
    running = end // HOUR * HOUR
    midnight = datetime.fromtimestamp(seam, PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = int((midnight - timedelta(days=days)).timestamp())
    with transaction.atomic():
        meter, _ = Meter.objects.get_or_create(
            meter_id=plan.meter_id, defaults={"mode": plan.mode.value, "timezone": PARIS.key}
        )
        if Data.objects.filter(meter=meter).exists():
            return Seeded()
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"ticbridge:demo:{plan.meter_id}:{now.isoformat()}")
        epoch = Epoch.objects.create(meter=meter, uuid=name, bridge=BRIDGE, handled=0, floor=1)
        flow = Flow.of(plan, begin, end, round(60 / every))
        written = _insert(Rollup, ("meter_id", *ROLLUP), ((meter.pk, *row) for row in rollups(flow, running)))
        past = list(readings(flow, whole, every))
        _insert(Data, ("meter_id", "epoch_id", *READING), _with_keys(past, meter, epoch))
        epoch.handled = past[-1].seq
        epoch.save(update_fields=["handled"])
        meter.raw_since = datetime.fromtimestamp(whole, UTC)
        meter.save(update_fields=["raw_since"])
        _remember(meter, past[0], past[-1])
        mark({meter.pk: [reading.at for reading in past if reading.at.timestamp() >= running]})
    return Seeded(len(past), written)


def _with_keys(past: Iterable[Reading], meter: Meter, epoch: Epoch) -> Iterator[tuple[Any, ...]]:  # as below
    adapt = connection.ops.adapt_datetimefield_value
    for reading in past:
        yield (
            meter.pk, epoch.pk, reading.seq, adapt(reading.at), reading.stamp,
            reading.stamp and adapt(reading.at.replace(microsecond=0)), *reading.values,
        )  # fmt: skip


def _remember(meter: Meter, oldest: Reading, newest: Reading) -> None:
    """The registers as the newest reading says them."""
    values = dict(zip(READING[-len(newest.values) :], newest.values, strict=True))
    known = {name: value for name in _KNOWN if isinstance(value := values[name], int)}
    Register.objects.bulk_create(
        Register(meter=meter, name=name, since=oldest.at, at=newest.at, value=value) for name, value in known.items()
    )


def _insert(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    """Rows of database values, of any column's type; `bulk_create` takes four times as long."""
    quote = connection.ops.quote_name
    names, places = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608  names only
    ready = list(rows)
    with connection.cursor() as cursor:
        cursor.executemany(statement, ready)
    return len(ready)
