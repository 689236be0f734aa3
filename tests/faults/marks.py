"""The watermarks of a broker, as a bridge hears them: those that fall, and how far each stream came."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bridge.topics import Topics, read_watermark
from tests.faults.ledger import Execute, Name, read_database

_TOPICS = Topics()


@dataclass
class Marks:
    """Listens to `reading/ack` while it is open. The last level of a `Name` is how far its epoch is handled."""

    port: int
    heard: int = 0
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    fallen: list[tuple[Name, int]] = field(default_factory=list)  # the mark, and what it was before

    def __enter__(self) -> Self:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", self.port)
        self._client.subscribe("linky/+/reading/ack", 1)
        self._client.loop_start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        found = read_watermark(_TOPICS, message.topic, bytes(message.payload))
        assert found is not None, message.payload
        meter, mark = found
        before = self.newest.get((meter, mark.epoch), 0)
        self.heard += 1
        self.newest[meter, mark.epoch] = max(before, mark.seq)
        if mark.seq < before:
            self.fallen.append((Name(meter, mark.epoch, mark.seq), before))

    def untrue(self, execute: Execute) -> list[Name]:
        """Marks that promise more than the database has: a number at or below them that is nowhere in it."""
        stored = read_database(execute)
        there = {name for name, _ in stored.rows} | stored.gaps | {name for name, _ in stored.dead if name is not None}
        return [
            Name(meter, epoch, seq)
            for (meter, epoch), mark in self.newest.items()
            for seq in range(1, mark + 1)
            if Name(meter, epoch, seq) not in there
        ]
