"""The bridge as a process: what a frame costs it, how much memory it takes, how soon it speaks.

A real mosquitto, pseudo-terminals for ports, and a listener that answers as a store does.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.frames import PERIOD, standard
from benchmarks.processes import Program, broker, until
from benchmarks.table import Row
from bridge.outlets import PseudoTerminal
from bridge.topics import Topics, Watermark, watermark_message

_CHUNK: Final = 0.016  # seconds: what a USB adapter collects before it hands over
_TOPICS: Final = Topics()


@dataclass
class Listener:
    """Counts what is published, and acknowledges readings once a second, as a store does."""

    port: int
    counts: dict[str, int] = field(default_factory=dict)  # by the last level of the topic
    arrived: dict[int, float] = field(default_factory=dict)  # when each seq came
    marks: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", self.port)
        self._client.subscribe("linky/#", qos=1)
        self._client.publish(_TOPICS.store("bench", "status"), "online", qos=1, retain=True)
        self._client.loop_start()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._acknowledge, daemon=True)
        self._thread.start()

    def _hear(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        leaf = message.topic.rpartition("/")[2]
        self.counts[leaf] = self.counts.get(leaf, 0) + 1
        if leaf == "reading":
            body = json.loads(message.payload)
            self.arrived[body["seq"]] = time.monotonic()
            key = body["meter"], body["epoch"]
            self.marks[key] = max(self.marks.get(key, 0), body["seq"])

    def _acknowledge(self) -> None:
        while not self._stopping.wait(1.0):
            for (meter, epoch), seq in list(self.marks.items()):
                message = watermark_message(_TOPICS, meter, Watermark(epoch=epoch, seq=seq, batch_seconds=1.0))
                self._client.publish(message.topic, message.payload, qos=1, retain=True)

    @property
    def readings(self) -> int:
        """How many came."""
        return self.counts.get("reading", 0)

    @property
    def fields(self) -> int:
        """Messages of single fields."""
        others = ("reading", "ack", "status", "info", "event")
        return sum(number for leaf, number in self.counts.items() if leaf not in others)

    def close(self) -> None:
        """Disconnect."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()


def _bridge(port: int, sources: Sequence[str], ids: Sequence[str | None] = (None,)) -> Program:
    meters = [
        {"source": source, "mode": "standard", **({"id": name} if name else {})}
        for source, name in zip(sources, ids, strict=True)
    ]
    return Program("bridge", port, meters=meters)


def _write(port: PseudoTerminal, frame: bytes, pause: float) -> None:
    """At the line's pace when `pause` is given, else as fast as it is read."""
    if not pause:
        _write_all(port, frame)
        return
    size = max(1, round(len(frame) * _CHUNK / pause))
    began = time.monotonic()
    for number, start in enumerate(range(0, len(frame), size), start=1):
        time.sleep(max(0.0, began + number * _CHUNK - time.monotonic()))
        _write_all(port, frame[start : start + size])


def _write_all(port: PseudoTerminal, data: bytes) -> None:
    while data:
        select.select([], [port.master], [])
        data = data[os.write(port.master, data) :]


@contextmanager
def _running(number: int = 1, *, named: bool = False) -> Iterator[tuple[Program, Listener, list[PseudoTerminal]]]:
    with broker() as port:
        listener, ports = Listener(port), [PseudoTerminal() for _ in range(number)]
        names = [f"meter{n}" if named else None for n in range(number)]
        bridge = _bridge(port, [terminal.name for terminal in ports], names)
        try:
            until(lambda: listener.counts.get("info", 0) > 0)
            yield bridge, listener, ports
        finally:
            bridge.close()
            listener.close()
            for terminal in ports:
                terminal.close()


def _paced(bridge: Program, ports: list[PseudoTerminal], frames: Iterable[bytes], rate: float, seconds: float) -> float:
    """Processor seconds that the bridge takes while each port gets `rate` frames a second."""
    source = cycle(frames)
    ends = time.monotonic() + seconds
    began = bridge.cpu()
    due = time.monotonic()
    while due < ends:
        frame = next(source)
        for port in ports:
            _write_all(port, frame)
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
    return bridge.cpu() - began


