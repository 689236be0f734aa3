"""Broker to `ingest`: collects a batch, commits it, and only then acknowledges."""

from __future__ import annotations

import json
import logging
import queue
import signal
import threading
import uuid
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from bridge.config import Settings
from bridge.mqtt import Link, Received, Session
from bridge.topics import OFFLINE, ONLINE, Message, Topics, Watermark, watermark_message
from bridge.watchdog import Pulse, Watchdog
from storage.batch import Writer, collect
from storage.ingest import Incoming, Mark, Stored
from storage.models import Store
from storage.publishing import Confirmed
from storage.selection import Selection
from storage.watermarks import Telling

log = logging.getLogger("ticbridge.store")

_SESSION: Final = 7 * 24 * 3600  # seconds that the broker keeps readings for a store that is away
_ECHO: Final = 5.0  # seconds in which the broker should send us our own status


class Subscriber:
    """One store process: a turn collects a batch and hands it to the database.

    `share` is the group of a shared subscription (MQTT 5), whose workers write to one database. An observer stores and
    tells nobody: the readings of a base topic are released by one database only. `on_stored` gets the readings that a
    batch brought, once they are stored and acknowledged.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        share: str | None = None,
        observer: bool = False,
        on_stored: Callable[[Sequence[Stored]], None] = lambda _: None,
    ) -> None:
        self._topics = Topics(settings.mqtt.base_topic)
        self._batch = settings.storage.batch
        self._inbox: queue.SimpleQueue[Received] = queue.SimpleQueue()  # bounded by the session's receive_maximum
        self._stopping = threading.Event()
        self._is_observer = observer
        self._id = Store.objects.get_or_create(pk=1)[0].store_id
        self._status = self._topics.store(self._id, "status")
        self._online, self._offline = Message(self._status, ONLINE, qos=1), Message(self._status, OFFLINE, qos=1)
        self._heard = threading.Event()  # our own status: all that was retained came before it
        self._others: set[str] = set()  # stores of other databases that are on line
        self._is_second = False
        self._on_stored = on_stored
        self._confirmed = Confirmed()
        self._pulse = Pulse("storing")
        self._telling = Telling(
            self._batch.seconds,
            lambda mark: self._link.send(self._watermark(mark)),
            lambda mark: self.publish(self._watermark(mark)),
            is_shared=share is not None,
        )
        self._writer = Writer(self._topics, self._stopping, Selection.of(settings.storage), pulse=self._pulse)
        readings = self._topics.meter("+", "reading")
        name = f"ticbridge-{'observer' if observer else 'store'}-{self._id}"
        self._link = Link(
            settings.mqtt,
            name if share is None else f"{name}-{uuid.uuid4().hex[:8]}",
            will=None if observer else self._offline,
            subscriptions=[
                *([] if observer else [(self._topics.store("+", "status"), 1)]),
                (readings if share is None else f"$share/{share}/{readings}", 1),
            ],
            # What a worker of a group leaves behind the others get, or the bridge sends it again.
            session=Session(_SESSION if share is None else 0, min(65_535, 2 * self._batch.rows), manual_ack=True),
            on_ready=self._on_ready,
            on_message=self._on_message,
            on_published=self._confirmed.confirm,
        )

    def run(self, on_stop: Callable[[str], None] = lambda _: None, pulses: Sequence[Pulse] = ()) -> int:
        """Run until SIGINT or SIGTERM; 0, or 1 when the link to the broker died or another store is there.

        `pulses` are those of whatever else the watchdog shall look at.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self._link.start()
        with Watchdog(lambda: (self._pulse, *self._link.pulses, *pulses), self.status):
            code = self._turn_until_stopped()
        self._stopping.set()
        if not self._is_second:
            self._flush()
            self._telling.tell(everything=True)
        self._link.stop([] if self._is_observer else [self._offline])
        on_stop(self.summary())
        return code

    def _turn_until_stopped(self) -> int:
        while not self._stopping.is_set():
            self._pulse.beat()
            if self._is_first():
                self.turn()
            elif self._is_second:
                return 1
            if not self._link.alive:
                log.error("The thread that talks to the broker died; stopping so that the service manager restarts us")
                return 1
        return 0

    def is_behind(self) -> bool:
        """Whether more readings wait than one batch takes."""
        return self._inbox.qsize() >= self._batch.rows

    def status(self) -> str:
        """What it does now, in words."""
        broker = "connected" if self._link.connected else "not connected"
        trouble = ", the database cannot be written" if self._writer.in_trouble else ""
        return f"{self._writer.total.stored} readings stored, broker {broker}{trouble}"

    def turn(self) -> None:
        """Collect a batch, as long as it takes; write, then acknowledge."""
        batch = collect(self._inbox, self._batch, self._is_over)
        if batch:
            self._handle(batch)

    def _is_over(self) -> bool:
        """Asked several times a second while a batch is collected."""
        self._pulse.beat()
        self._telling.tell()
        return self._stopping.is_set() or not self._link.alive

    def publish(self, message: Message) -> bool:
        """Send a message of QoS 1, on any thread but the broker's; whether the broker confirmed it."""
        return self._confirmed.send(self._link.post, message)

    def summary(self) -> str:
        """What was stored since the start, as one line of JSON."""
        total = self._writer.total
        return json.dumps(
            {
                "stored": total.stored,
                "duplicates": total.duplicates,
                "mismatched": total.mismatched,
                "dead": total.dead,
                "lacking": total.lacking,
            }
        )

    # --- the broker ------------------------------------------------------------------------------

    def _on_ready(self) -> None:
        if not self._is_observer:
            self._link.send(self._online)

    def _on_message(self, received: Received) -> None:
        if (store := self._topics.store_of(received.topic)) is None:
            self._inbox.put(received)
            return
        is_online = received.payload == ONLINE.encode()
        if store != self._id:
            if is_online and not self._heard.is_set():
                self._others.add(store)
        elif is_online:
            self._heard.set()
        elif not self._stopping.is_set():
            self._link.send(self._online)  # a worker of ours stopped, or we did before
        self._link.ack(received)

    def _is_first(self) -> bool:
        """Whether no other database acknowledges readings here; found out once, before the first is."""
        if self._is_observer or self._heard.is_set():
            if self._others:
                topics = ", ".join(self._topics.store(other, "status") for other in sorted(self._others))
                log.error(
                    "Another store acknowledges the readings of this broker (%s): stop it, or start this one with "
                    "--observer; if it is gone for good, delete that retained topic", topics
                )  # fmt: skip
                self._is_second = True
                return False
            return True
        if not self._heard.wait(_ECHO) and self._link.connected:
            log.warning(
                "The broker does not let us read %s: whether another store is there cannot be told", self._status
            )
            self._heard.set()
        return False

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    # --- the database ----------------------------------------------------------------------------

    def _handle(self, batch: list[Received]) -> None:
        outcome = self._writer.write([Incoming(r.topic, r.payload) for r in batch])
        if outcome is None:
            return
        for received in batch:
            self._link.ack(received)
        if not self._is_observer:
            self._telling.note(outcome.marks)
            self._telling.tell()
        self._on_stored(outcome.readings)

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
