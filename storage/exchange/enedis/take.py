"""A file of Enedis into the database: all of it is read and checked before anything is written."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction

from storage.exchange.enedis import indexes, rollups
from storage.exchange.enedis.blocks import Block, Direction, Indexes
from storage.exchange.enedis.indexes import Stored
from storage.exchange.enedis.layouts import read_blocks
from storage.exchange.enedis.rollups import Written
from storage.exchange.errors import ExchangeError
from storage.exchange.files import sha256_of
from storage.models import Epoch, Import, Meter


@dataclass(frozen=True, slots=True)
class Result:
    """A block and what became of it."""

    block: Block
    written: list[Written]
    stored: Stored | None


def take(
    path: Path, meter: Meter, expected: Direction | None = None, *,
    dry_run: bool = False, advance: Callable[[int], None] = lambda _: None,
) -> list[Result]:  # fmt: skip
    """Take in every block of a file; with `dry_run` only say what would become of it."""
    zone = ZoneInfo(meter.timezone or "Europe/Paris")
    blocks = read_blocks(path, zone, expected)
    for block in blocks:
        _check_prm(block, meter)
    digest = sha256_of(path)
    if not dry_run and meter.pk is None:
        meter.save()
    results = []
    first = 1
    for number, block in enumerate(blocks, 1):
        taken = None if dry_run else _import(meter, path, digest, number, block)
        if isinstance(block.content, Indexes):
            stored = indexes.write(meter, taken.epoch if taken else None, taken, block.content, first)
            results.append(Result(block, [], stored))
            first += len(block.content.points)
        else:
            found = rollups.buckets_of(block.content, zone)
            written = rollups.write(meter, taken, rollups.column_of(block), found)
            results.append(Result(block, written, None))
        advance(number * 100 // len(blocks))
    return results


def _check_prm(block: Block, meter: Meter) -> None:
    """A delivery point belongs to the meter that its first file was given to."""
    if not block.prm:
        return
    others = Import.objects.filter(prm=block.prm).exclude(meter_id=meter.pk or 0)
    if other := others.select_related("meter").first():
        raise ExchangeError(f"{block.where}: this PRM (...{block.prm[-4:]}) is of meter {other.meter.meter_id}")
    earlier = Import.objects.filter(meter_id=meter.pk or 0).exclude(prm__in=("", block.prm)).first()
    if earlier is not None:
        raise ExchangeError(
            f"{block.where}: this PRM (...{block.prm[-4:]}) is not the one of meter {meter.meter_id} "
            f"(...{earlier.prm[-4:]}, as {earlier.name} said)"
        )


@transaction.atomic
def _import(meter: Meter, path: Path, digest: str, number: int, block: Block) -> Import:
    epoch = None
    if isinstance(block.content, Indexes):
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"ticbridge:import:{digest}")
        epoch, _ = Epoch.objects.get_or_create(
            meter=meter, uuid=name, defaults={"bridge": indexes.BRIDGE, "handled": 0, "floor": 1}
        )
    fields = {"epoch": epoch, "layout": block.layout.value, "name": path.name[-255:], "prm": block.prm}
    return Import.objects.get_or_create(meter=meter, sha256=digest, block=number, defaults=fields)[0]