def processor() -> list[Row]:
    """What frames cost."""
    frames = list(standard(2000))
    with _running() as (bridge, _, ports):
        _paced(bridge, ports, frames, 20, 5)
        each = _paced(bridge, ports, frames, 20, 30) / (20 * 30)
    with _running() as (bridge, listener, ports):
        for frame in frames[:4]:
            _write(ports[0], frame, PERIOD)
        counts, began, cpu = listener.fields, time.monotonic(), bridge.cpu()
        readings = listener.readings
        latency = []
        for frame in frames[4:60]:
            _write(ports[0], frame, PERIOD * 0.9)
            written, seq = time.monotonic(), listener.readings + 1
            until(lambda: listener.readings >= seq)  # noqa: B023  called at once
            latency.append(listener.arrived[max(listener.arrived)] - written)
            time.sleep(max(0.0, PERIOD * 0.1))
        share = (bridge.cpu() - cpu) / (time.monotonic() - began)
        messages = (listener.fields - counts) / (listener.readings - readings)
    return [
        Row("bridge at 20 frames/s on a pty, processor time per frame", 1, 0.5, each * 1000, "ms"),
        Row("bridge at the line's pace, share of a core", 0.6, 0.3, share * 100, "%"),
        Row("ETX to publish, 99th percentile", 150, 30, statistics.quantiles(latency, n=100)[98] * 1000, "ms"),
        Row("field messages per standard frame at the default policy", 6, 4, messages, "messages"),
    ]


def start() -> list[Row]:
    """From the command to the first message of a field, back-to-back frames on the line."""
    times = []
    frames = list(standard(400))
    for _ in range(3):
        with broker() as number:
            listener, port = Listener(number), PseudoTerminal()
            stopping = threading.Event()

            def feed(port: PseudoTerminal = port, stopping: threading.Event = stopping) -> None:
                for frame in cycle(frames):
                    if stopping.is_set():
                        return
                    port.write(frame)
                    time.sleep(0.005)

            feeder = threading.Thread(target=feed, daemon=True)
            feeder.start()
            bridge = _bridge(number, [port.name], ["home"])
            until(lambda: listener.fields)  # noqa: B023  called at once
            times.append(time.monotonic() - bridge.began)
            stopping.set()
            feeder.join()
            bridge.close()
            listener.close()
            port.close()
    return [Row("start to the first field on the broker, id configured", 0.6, 0.45, min(times), "s")]


def memory(first: int = 10_000, more: int = 100_000) -> list[Row]:
    """What it takes after many frames, and what more of them add."""
    frames = list(standard(2000))
    source = cycle(frames)
    with _running() as (bridge, listener, ports):
        after = []
        for number in (first, more):
            wanted = listener.readings + number - 10
            for count in range(number):
                _write_all(ports[0], next(source))
                if count % 50 == 0:
                    until(lambda: count - (listener.readings - wanted + number - 10) < 200)  # noqa: B023  at once
            until(lambda: listener.readings >= wanted - 50)  # noqa: B023  called at once
            time.sleep(2.5)
            after.append(bridge.memory())
    return [
        Row(f"bridge, resident memory after {first} frames", 42, 38, after[0], "MB"),
        Row(f"growth over the next {more}", 1, 0, after[1] - after[0], "MB"),
    ]


def many(number: int = 50) -> list[Row]:
    """One meter against many in one bridge."""
    frames = list(standard(2000))
    costs, sizes = [], []
    for count in (1, number):
        with _running(count, named=True) as (bridge, _, ports):
            rate = 20 if count == 1 else 1 / PERIOD
            _paced(bridge, ports, frames, rate, 8)
            costs.append(_paced(bridge, ports, frames, rate, 30) / (rate * 30 * count))
            sizes.append(bridge.memory())
    return [
        Row(f"1 to {number} meters in one bridge: processor time per frame", 10, 0,
            (costs[1] / costs[0] - 1) * 100, "% more", note=f"({costs[0] * 1000:.2f}, {costs[1] * 1000:.2f} ms)"),
        Row("memory for each further meter", 100, 50, (sizes[1] - sizes[0]) * 1000 / (number - 1), "kB"),
    ]  # fmt: skip


def rows() -> list[Row]:
    """Measure."""
    return [*processor(), *memory(), *start(), *many()]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for row in globals()[name]():
            print(row)  # noqa: T201  a tool's output
