"""What an import of a file of Enedis came to, as lines for its owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from storage.exchange.enedis.blocks import Block, Curve, Indexes, Peaks
from storage.exchange.enedis.indexes import Stored
from storage.exchange.enedis.rollups import Conflict, Written
from storage.exchange.enedis.take import Result

_STEPS: Final = {1800: "half hours", 3600: "hours", 86400: "days"}


def lines(results: Iterable[Result], *, dry_run: bool) -> Iterator[str]:
    """Block by block."""
    for result in results:
        yield from _block(result.block)
        for written in result.written:
            yield from _written(written, "VA" if isinstance(result.block.content, Peaks) else "Wh", dry_run)
        if result.stored is not None:
            yield from _stored(result.stored, dry_run)


def _block(block: Block) -> Iterator[str]:
    whose = f", PRM ...{block.prm[-4:]}" if block.prm else ""
    content, step = block.content, ""
    if isinstance(content, Curve) and content.points:
        end = "ends" if content.stamps_end else "beginnings"
        step = f", steps of {content.step // 60} minutes dated by their {end}"
    yield f"{block.where}: {block.layout.value} of {block.direction.value}{whose}{step}: {len(content.points)} values"
    if block.gaps:
        yield f"  {block.gaps} rows without a value"
    if block.doubtful:
        yield f"  {block.doubtful} rows refused: in the hour that comes twice, and the order does not tell which"
    if isinstance(content, Indexes) and content.periods:
        yield f"  periods: {', '.join(f'{name} = {text}' for name, text in content.periods.items())}"


def _written(written: Written, unit: str, dry_run: bool) -> Iterator[str]:
    would = "would be " if dry_run else ""
    if written.begins is None or written.ends is None:
        return
    yield (
        f"  {_STEPS[written.step]} from {written.begins.isoformat()} to {written.ends.isoformat()}: {would}"
        f"{written.new} new, {written.changed} changed, {written.same} as they were"
    )
    if written.conflict.number:
        yield f"    {_conflict(written.conflict, unit)}"


def _conflict(conflict: Conflict, unit: str) -> str:
    weaker = f", but for {conflict.weaker} that it only estimated" if conflict.weaker else ""
    sums = f"; in all the meter says {conflict.meter} Wh, the file {conflict.file} Wh" if unit == "Wh" else ""
    return (
        f"the meter itself has {conflict.number} of them, and its values stand{weaker}: the two differ by "
        f"{conflict.most} {unit} at most{sums}"
    )


def _stored(stored: Stored, dry_run: bool) -> Iterator[str]:
    would = "would be " if dry_run else ""
    if stored.begins and stored.ends:
        yield f"  from {stored.begins.isoformat()} to {stored.ends.isoformat()}"
    yield f"  {stored.stored} readings {would}stored, {stored.there} there already"
    if stored.heard:
        yield (
            f"  {stored.heard} left out, as the meter was heard itself; the file differs from it by {stored.most} Wh "
            "at most"
        )
    for reason, number in sorted(stored.refused.items()):
        yield f"  {number} refused: {reason}"
