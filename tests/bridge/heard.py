"""A meter of the bridge, the messages that it sends, and a clock that the test holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.config import MeterSettings, PublishSettings
from bridge.guard import Checked, Moment
from bridge.meter import Announcement, Bridge, Meter
from bridge.tic.decode import Decoded
from bridge.tic.models import Reading
from bridge.topics import Message, Topics
from tests.bridge.wire import METER

START = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
EPOCH = "00000000-0000-4000-8000-000000000001"
BRIDGE = Bridge("pi", EPOCH, Topics("linky"))
QUALITY = frozenset({"link_quality", "frames_per_minute", "last_frame", "refused_groups"})
LINE = ("last_frame", "refused_groups")  # with every first frame, and each minute: a test of its own hears them

# How a test reads a message: its topic below linky/<meter>/, or its topic whole, and its payload.
Said = tuple[str, str]


@dataclass
class Heard:
    """A meter, the messages that it sends, and a clock."""

    publish: PublishSettings = field(default_factory=lambda: PublishSettings(min_interval=0, heartbeat=80_000))
    interval: float = 0.0
    is_on_disk: bool = True
    now: float = 0.0
    accepted: list[tuple[str, int, float, str]] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = MeterSettings(source="-", name="Maison")
        self.meter = Meter(BRIDGE, settings, self.publish, self.interval, self.send, _announce, accept=self.accept)

    def send(self, message: Message) -> bool:
        self.sent.append(message)
        return True

    def accept(self, meter: str, seq: int, at: float, body: str) -> bool:
        self.accepted.append((meter, seq, at, body))
        return self.is_on_disk

    def take(self, reading: Reading | Decoded, *, after: float = 1.0, meter: str | None = METER) -> list[Said]:
        """A frame, `after` seconds after the last; what it made the meter send."""
        self.now += after
        self.meter.take(checked(reading, self.now, meter))
        return self.said()

    def tick(self, *, after: float = 0.0) -> list[Said]:
        self.now += after
        self.meter.tick(self.now)
        return self.said()

    def said(self) -> list[Said]:
        """What was sent since the last look: announcement and status in the order of time, then the fields."""
        messages, self.sent = self.sent, []
        said = [(message.topic.removeprefix(f"linky/{METER}/"), message.payload) for message in messages]
        said = [(topic, payload) for topic, payload in said if not topic.endswith(LINE)]
        first = [s for s in said if s[0].endswith(("announce", "status"))]
        return first + sorted(s for s in said if s not in first)


def checked(reading: Reading | Decoded, now: float, meter: str | None = METER) -> Checked:
    """A frame that was received at `now`; of a reading everything changed, as a decoder without memory says it."""
    if isinstance(reading, Reading):
        reading = Decoded(reading, (), frozenset(slug for slug, _ in reading.values()))
    return Checked(reading, meter, Moment(START + timedelta(seconds=now), now))


def _announce(said: Announcement) -> Iterator[Message]:
    text = f"{said.name} {said.reading.mode} {said.reading.meter_id}: {' '.join(sorted(said.slugs - QUALITY))}"
    yield Message("announce", text)
