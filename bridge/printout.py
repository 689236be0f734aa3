"""A decoded frame as its owner reads it, and as a program does."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bridge.derived import REGISTER_PARTS
from bridge.guard import Checked
from bridge.tic.catalogue import BY_SLUG
from bridge.tic.models import Reading
from bridge.tic.values import StatusRegister
from bridge.topics import payload


def as_json(number: int, frame: Checked) -> str:
    """One JSON object."""
    reading = frame.decoded.reading
    return json.dumps(
        {
            "frame": number,
            "complete": bool(reading and reading.complete),
            "mode": reading.mode.value if reading else None,
            "meter": frame.meter or (reading.meter_id if reading else None),
            "values": reading.to_json() if reading else {},
            "stamps": {slug: stamp.raw for slug, stamp in reading.stamps.items()} if reading else {},
            "extra": dict(reading.extra) if reading else {},
            "refused": [{"label": r.label, "raw": r.raw, "reason": r.reason.value} for r in frame.decoded.refused],
        },
        ensure_ascii=False,
    )


def as_text(number: int, frame: Checked) -> str:
    """A heading, and a line for each group: refused ones too, with the reason."""
    reading = frame.decoded.reading
    if reading is None:
        lines = [f"--- frame {number}: nothing valid"]
    else:
        whole = "" if reading.complete else ", incomplete"
        meter = frame.meter or reading.meter_id or "no address seen"
        lines = [f"--- frame {number}: {reading.mode.value}, meter {meter}{whole}", *_groups(reading)]
    lines += [f"refused    {r.label or '?'} {r.raw!r}: {r.reason.value}" for r in frame.decoded.refused]
    return "\n".join(lines)


def _groups(reading: Reading) -> Iterator[str]:
    for slug, value in reading.values():
        row = BY_SLUG[slug]
        stamp = reading.stamps.get(slug)
        dated = f"  [{stamp.at.isoformat()}]" if stamp and stamp.at != value else ""
        yield f"{row.label:10} {payload(value)} {row.unit}{dated}".rstrip() + f"  -- {row.fr}"
        if isinstance(value, StatusRegister):
            yield from (f"{'':10}   {part}: {getattr(value, part)}" for part in REGISTER_PARTS)
    for label, raw in reading.extra.items():
        yield f"{label:10} {raw}  -- unknown label"
