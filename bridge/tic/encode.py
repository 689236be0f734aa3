"""The mirror of the decoder: values to a meter's bytes. Feeds tests, the simulator and the demo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.tic.catalogue import BY_SLUG, Mode
from bridge.tic.groups import CR, ETX, HT, LF, SP, STX, checksum
from bridge.tic.models import Reading
from bridge.tic.values import Value, write_stamp, write_value


def encode_group(mode: Mode, label: str, raw: str, stamp: str | None = None) -> bytes:
    """One group from LF to CR, with its checksum."""
    if mode is Mode.HISTORIQUE:
        area = f"{label} {raw}".encode("ascii")
        return LF + area + SP + bytes([checksum(area)]) + CR
    fields = [label, raw] if stamp is None else [label, stamp, raw]
    area = "\t".join(fields).encode("ascii") + HT
    return LF + area + bytes([checksum(area)]) + CR


def encode_frame(groups: Iterable[bytes]) -> bytes:
    """A whole frame, from STX to ETX."""
    return STX + b"".join(groups) + ETX


def encode_values(values: Mapping[str, Value], stamps: Mapping[str, str]) -> bytes:
    """A whole frame of typed values by slug; a dated slug takes its horodate from `stamps`, else from its value."""
    groups = []
    for slug, value in values.items():
        row = BY_SLUG[slug]
        assert row.label is not None, f"{slug} is derived: no meter sends it"
        assert row.mode is not None, "a label belongs to a mode"
        stamp = None
        if row.dated:
            stamp = stamps[slug] if slug in stamps else write_stamp(value)  # type: ignore[arg-type]  # an instant
        groups.append(encode_group(row.mode, row.label, write_value(row, value), stamp))
    return encode_frame(groups)


def encode(reading: Reading) -> bytes:
    """The frame that decodes to `reading`."""
    return encode_values(dict(reading.values()), {slug: stamp.raw for slug, stamp in reading.stamps.items()})
