"""Simulated meters for tests, at fixed times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

from bridge.simulated.contract import Contract
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from bridge.tic.decode import Decoder
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import PARIS

NOON = datetime(2026, 1, 15, 11, 0, 0, tzinfo=UTC)
SUMMER_NOON = datetime(2026, 6, 21, 11, 0, 0, tzinfo=UTC)
PLANS = [
    Plan(contract, mode, phases, producer)
    for contract, mode, phases, producer in product(Contract, Mode, (1, 3), (False, True))
]


def name_of(value: object) -> str:
    """The id of a test's parameter."""
    if not isinstance(value, Plan):
        return str(value)
    producer = "-producer" if value.producer else ""
    return f"{value.contract}-{value.mode}-{value.phases}{producer}"


def local(text: str) -> datetime:
    """A time on a French clock."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def frames(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 3) -> list[bytes]:
    """The first frames of a meter, so many seconds apart."""
    meter = SimulatedMeter(plan, start)
    return [meter.frame(start.astimezone(UTC) + timedelta(seconds=n * step)) for n in range(number)]


def readings(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 3) -> list[Reading]:
    """What they say; nothing may be refused."""
    return list(_decoded(plan, frames(plan, start, step, number)))


def standard(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 1) -> list[Standard]:
    """The same of a meter in mode standard."""
    told = readings(plan, start, step, number)
    return [reading for reading in told if isinstance(reading, Standard)]


def historique(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 1) -> list[Historique]:
    """The same of a meter in mode historique."""
    told = readings(plan, start, step, number)
    return [reading for reading in told if isinstance(reading, Historique)]


def _decoded(plan: Plan, sent: list[bytes]) -> Iterator[Reading]:
    decoder = Decoder(plan.mode)
    for frame in sent:
        decoded = decoder.decode(frame)
        assert decoded.refused == ()
        assert decoded.reading is not None
        yield decoded.reading
