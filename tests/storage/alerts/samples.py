"""Rules, readings and a store's own way of taking them, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.envelope import Envelope, reading_message
from bridge.topics import Topics
from storage.alerts.models import Alert, AlertRule, Delivery
from storage.alerts.watching import Watcher
from storage.events import Event
from storage.ingest import Incoming, ingest

METER = "021861000001"
NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
TOPICS = Topics()


def rule(name: str = "too much", **parts: Any) -> AlertRule:
    """A rule that the form would let through: above 8000 VA, told by MQTT, unless `parts` say otherwise."""
    parts = {"field": "sinsts", "operator": ">", "value": "8000"} | parts if "kind" not in parts else parts
    made = AlertRule(name=name, **parts)
    made.full_clean()
    made.save()
    return made


@dataclass
class House:
    """A meter, its store's clock, and what was told."""

    meter: str = METER
    now: datetime = NOON
    seq: int = 0
    told: list[Event] = field(default_factory=list)

    def hear(self, *, event: Event, **_: object) -> None:
        """A receiver of `occurred`."""
        self.told.append(event)

    def say(
        self, after: float = 2.0, sinsts: int | None = None, *, late: float = 0.0, values: Any = None,
        derived: Any = None, replay: bool = False,
    ) -> Incoming:  # fmt: skip
        """A reading, taken `after` seconds after the last one was, and `late` seconds before now."""
        self.now += timedelta(seconds=after)
        self.seq += 1
        drawn = {} if sinsts is None else {"sinsts": sinsts}
        at = (self.now - timedelta(seconds=late)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        envelope = Envelope.model_validate(
            {
                "meter": self.meter, "bridge": "pi", "epoch": "11111111-2222-4333-8444-555555555555",
                "seq": self.seq, "floor": 1, "ts": at, "tz": "Europe/Paris", "mode": "standard", "replay": replay,
                "values": {**drawn, **(values or {})}, "derived": derived or {},
            }
        )  # fmt: skip
        message = reading_message(TOPICS, envelope)
        return Incoming(message.topic, message.payload.encode())

    def take(self, *messages: Incoming) -> None:
        """As a store does, which was just started."""
        Watcher(now=lambda: self.now).take(ingest(TOPICS, messages).readings)

    def draw(self, *powers: int, every: float = 2.0) -> None:
        """One batch for each reading."""
        for power in powers:
            self.take(self.say(every, power))

    def kinds(self) -> list[str]:
        """What was told, in words."""
        return [str(event.kind) for event in self.told]


def alerts() -> list[tuple[str, Any, Any]]:
    """(state, newest value, furthest value) of each, oldest first."""
    return list(Alert.objects.order_by("pk").values_list("state", "value", "peak"))


def deliveries(**wanted: Any) -> Iterable[tuple[str, str, Any, str]]:
    """(change, channel, value, state) of each, oldest first."""
    rows = Delivery.objects.filter(**wanted).order_by("pk")
    return list(rows.values_list("change", "channel", "value", "state"))
