"""The decoder. `python -m benchmarks.decoder N standard|new` is what callgrind counts."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from benchmarks.frames import PERIOD, all_new, damaged, historique, standard, with_parity
from benchmarks.table import Row, fastest, instructions
from bridge.guard import Moment
from bridge.line import Line
from bridge.tic.catalogue import Mode
from tests.reference_decoder import ReferenceDecoder

FRAMES: Final = 1000
_DAMAGE: Final = 0.05


def run(frames: Iterable[bytes]) -> list[int]:
    """Feed frames through parity, framer, decoder and guard; (accepted, refused, frames)."""
    line, now = Line(), datetime(2026, 1, 15, 6, 30, tzinfo=UTC)
    accepted = refused = count = 0
    for n, frame in enumerate(frames, start=1):
        at = Moment(now + timedelta(seconds=n * PERIOD), n * PERIOD)
        for checked in line.feed(frame, at):
            count += 1
            refused += len(checked.decoded.refused)
            if checked.decoded.reading is not None:
                accepted += len(checked.decoded.reading.model_fields_set)
    return [accepted, refused, count]


def _changes(frames: list[bytes]) -> float:
    groups = [frame[2:-2].split(b"\r\n") for frame in frames]
    return sum(sum(a != b for a, b in zip(x, y, strict=True)) for x, y in pairwise(groups)) / (len(frames) - 1)


def _against_reference(frames: list[bytes], mode: Mode) -> float:
    data = [with_parity(frame) for frame in frames]
    plain = b"".join(frames)

    def reference() -> None:
        decoder = ReferenceDecoder()
        decoder.feed(plain)

    return fastest(reference, 3) / fastest(lambda: run(data), 5)


def _damage(frames: list[bytes]) -> tuple[float, float]:
    """(throughput with damage over clean, share of the intact groups that were kept)."""
    clean = [with_parity(frame) for frame in frames]
    hurt = damaged(clean, _DAMAGE)
    ratio = fastest(lambda: run(clean), 9) / fastest(lambda: run(hurt), 9)
    line, kept, intact = Line(guarded=False), 0, 0
    for before, after in zip(clean, hurt, strict=True):
        whole = [x == y for x, y in zip(before.split(b"\x8d"), after.split(b"\x8d"), strict=False)]
        for checked in line.feed(after, Moment.never()):
            reading = checked.decoded.reading
            if reading is not None and reading.complete and line.parity.given:
                intact += sum(whole[:-1])
                kept += len(list(reading.values()))
    return ratio, kept / intact


def rows() -> list[Row]:
    """Measure."""
    frames = list(standard(FRAMES))
    note = f"({_changes(frames):.1f} of {frames[0].count(13)} groups change)"
    ratio, kept = _damage(frames)
    return [
        Row("standard frame to validated model, instructions per frame", 220, 182,
            _thousands(instructions("benchmarks.decoder", "standard", few=200, many=1000)), "k instructions",
            note=note),
        Row("the same with every group new", 450, 400,
            _thousands(instructions("benchmarks.decoder", "new", few=200, many=1000)), "k instructions"),
        Row("standard frames/s against a byte-at-a-time reference decoder", 5, 8,
            _against_reference(frames, Mode.STANDARD), "x", lower=False),
        Row("historique frames/s against the reference", 3, 6,
            _against_reference(list(historique(FRAMES)), Mode.HISTORIQUE), "x", lower=False),
        Row("throughput with 5 % damaged groups over clean", 0.8, 0.95, ratio, "x", lower=False),
        Row("intact groups of complete frames kept", 1, 1, kept, "of all", lower=False),
    ]  # fmt: skip


def _thousands(count: float | None) -> float | None:
    return None if count is None else count / 1000


if __name__ == "__main__":
    number = int(sys.argv[1])
    made = standard(FRAMES) if sys.argv[2] == "standard" else all_new(FRAMES)
    # All frames are made in both runs, so that the difference counts the decoding alone.
    ready = [with_parity(frame) for frame in made]
    run(ready[:number])
