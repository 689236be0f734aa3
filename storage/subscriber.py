"""Broker to `ingest`: collects a batch, commits it, and only then acknowledges."""

from __future__ import annotations

import json
import logging
import queue
import signal
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Final

from django.db import DatabaseError, close_old_connections, connection

from bridge.config import Settings
from bridge.mqtt import Link, Received, Session
from bridge.topics import OFFLINE, ONLINE, Message, Topics, Watermark, watermark_message
from storage.ingest import Incoming, Mark, Outcome, ingest

log = logging.getLogger("ticbridge.store")

_SESSION: Final = 7 * 24 * 3600  # seconds that the broker keeps readings for a store that is away
_MAX_WAIT: Final = 30.0  # seconds between two tries to write


class Subscriber:
    """One store process: a turn collects a batch and hands it to the database."""

    def __init__(self, settings: Settings) -> None:
        self._topics = Topics(settings.mqtt.base_topic)
        self._batch = settings.storage.batch
        self._inbox: queue.Queue[Received] = queue.Queue()  # bounded by the session's receive_maximum
        self._stopping = threading.Event()
        status = self._topics.store(settings.bridge.id, "status")
        self._online, self._offline = Message(status, ONLINE, qos=1), Message(status, OFFLINE, qos=1)
        self._total = Outcome()
        self._link = Link(
            settings.mqtt,
            f"ticbridge-store-{settings.bridge.id}",
            will=self._offline,
            subscriptions=[(self._topics.meter("+", "reading"), 1)],
            session=Session(_SESSION, min(65_535, 2 * self._batch.rows), manual_ack=True),
            on_ready=self._on_ready,
            on_message=self._inbox.put,
        )

    def run(self, on_stop: Callable[[str], None] = lambda _: None) -> int:
        """Run until SIGINT or SIGTERM; 0, or 1 when the link to the broker died."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self._link.start()
        code = 0
        while not self._stopping.is_set():
            self.turn()
            if not self._link.alive:
                log.error("The thread that talks to the broker died; stopping so that the service manager restarts us")
                code = 1
                break
        self._flush()
        self._link.stop([self._offline])
        on_stop(self.summary())
        return code

    def turn(self) -> None:
        """Collect a batch, as long as it takes; write, then acknowledge."""
        batch = self._collect()
        if batch:
            self._handle(batch)

    def summary(self) -> str:
        """What was stored since the start, as one line of JSON."""
        total = self._total
        return json.dumps({"stored": total.stored, "duplicates": total.duplicates, "dead": total.dead})

    def _on_ready(self) -> None:
        self._link.send(self._online)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _collect(self) -> list[Received]:
        """The messages of one batch: full, or as old as a batch may become."""
        batch: list[Received] = []
        until = monotonic() + self._batch.seconds
        while len(batch) < self._batch.rows and not self._stopping.is_set():
            try:
                batch.append(self._inbox.get(timeout=min(0.2, max(0.0, until - monotonic()))))
            except queue.Empty:
                if not batch:
                    until = monotonic() + self._batch.seconds  # a batch is as old as its first message
                    if not self._link.alive:
                        break
                elif monotonic() >= until:
                    break
        return batch

    def _handle(self, batch: list[Received]) -> None:
        delay = 0.5
        while True:
            try:
                outcome = ingest(self._topics, [Incoming(r.topic, r.payload) for r in batch])
                break
            except DatabaseError as error:
                # Unacknowledged messages come back only after a reconnect, so what we have must be kept and tried.
                log.error("The database cannot be written (%s); trying again", error)
                connection.close()
                if self._stopping.wait(delay):
                    return
                delay = min(2 * delay, _MAX_WAIT)
        for received in batch:
            self._link.ack(received)
        for mark in outcome.marks:
            self._link.send(self._watermark(mark))
        self._total.stored += outcome.stored
        self._total.duplicates += outcome.duplicates
        self._total.dead += outcome.dead
        close_old_connections()

    def _watermark(self, mark: Mark) -> Message:
        water = Watermark(epoch=mark.epoch, seq=mark.handled, batch_seconds=self._batch.seconds)
        return watermark_message(self._topics, mark.meter, water)

    def _flush(self) -> None:
        """Write what arrived already; the rest comes again at the next start."""
        batch = []
        while not self._inbox.empty():
            batch.append(self._inbox.get_nowait())
        if batch:
            self._handle(batch)
