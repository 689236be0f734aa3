"""The store as a process: readings a second from the broker into SQLite, with acknowledgements, and what each costs.

And a recorded file straight into SQLite.

`python -m benchmarks.store` alone prints its rows; with `backfill`, those of the file only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.frames import PERIOD, standard
from benchmarks.processes import Program, broker, until
from benchmarks.table import Row
from bridge.config import MeterSettings, PublishSettings
from bridge.guard import Moment
from bridge.line import Line
from bridge.meter import Bridge, Meter
from bridge.topics import Message, Topics, Watermark, read_watermark, sent_again
from ticbridge.commands.processes import ticbridge

_TOPICS: Final = Topics()
_EPOCH: Final = "11111111-2222-4333-8444-555555555555"
_READINGS: Final = 20_000
_FEW: Final = 1000
_WINDOW: Final = 1000  # readings that the store has not handled yet


def bodies(number: int) -> Iterator[tuple[str, str]]:
    """(meter, body) of readings as a bridge spools them."""
    made: list[tuple[str, str]] = []

    def accept(meter: str, _seq: int, _at: float, body: str) -> bool:
        made.append((meter, body))
        return True

    def send(_: Message) -> bool:
        return True

    meter = Meter(Bridge("bench", _EPOCH, _TOPICS), MeterSettings(), PublishSettings(), 0.0, send, accept=accept)
    line = Line()
    now = datetime.now(UTC)
    for n, frame in enumerate(standard(number + 1)):
        at = Moment(now + timedelta(seconds=n * PERIOD), n * PERIOD)
        for checked in line.feed(frame, at):
            meter.take(checked)
        yield from made
        made.clear()


def live() -> list[Row]:
    """Readings that a bridge would send, as fast as the store hands back its watermark."""
    messages = [sent_again(_TOPICS, meter, body, 1, 1, replay=False) for meter, body in bodies(_READINGS)]
    with broker() as port:
        store = Program("store", port)
        try:
            return _feed(port, store, messages)
        finally:
            store.close()


def _feed(port: int, store: Program, messages: list[Message]) -> list[Row]:
    handled, online = [0], [False]

    def hear(_c: object, _u: object, message: paho.MQTTMessage) -> None:
        mark: tuple[str, Watermark] | None = read_watermark(_TOPICS, message.topic, bytes(message.payload))
        if mark is not None:
            handled[0] = max(handled[0], mark[1].seq)
        online[0] |= message.payload == b"online"

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = hear
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", port)
    client.subscribe([("linky/+/reading/ack", 1), ("linky/store/+/status", 1)])
    client.loop_start()
    until(lambda: online[0])
    sent = 0

    def push(end: int) -> None:
        nonlocal sent
        while sent < end:
            if sent - handled[0] >= _WINDOW:
                time.sleep(0.002)
                continue
            client.publish(messages[sent].topic, messages[sent].payload, qos=1)
            sent += 1

    push(2 * _WINDOW)
    until(lambda: handled[0] >= 2 * _WINDOW - 500)
    cpu, began, first = store.cpu(), time.monotonic(), handled[0]
    push(len(messages))
    until(lambda: handled[0] >= len(messages))
    seconds, used, number = time.monotonic() - began, store.cpu() - cpu, handled[0] - first
    client.disconnect()
    client.loop_stop()
    return [
        Row("store, live readings/s into SQLite with acknowledgements, batches of 500", 500, 2000, number / seconds,
            "readings/s", lower=False),
        Row("store, processor time per reading", 1, 0.35, used / number * 1000, "ms"),
    ]  # fmt: skip


def backfill() -> list[Row]:
    """A recorded file of mode standard into SQLite by `capture_tic`, less what a short one takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(
            json.dumps(
                {
                    "bridge": {"state_dir": str(folder / "state")},
                    "storage": {"database": f"sqlite:///{folder}/db.sqlite3"},
                    "log": {"level": "warning"},
                }
            )
        )
        for number in (_FEW, _READINGS):
            (folder / f"{number}.tic").write_bytes(b"".join(standard(number, seed=number)))
        _capture(folder, _FEW)  # migrates
        (few, few_used), (many, many_used) = _capture(folder, _FEW), _capture(folder, _READINGS)
    number = _READINGS - _FEW
    return [
        Row("store, readings/s of a recorded file into SQLite, validated", 3000, 10_000, number / (many - few),
            "readings/s", lower=False, note=f"{(many_used - few_used) / number * 1000:.2f} ms of processor time each"),
    ]  # fmt: skip


def _capture(folder: Path, number: int) -> tuple[float, float]:
    """Seconds that a file takes, and of these on a processor."""
    before, began = os.times(), time.monotonic()
    command = ticbridge("manage", config=folder / "config.yaml")
    command += ["capture_tic", "--port", str(folder / f"{number}.tic")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  our own program
    used = os.times()
    return (
        time.monotonic() - began,
        used.children_user + used.children_system - before.children_user - before.children_system,
    )


def rows() -> list[Row]:
    """Measure."""
    return [*live(), *backfill()]


if __name__ == "__main__":
    for row in backfill() if "backfill" in sys.argv else rows():
        print(row)  # noqa: T201  a tool's output
