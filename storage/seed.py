"""Plausible history for the demo: rows of a household that never was, ending where the simulated meter begins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bridge.simulated.meter import INDEXES, POWER_FACTOR, Plan, SimulatedMeter, label, running_index
from bridge.tic.values import PARIS, write_stamp
from storage.models import Data, Epoch, Meter

STEP: Final = timedelta(seconds=10)
BRIDGE: Final = "demo-history"


def seed(plan: Plan, now: datetime, hours: int = 24) -> int:
    """Write the hours before `now` (aware); the number of rows. What is there already is left alone."""
    meter, _ = Meter.objects.get_or_create(
        meter_id=plan.meter_id, defaults={"mode": plan.mode.value, "timezone": PARIS.key}
    )
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"ticbridge:demo:{plan.meter_id}:{now.isoformat()}")
    epoch, made = Epoch.objects.get_or_create(
        meter=meter, uuid=name, defaults={"bridge": BRIDGE, "handled": 0, "floor": 1}
    )
    if not made:
        return 0
    rows = [
        Data(meter=meter, epoch=epoch, seq=seq, **values) for seq, values in enumerate(_history(plan, now, hours), 1)
    ]
    Data.objects.bulk_create(rows, batch_size=500)
    epoch.handled = len(rows)
    epoch.save(update_fields=["handled"])
    return len(rows)


def _history(plan: Plan, now: datetime, hours: int) -> Iterator[dict[str, object]]:
    start = now - timedelta(hours=hours)
    steps = int((now - start) / STEP)
    watts = [_total(plan, start + n * STEP) for n in range(steps)]
    # The indexes must end where the simulated meter's begin, so what is still to come is taken off them first.
    drawn = [float(wh) for wh in SimulatedMeter(plan, now).drawn]
    per_step = STEP / timedelta(hours=1)
    running = [running_index(plan.contract, (start + n * STEP).astimezone(PARIS), plan.seed) for n in range(steps)]
    for power, index in zip(watts, running, strict=True):
        drawn[index - 1] -= max(0.0, power) * per_step
    for n, (power, index) in enumerate(zip(watts, running, strict=True)):
        drawn[index - 1] += max(0.0, power) * per_step
        at = start + n * STEP
        yield {
            "dateTime": at,
            "date": write_stamp(at),
            "stamp_utc": at,
            "ltarf": label(plan, index),
            "ntarf": index,
            "east": int(sum(drawn)),
            **{f"easf{i:02}": int(drawn[i - 1]) for i in range(1, len(INDEXES[plan.contract]) + 1)},
            "sinsts": max(0, round(power / POWER_FACTOR)),
            **({"sinsti": max(0, round(-power / POWER_FACTOR))} if plan.injects else {}),
        }


def _total(plan: Plan, at: datetime) -> float:
    return sum(plan.household.watts(at.astimezone(PARIS)))
