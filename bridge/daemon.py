"""The bridge process: one reader thread for each meter, one link to the broker, turns, signals, exit codes."""

from __future__ import annotations

import functools
import json
import logging
import random
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Final

from bridge import __version__
from bridge.announcer import Announcer
from bridge.config import MeterSettings, Settings
from bridge.detect import Cause
from bridge.handover import Handover
from bridge.memory import MemoryFile
from bridge.meter import Bridge, Meter
from bridge.mqtt import Link, Received
from bridge.reader import Reader
from bridge.spool import Spool
from bridge.tic.errors import Reason
from bridge.topics import OFFLINE, ONLINE, Message, Topics, read_watermark
from bridge.watchdog import Pulse, Watchdog

log = logging.getLogger("ticbridge.bridge")

SPOOL: Final = "spool.sqlite3"
_STATES: Final = (ONLINE.encode(), OFFLINE.encode())
_BIRTH: Final = "birth"  # when Home Assistant last said that it is there, on this broker
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_INFO_EVERY: Final = 60.0
_SENTENCE: Final = 1000  # characters of one that goes to the broker
_SETTLED: Final = 3.0  # after connecting: until then the broker sends what it retained
_BIRTH_DELAY: Final = (0.5, 3.0)  # so that many bridges do not answer Home Assistant at once


