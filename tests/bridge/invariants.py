"""What holds for a line whatever it is fed: for hypothesis, for the fuzzer, and for what the fuzzer once found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bridge.guard import Checked, Moment
from bridge.line import Line
from bridge.steps import INDEXES
from bridge.tic.catalogue import Mode
from bridge.tic.decode import MAX_EXTRA
from bridge.tic.framing import MAX_FRAME
from bridge.tic.parity import WINDOW, Parity
from tests.bridge.wire import cut
from tests.reference_decoder import decode as decode_by_the_note

AT: Final = Moment(datetime(2026, 1, 15, 12, 0, tzinfo=UTC), 100.0)
_HELD: Final = 16  # frames that may wait for an address
_METERS: Final = 16  # remembered
_UNKNOWN: Final = 256  # unknown labels that wait to be seen again


def hold(stream: bytes, sizes: Sequence[int], mode: Mode | None = None, configured: str | None = None) -> None:
    """Feed a stream whole and in pieces, with and without the guard; fail where something does not hold."""
    whole = outcome(Line(mode, configured), stream, ())
    assert outcome(Line(mode, configured), stream, sizes) == whole, "pieces matter"
    plain = outcome(Line(mode, guarded=False), stream, ())
    _guard_only_takes_away(plain, whole)
    if mode is None:
        _agrees_with_the_note(stream, plain)


def outcome(line: Line, stream: bytes, sizes: Sequence[int]) -> list[Checked]:
    """What a line makes of a stream, while its memory stays bounded."""
    frames: list[Checked] = []
    for piece in cut(stream, sizes):
        frames += line.feed(piece, AT)
        assert len(line.framer._kept) < MAX_FRAME
        assert len(line.parity._window) < WINDOW
    frames += line.flush()
    memory_is_bounded(line)
    return frames


def memory_is_bounded(line: Line) -> None:
    """Whatever came: each place that keeps something keeps little."""
    decoder, guard = line._decoder, line._guard
    assert len(decoder._unknown) <= _UNKNOWN
    assert sum(map(len, decoder._groups)) < MAX_FRAME
    assert len(decoder._forms) <= MAX_FRAME
    if guard is not None:
        assert len(guard._address._held) <= _HELD
        assert guard._steps._doubts.keys() | guard._steps._believed.keys() <= INDEXES
        assert len(guard._memory) <= _METERS


def _guard_only_takes_away(plain: list[Checked], guarded: list[Checked]) -> None:
    """Each frame leaves once, with no value that the decoder did not read, and none falls without a reset."""
    assert len(plain) == len(guarded)
    in_order = sorted(guarded, key=lambda frame: frame.clock)  # a frame without a meter overtakes those that wait
    for before, after in zip(plain, in_order, strict=True):
        left = after.decoded.reading
        if left is not None:
            assert before.decoded.reading is not None
            assert dict(left.values()).items() <= dict(before.decoded.reading.values()).items()
    _indexes_only_rise(in_order)


def _indexes_only_rise(guarded: list[Checked]) -> None:
    readings = [frame.decoded.reading for frame in guarded if frame.meter is not None]
    if any(frame.events for frame in guarded):
        return  # a reset, or another meter
    for slug in INDEXES:
        said = [value for reading in readings if reading and (value := reading.get(slug)) is not None]
        assert said == sorted(said), slug


def _agrees_with_the_note(stream: bytes, plain: list[Checked]) -> None:
    """The decoder written from the notes alone reads the same, reason by reason."""
    expected = decode_by_the_note(Parity().feed(stream))
    if len(stream) >= MAX_FRAME or sum(len(frame["extra"]) for frame in expected) > MAX_EXTRA:
        return  # it has no limits
    if sum(r["reason"] == "unknown_label" for frame in expected for r in frame["refused"]) >= _UNKNOWN:
        return
    assert [_as_told(number, frame) for number, frame in enumerate(plain, start=1)] == expected


def _as_told(number: int, frame: Checked) -> dict[str, Any]:
    decoded = frame.decoded
    reading = decoded.reading
    return {
        "frame": number,
        "complete": reading is not None and reading.complete,
        "mode": reading.mode.value if reading else None,
        "meter": reading.meter_id if reading else None,
        "values": reading.to_json() if reading else {},
        "stamps": {slug: stamp.raw for slug, stamp in reading.stamps.items()} if reading else {},
        "extra": dict(reading.extra) if reading else {},
        "refused": [{"label": r.label, "raw": r.raw, "reason": r.reason.value} for r in decoded.refused],
    }
