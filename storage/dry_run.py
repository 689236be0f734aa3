"""`capture_tic --dry-run`: a line's frames as text; no database is opened and nothing is written anywhere."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Final

from bridge import printout
from bridge.config import BatchSettings, MeterSettings
from bridge.guard import Checked
from bridge.reader import Reader
from bridge.recording import is_recording, recorded_frames
from storage.batch import collect
from storage.capture import MOST, STOP_WAIT
from storage.order import Order

_ONE: Final = BatchSettings(rows=1)


class _Shown:
    """Takes frames to print them."""

    def __init__(self, frames: queue.Queue[Checked]) -> None:
        self.take = frames.put

    def tick(self, now: float, /) -> None:
        """Nothing waits for a time."""

    def gone(self) -> None:
        """The reader says it."""


def show(order: Order, write: Callable[[str], object]) -> int:
    """What would be read, frame by frame; nothing is written anywhere. 0, or 1 when there was nothing."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    shown = 0
    with closing(_frames(order.meter, over)) as frames:
        for shown, frame in enumerate(frames, start=1):
            write(printout.as_text(shown, frame))
            if over.is_set() or (order.once and frame.decoded.reading is not None):
                break
    return 0 if shown else 1


def _frames(meter: MeterSettings, over: threading.Event) -> Generator[Checked]:
    if is_recording(meter.source):
        yield from recorded_frames(Path(meter.source), meter)
        return
    inbox: queue.Queue[Checked] = queue.Queue(MOST)
    reader = Reader(meter, _Shown(inbox), over)
    reader.start()
    try:
        while not over.is_set() and (reader.is_alive() or not inbox.empty()):
            yield from collect(inbox, _ONE, lambda: over.is_set() or not (reader.is_alive() or not inbox.empty()))
    finally:
        over.set()
        reader.join(STOP_WAIT)