class Daemon:
    """Wires the parts of a bridge together and runs them until a signal."""

    def __init__(self, settings: Settings, *, on_stop: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._on_stop = on_stop
        self._topics = Topics(settings.mqtt.base_topic)
        self._bridge = Bridge(settings.bridge.id, str(uuid.uuid4()), self._topics)
        self._started = datetime.now(UTC)
        self._stopping = threading.Event()
        self._ready_at: float | None = None
        self._is_clear = False
        self._birth: threading.Timer | None = None
        self._is_news = False  # Home Assistant was heard, and nobody was told yet
        self._logged: dict[Reader[Meter], Counter[tuple[str, Reason]]] = {}
        boot = _boot()
        self._spool = Spool(
            settings.bridge.state_dir / SPOOL,
            settings.spool.durability,
            max_frames=settings.spool.max_frames,
            min_free_disk=settings.spool.min_free_disk,
            boot=boot,
        )
        status = self._topics.bridge(self._bridge.id, "status")
        self._online, self._offline = Message(status, ONLINE, qos=1), Message(status, OFFLINE, qos=1)
        self._announcer = Announcer(settings)
        births = [settings.homeassistant.status_topic] if settings.homeassistant.enabled else []
        self._link = Link(
            settings.mqtt,
            f"ticbridge-bridge-{self._bridge.id}",
            will=self._offline,
            subscriptions=[
                *((topic, 0) for topic in (*births, *self._announcer.filters)),
                (self._topics.store("+", "status"), 1),
            ],
            on_ready=self._on_connected,
            on_message=self._on_message,
            on_published=self._on_published,
            on_lost=self._on_lost,
        )
        self._handover = Handover(
            self._spool, self._topics, self._bridge.epoch, self._link.post, settings.spool.release, boot=boot
        )
        self._courier = threading.Thread(
            target=self._handover.run, args=(self._stopping,), name="hand-over", daemon=True
        )
        for meter in self._handover.meters():
            self._listen_for(meter)
        self._memory = MemoryFile(settings.bridge.state_dir)
        self._readers = [self._reader(n, meter) for n, meter in enumerate(settings.meters)]
        self._pulse = Pulse("main loop")
        self._watchdog = Watchdog(self._pulses, self.status)

    def run(self) -> int:
        """Run until SIGINT or SIGTERM; 0, or 1 when a part died that nothing can revive."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self._link.start()
        self._courier.start()
        for reader in self._readers:
            reader.start()
        with self._watchdog:
            code = self._turn_until_stopped()
        self._stopping.set()
        self._handover.stop()
        for thread in (*self._readers, self._courier):
            thread.join(1.0)
        self._memory.save()
        self._announcer.save()
        if self._birth is not None:
            self._birth.cancel()
        last = [status for reader in self._readers if (status := reader.meter.status()) is not None]
        self._link.stop([*last, self._offline])
        self._spool.close()
        self._on_stop(self.summary())
        return code

    def status(self) -> str:
        """What it does now, in words."""
        heard = sum(reader.meter.is_online for reader in self._readers)
        total = len(self._readers)
        meters = f"{total} {'meter' if total == 1 else 'meters'}"
        broker = "connected" if self._link.connected else "not connected"
        return f"{meters if heard == total else f'{heard} of {meters}'}, spool {self._spool.depth}, broker {broker}"

    def _pulses(self) -> Iterator[Pulse]:
        yield self._pulse
        yield self._handover.pulse
        yield from self._link.pulses
        yield from (reader.pulse for reader in self._readers)

    def summary(self) -> str:
        """What was read, as one line of JSON."""
        counts = [reader.meter.counts for reader in self._readers]
        return json.dumps(
            {
                "decoded": sum(c.decoded for c in counts),
                "accepted": sum(c.accepted for c in counts),
                "refused": sum(sum(c.refused.values()) for c in counts),
                "waiting": self._spool.depth,
                "lost": self._spool.dropped,
            }
        )

    def _turn_until_stopped(self) -> int:
        due = monotonic()
        said: list[tuple[bool, str | None, str, Cause | None]] = []
        self._pulse.beat()
        while not self._stopping.wait(1.0):
            self._pulse.beat()
            if not self._link.alive:
                log.error("The thread that talks to the broker died; stopping so that the service manager restarts us")
                return 1
            threads = [*(reader for reader in self._readers if not reader.ended), self._courier]
            dead = next((thread for thread in threads if not thread.is_alive()), None)
            if dead is not None:
                log.error("The thread %s died; stopping so that the service manager restarts us", dead.name)
                return 1
            self._clear_outdated()
            self._announcer.save()
            state = [(reader.source_ok, reader.meter.meter, reader.trouble, reader.cause) for reader in self._readers]
            if monotonic() >= due:
                due = monotonic() + _INFO_EVERY
                self._memory.save()
                self._log_damage()
                self._send_info()
            elif state != said or self._is_news:
                self._is_news = False
                self._send_info()
            said = state
        return 0

    def _log_damage(self) -> None:
        """One line a minute when groups were refused, and none otherwise."""
        for reader in self._readers:
            counts = reader.meter.counts
            new = counts.refused - self._logged.get(reader, Counter())
            self._logged[reader] = counts.refused.copy()
            if new:
                reasons = Counter[str]()
                for (_, reason), number in new.items():
                    reasons[reason.value] += number
                text = ", ".join(f"{number} by {reason}" for reason, number in reasons.most_common())
                log.warning("%s: %d groups refused in the last minute (%s)", reader.name, new.total(), text)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _reader(self, number: int, settings: MeterSettings) -> Reader[Meter]:
        meter = Meter(self._bridge, settings, self._settings.publish, self._settings.reading.interval,
                      self._link.send, functools.partial(self._announcer.announce, number),
                      self._announcer.recall, self._accept)  # fmt: skip
        return Reader(settings, meter, self._stopping, memory=self._memory.memory)

    def _accept(self, meter: str, seq: int, at: float, body: str) -> bool:
        if seq == 1:
            self._listen_for(meter)
        return self._handover.accept(meter, seq, at, body)

    # --- broker ----------------------------------------------------------------------------------

    def _listen_for(self, meter: str) -> None:
        """Hear how far the store is with this meter's readings."""
        self._link.subscribe(self._topics.meter(meter, "reading/ack"), 1)

    def _on_published(self, mid: int, reason: int) -> None:
        self._handover.on_published(mid, reason)

    def _on_lost(self) -> None:
        self._handover.on_disconnected()

    def _on_connected(self) -> None:
        self._on_ready()  # what is true now, before what was true meanwhile
        self._handover.on_connected()

    def _on_ready(self) -> None:
        self._ready_at = monotonic()
        self._link.send(self._online)
        for message in self._announcer.bridge():
            self._link.send(message)
        self._send_info()
        for reader in self._readers:
            reader.meter.renew()

    def _on_message(self, received: Received) -> None:
        if (mark := read_watermark(self._topics, received.topic, received.payload)) is not None:
            self._handover.on_watermark(*mark)
            return
        if (store := self._topics.store_of(received.topic)) is not None:
            if received.payload in _STATES:
                self._handover.on_store(store, online=received.payload == ONLINE.encode())
            return
        if received.topic != self._settings.homeassistant.status_topic:
            if received.retain:
                self._announcer.hear(received.topic, received.payload)
            return
        if received.payload == ONLINE.encode():
            self._spool.remember(_BIRTH, datetime.now(UTC).isoformat(timespec="seconds"))
            self._is_news = True
        # Home Assistant's birth: it may have lost everything that was not retained.
        if received.payload == ONLINE.encode() and not received.retain:
            self._birth = threading.Timer(random.uniform(*_BIRTH_DELAY), self._on_ready)  # noqa: S311  spreads load
            self._birth.daemon = True
            self._birth.start()

    def _clear_outdated(self) -> None:
        """Once, when all meters have spoken: only then is it known which of those announced are gone."""
        meters = [reader.meter.meter for reader in self._readers]
        if self._is_clear or self._ready_at is None or monotonic() - self._ready_at < _SETTLED:
            return
        if self._announcer.settle():
            for reader in self._readers:
                reader.meter.renew()
        if None in meters:
            return
        self._is_clear = True
        for message in self._announcer.outdated(meter for meter in meters if meter is not None):
            log.info("Clearing %s: this bridge announces it no more", message.topic)
            self._link.send(message)

    def _send_info(self) -> None:
        info = {
            "version": __version__,
            "started": self._started.isoformat(timespec="seconds"),
            "meters": [_meter_info(reader) for reader in self._readers],
            "spool": {
                "depth": self._spool.depth,
                "dropped": self._spool.dropped,
                "unspooled": sum(reader.meter.counts.unspooled for reader in self._readers),
                "trouble": self._spool.trouble,
            },
            "birth": self._spool.recall(_BIRTH),
        }
        self._link.send(Message(self._topics.bridge(self._bridge.id, "info"), json.dumps(info)))


def _boot() -> str:
    """Which start of the machine this is: the monotonic clock counts from there."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _meter_info(reader: Reader[Meter]) -> dict[str, object]:
    counts = reader.meter.counts
    by_reason: dict[Reason, int] = {}
    for (_, reason), number in counts.refused.items():
        by_reason[reason] = by_reason.get(reason, 0) + number
    return {
        "meter": reader.meter.meter,
        "source": reader.source,
        "source_open": reader.source_ok,
        "trouble": reader.trouble[:_SENTENCE],
        "cause": reader.cause.name.lower() if reader.cause else "",
        "frames": counts.frames,
        "decoded": counts.decoded,
        "accepted": counts.accepted,
        "unspooled": counts.unspooled,
        "refused": by_reason,
        "online": reader.meter.is_online,
        "link_quality": counts.quality,
        "clock": counts.clock,
    }
