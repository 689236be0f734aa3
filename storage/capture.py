"""A line straight to the database: what `ticbridge manage capture_tic` does, without a broker between.

Decoder, guard and numbering are the bridge's, the writer is the store's. Nothing is spooled: what is not written yet
when we are killed is lost, a batch at most. A recorded file has an epoch of its own and its frames keep their numbers,
so that it can be read again and again.
"""

from __future__ import annotations

import json
import logging
import queue
import signal
import threading
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from bridge.config import BatchSettings, PublishSettings, Settings
from bridge.memory import MemoryFile
from bridge.meter import Bridge, Meter
from bridge.reader import Reader
from bridge.recording import Dater, epoch_of, is_recording, recorded_frames
from bridge.source import SourceError
from bridge.tic.catalogue import Mode
from bridge.topics import Message, Topics, sent_again
from bridge.watchdog import Pulse, Watchdog
from storage.batch import WriteError, Writer, collect
from storage.ingest import Incoming, Stored
from storage.order import Order, banner
from storage.selection import Selection

log = logging.getLogger("ticbridge.capture")

MOST: Final = 1000  # readings that wait in memory: they are written within the seconds that stopping may take
_EVERY: Final = 100  # readings between two lines of progress
STOP_WAIT: Final = 2.0  # seconds until a port must be closed


class Capture:
    """One line, until it ends or we are told to stop."""

    def __init__(
        self, settings: Settings, order: Order, on_stored: Callable[[Sequence[Stored]], None] = lambda _: None
    ) -> None:
        self._on_stored = on_stored  # gets the readings that a batch brought, once they are committed
        self._order = order
        self._topics = Topics(settings.mqtt.base_topic)
        batch = settings.storage.batch
        self._limits = BatchSettings(rows=1 if order.once else min(batch.rows, MOST), seconds=batch.seconds)
        self._is_recorded = is_recording(order.meter.source)
        epoch = epoch_of(Path(order.meter.source)) if self._is_recorded else str(uuid.uuid4())
        self._meter = Meter(
            Bridge(settings.bridge.id, epoch, self._topics),
            order.meter,
            PublishSettings(fields=[], personal=settings.publish.personal),
            0.0 if self._is_recorded else order.interval,  # of a recording each frame keeps its number
            _nowhere,
            accept=self._accept,
        )
        self._inbox: queue.Queue[Incoming] = queue.Queue(MOST)
        self._last = float("-inf")
        self._memory = MemoryFile(settings.bridge.state_dir)
        self._stopping = threading.Event()  # by a signal
        self._over = threading.Event()  # no reading is wanted any more
        selection = Selection.of(settings.storage)
        self._pulse = Pulse("storing")
        self._writer = Writer(self._topics, self._stopping, selection, max_errors=order.max_errors, pulse=self._pulse)

    def run(self, on_stop: Callable[[str], None] = lambda _: None) -> int:
        """Run to the end; 0, or 1 when readings could not be written or there were none to read."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        log.info("%s", banner(self._order.meter))
        failure = ""
        try:
            with closing(self._recorded() if self._is_recorded else self._live()) as batches:
                for batch in batches:
                    if not self._write(batch):
                        failure = f"Stopped while the database could not be written: {len(batch)} readings are lost"
                        break
        except (WriteError, SourceError) as error:
            failure = str(error)
        if failure:
            log.error("%s", failure)
        on_stop(self.summary())
        return 1 if failure else 0

    def status(self) -> str:
        """What it does now, in words."""
        heard = "the meter speaks" if self._meter.is_online else "no meter heard"
        trouble = ", the database cannot be written" if self._writer.in_trouble else ""
        return f"{self._writer.total.stored} readings stored, {heard}{trouble}"

    def summary(self) -> str:
        """What was read and stored, as one line of JSON."""
        counts, total = self._meter.counts, self._writer.total
        return json.dumps(
            {
                "decoded": counts.decoded,
                "refused": counts.refused.total(),
                "stored": total.stored,
                "duplicates": total.duplicates,
                "mismatched": total.mismatched,
                "dead": total.dead,
                "lacking": total.lacking,
            }
        )

    def _stop(self, *_: object) -> None:
        self._stopping.set()
        self._over.set()

    # --- frames to batches -----------------------------------------------------------------------

    def _live(self) -> Generator[list[Incoming]]:
        """A line that speaks now is read by a thread: no byte waits for the database."""
        reader = Reader(self._order.meter, self._meter, self._over, memory=self._memory.memory)

        def is_over() -> bool:
            self._pulse.beat()  # asked several times a second while a batch is collected
            return self._over.is_set() or not reader.is_alive()

        reader.start()
        watchdog = Watchdog(lambda: (self._pulse, reader.pulse), self.status)
        watchdog.start()
        try:
            while not is_over():
                if batch := collect(self._inbox, self._limits, is_over):
                    yield batch
                self._memory.save()
        finally:
            watchdog.stop()
            self._over.set()
            reader.join(STOP_WAIT)
            self._memory.save()
        yield from self._rest()

    def _recorded(self) -> Generator[list[Incoming]]:
        """A file waits for us; its frames are dated by the meter, or by what the owner said."""
        source, undated = self._order.meter.source, 0
        dater = Dater(self._order.start)
        for frame in recorded_frames(Path(source), self._order.meter):
            if self._over.is_set():
                break
            dated = dater.date(frame)
            if dated is not None:
                self._meter.take(dated)
            elif (reading := frame.decoded.reading) is not None:
                undated += 1
                if reading.mode is Mode.HISTORIQUE:
                    break  # none of it tells
            if self._inbox.qsize() >= self._limits.rows:
                yield from self._rest()
        yield from self._rest()
        if self._meter.counts.decoded:
            if undated:
                log.warning("%d frames at the beginning of %s tell no time and are left out", undated, source)
        elif undated:
            raise SourceError(f"The frames of {source} tell no time: give --start, when the recording begins")
        elif not self._over.is_set():
            raise SourceError(f"There is no reading in {source}: is it the recording of a meter?")

    def _rest(self) -> Generator[list[Incoming]]:
        batch = []
        while not self._inbox.empty():
            batch.append(self._inbox.get_nowait())
        if batch:
            yield batch

    def _accept(self, meter: str, seq: int, at: float, body: str) -> bool:
        """Take a reading of the meter."""
        if self._is_recorded and 0 <= at - self._last < self._order.interval:
            return True
        self._last = at
        # Nobody could send again what is not here, so it is not missed: floor and since are its own number.
        message = sent_again(self._topics, meter, body, seq, seq, replay=self._is_recorded)
        while not self._over.is_set():
            try:
                self._inbox.put(Incoming(message.topic, message.payload.encode()), timeout=0.2)
            except queue.Full:
                continue
            if self._order.once:
                self._over.set()
            return True
        return False

    # --- batches to the database -----------------------------------------------------------------

    def _write(self, batch: list[Incoming]) -> bool:
        before = self._writer.total.stored
        if (outcome := self._writer.write(batch)) is None:
            return False
        self._on_stored(outcome.readings)
        if before // _EVERY != self._writer.total.stored // _EVERY:
            newest = json.loads(batch[-1].body)["ts"]
            log.info("%d readings stored, the last of %s: %s", self._writer.total.stored, newest, self.summary())
        return True


def _nowhere(_: Message) -> bool:
    """There is no broker."""
    return True
