"""What an import came to, as plain values: to be kept, and said in whatever language by who shows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.exchange.enedis.blocks import Block, Curve, Indexes, Peaks

if TYPE_CHECKING:
    from storage.exchange.enedis.indexes import Stored
    from storage.exchange.enedis.rollups import Written
    from storage.exchange.enedis.take import Result
    from storage.exchange.take_tutorial import Taken
    from storage.exchange.tutorial import Clock, Tutorial


def noted_enedis(results: Iterable[Result]) -> dict[str, Any]:
    """Block by block."""
    return {"kind": "enedis", "blocks": [_block(result) for result in results]}


def _block(result: Result) -> dict[str, Any]:
    block = result.block
    unit = "VA" if isinstance(block.content, Peaks) else "Wh"
    return {
        "layout": block.layout.name,
        "way": block.direction.name,
        "where": block.where,
        "prm": block.prm[-4:],
        "step": block.content.step if isinstance(block.content, Curve) else None,
        "values": len(block.content.points),
        "gaps": block.gaps,
        "doubtful": block.doubtful,
        "periods": _periods(block),
        "written": [_written(one, unit) for one in result.written if one.begins is not None],
        "stored": None if result.stored is None else _stored(result.stored),
    }


def _periods(block: Block) -> dict[str, str]:
    return dict(block.content.periods) if isinstance(block.content, Indexes) else {}


def _written(one: Written, unit: str) -> dict[str, Any]:
    conflict = one.conflict
    return {
        "step": one.step, "new": one.new, "changed": one.changed, "same": one.same, "begins": _at(one.begins),
        "ends": _at(one.ends), "unit": unit, "conflicts": conflict.number, "weaker": conflict.weaker,
        "most": conflict.most, "meter": conflict.meter, "file": conflict.file,
    }  # fmt: skip


def _stored(one: Stored) -> dict[str, Any]:
    return {
        "stored": one.stored, "there": one.there, "begins": _at(one.begins), "ends": _at(one.ends),
        "heard": one.heard, "most": one.most, "refused": dict(one.refused),
    }  # fmt: skip


def noted_tutorial(source: Tutorial, clock: Clock, taken: Taken) -> dict[str, Any]:
    """The tutorial's one table."""
    return {
        "kind": "tutorial", "rows": len(source), "clock": clock.name, "stored": taken.stored, "there": taken.there,
        "begins": _at(taken.begins), "ends": _at(taken.ends), "refused": dict(source.refused),
        "emptied": dict(source.emptied),
    }  # fmt: skip


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
