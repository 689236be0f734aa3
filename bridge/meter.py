"""One meter: checked frames to messages. Everything a frame causes on the broker is decided here; no I/O, no clock."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from typing import Final

from bridge.body import Body
from bridge.clock import ReadingClock, Told
from bridge.config import MeterSettings, PublishSettings
from bridge.derived import Derived, Said
from bridge.derived.quality import LineQuality
from bridge.events import Events
from bridge.guard import Checked
from bridge.policy import Policy, Rule
from bridge.presence import Presence
from bridge.tic.catalogue import BY_SLUG, Mode, Quantity
from bridge.tic.errors import Reason
from bridge.tic.models import Reading
from bridge.tic.values import Value
from bridge.topics import (
    OFFLINE,
    ONLINE,
    Message,
    Topics,
    attributes,
    payload,
    write_ts,
)

SILENCE: Final = 30.0  # seconds without a valid frame before a meter is offline
_LABELS: Final = frozenset(row.label for row in BY_SLUG.values() if row.label is not None)
# They move with every frame: not worth a message each.
_HELD_BACK: Final = frozenset({"link_quality", "frames_per_minute", "last_frame", "refused_groups"})
_OF_THREE: Final = frozenset({"irms2", "urms2", "iinst2"})  # labels that only a three-phase meter sends


@dataclass(frozen=True, slots=True)
class Bridge:
    """Who sends: the parts of an envelope that are the same for all meters of a bridge."""

    id: str
    epoch: str  # a UUID, new at each start
    topics: Topics


@dataclass(slots=True)
class Counts:
    """What happened to frames and groups since the start."""

    frames: int = 0  # cut out of the stream
    decoded: int = 0  # with at least one accepted value and a confirmed meter
    accepted: int = 0  # numbered and spooled: promised to the store
    refused: Counter[tuple[str, Reason]] = field(default_factory=Counter)  # groups, by label and reason
    unspooled: int = 0  # handed over too, but not on disk at that moment
    quality: int | None = None  # share of groups accepted in the last minute of frames, %
    clock: str = ""  # by which the last reading was dated


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a meter was seen to send: enough to describe it to Home Assistant."""

    meter: str
    name: str
    reading: Reading
    slugs: frozenset[str]
    phases: int = 1
    withheld: frozenset[str] = frozenset()  # announced once; its owner lets it out no more


@dataclass(frozen=True, slots=True)
class Known:
    """What a meter was seen to send before this start."""

    slugs: frozenset[str] = frozenset()
    phases: int = 1


class Meter:
    """One meter of the bridge. Used by its reader's thread alone; `renew` may be called by any."""

    def __init__(
        self,
        bridge: Bridge,
        settings: MeterSettings,
        publish: PublishSettings,
        interval: float,
        send: Callable[[Message], bool],
        announce: Callable[[Announcement], Iterator[Message]] = lambda _: iter(()),
        recall: Callable[[str], Known] = lambda _: Known(),
        accept: Callable[[str, int, float, str], bool] = lambda *_: True,
    ) -> None:
        self._bridge = bridge
        self._settings = settings
        self._publish = publish
        self._interval = interval
        self._send = send
        self._announce = announce
        self._recall = recall
        self._accept = accept
        self._clock = ReadingClock()
        self._policy = _policy(publish)
        self._presence = Presence()
        self._quality = LineQuality()
        self._derived = Derived(settings.zone, self._quality)
        self._events = Events()
        self._seen: dict[str, str] = {}  # by canonical slug: of labels that say the same, the one that was said last
        self._described: Set[str] = frozenset()  # labels of the frame that was looked at last for new ones
        self._told: Set[str] = frozenset()  # all that was known with it
        self._mute: Set[str] = frozenset()  # of these, what said nothing yet
        self._body = Body(personal=publish.personal)
        self._phases = 1
        self._mode: Mode | None = None
        self._meter: str | None = None
        self._reading: Reading | None = None  # the newest that tells who speaks, and in which mode
        self._online: bool | None = None
        self._last_valid = float("-inf")
        self._last_stored = float("-inf")
        self._seq = Counter[str]()  # by meter: each counts its own readings
        self._offer_all = True
        self._renew = False
        self.counts = Counts()

    @property
    def meter(self) -> str | None:
        """The meter's name on the broker, once it is sure."""
        return self._meter

    @property
    def is_online(self) -> bool:
        """Whether valid frames come."""
        return self._online is True

    def renew(self) -> None:
        """Send everything again at the next turn: the broker, or Home Assistant, may have lost it."""
        self._renew = True

    def take(self, frame: Checked) -> None:
        """Publish what a frame says."""
        self.counts.frames += 1
        self.counts.refused.update((_counted(refused.label), refused.reason) for refused in frame.decoded.refused)
        self._quality.add(frame)
        reading = frame.decoded.reading
        if reading is None or frame.meter is None:
            self._offer_all = True  # what this frame changed must not be forgotten
            return
        self.counts.decoded += 1
        now = frame.at.monotonic
        if frame.meter != self._meter:
            self._begin(frame.meter)
        self._last_valid = now
        if self._reading is None or reading.meter_id is not None or reading.mode is not self._reading.mode:
            self._reading = reading
        gone = dict.fromkeys(self._presence.gone(frame.decoded))
        said = self._derived.take(frame, gone)
        if self._mode not in (None, reading.mode):
            self._leave_mode()
        self._describe(frame, said)
        self._say_status(online=True)
        self._body.update(reading, None if self._offer_all else frame.decoded.changed, said.values, said.changed)
        told = self._clock.tell(frame.at, reading.stamps.get("date"))
        self.counts.clock = told.clock
        quality = said.values.get("link_quality")
        self.counts.quality = quality if isinstance(quality, int) else None
        self._fields(frame, said, gone, told)
        for event in self._events.take(frame, said.values, gone):
            topic = self._bridge.topics.meter(frame.meter, "event")
            text = json.dumps({"event_type": event.kind, **event.attributes})
            self._send(Message(topic, text, retain=False, qos=1))
        self._store(frame, gone, told)

    def tick(self, now: float) -> None:
        """What time alone brings about: silence, delayed values, heartbeats, a renewal that was asked for."""
        if self._meter is None:
            return
        if self._online and now - self._last_valid >= SILENCE:
            self._say_status(online=False)
        if self._renew:
            self._renew = False
            self._renewal(now)
            return
        self._due(now)

    def gone(self) -> None:
        """The source broke or the bridge stops."""
        if self._online:
            self._say_status(online=False)

    def status(self) -> Message | None:
        """The message that takes the meter off line, for a clean stop."""
        return self._status_message(online=False) if self._meter is not None else None

    # --- the parts of `take` ---------------------------------------------------------------------

    def _begin(self, meter: str) -> None:
        """Another meter speaks now, or the first one."""
        self.gone()
        self._meter = meter
        self._policy = _policy(self._publish)
        self._derived = Derived(self._settings.zone, self._quality)
        self._clock = ReadingClock()
        known = self._recall(meter)
        self._presence = Presence(known.slugs)
        self._seen = {BY_SLUG[slug].canonical: slug for slug in known.slugs if slug in BY_SLUG}
        self._phases = known.phases
        self._mode = None  # announced with the first frame, and whole
        self._reading = None
        self._online = None
        self._offer_all = True

    def _leave_mode(self) -> None:
        """What waits is said before the other mode speaks, or an index would seem to fall; none of it is repeated."""
        for leaf, text in self._policy.waiting():
            self._send(self._field_message(leaf, text))
        self._policy = _policy(self._publish)
        self._offer_all = True

    def _describe(self, frame: Checked, derived: Said) -> None:
        """Announce the meter again when it says something for the first time, or in another mode."""
        reading = frame.decoded.reading
        assert reading is not None, "checked by take"
        if (
            not self._offer_all
            and reading.model_fields_set == self._described
            and reading.mode is self._mode
            and self._mute.isdisjoint(frame.decoded.changed)
            and derived.changed <= self._told
        ):
            return  # nearly always
        said = {slug for slug, _ in reading.values()} | _HELD_BACK
        said |= {slug for slug, value in derived.values.items() if value is not None}
        # An index that never counted is not worth an entity; once it does, it is.
        self._mute = {slug for slug in said if not _says_something(slug, reading)}
        self._described, self._told = reading.model_fields_set, said
        slugs = {
            BY_SLUG[slug].canonical: slug
            for slug in said
            if self._may_leave(slug) and (BY_SLUG[slug].canonical in self._seen or slug not in self._mute)
        }
        # Whatever the owner lets out: a short frame, or one that lost a group, never takes a phase away.
        phases = 1 if _OF_THREE.isdisjoint(said) else 3
        if slugs.items() <= self._seen.items() and reading.mode is self._mode and phases <= self._phases:
            return
        self._phases = max(phases, self._phases)
        self._seen |= slugs
        self._mode = reading.mode
        for message in self._announcement():
            self._send(message)

    def _announcement(self) -> Iterator[Message]:
        assert self._meter is not None, "a meter is announced once it is sure"
        assert self._reading is not None, "and once it said something"
        seen = frozenset(self._seen.values())
        slugs = frozenset(filter(self._may_leave, seen))
        said = Announcement(self._meter, self._settings.name, self._reading, slugs, self._phases, seen - slugs)
        yield from self._announce(said)
        yield from self._withdrawn(said.withheld)

    def _withdrawn(self, withheld: frozenset[str]) -> Iterator[Message]:
        """What takes the values from the broker that their owner lets out no more, in whichever mode they were sent."""
        assert self._meter is not None, "as above"
        if not withheld:
            return
        # Not of those alone: an index that is always 0 was published and never announced.
        for row in (row for row in BY_SLUG.values() if not self._may_leave(row.slug)):
            for leaf in (row.slug, f"{row.slug}/attributes"):
                yield Message(self._bridge.topics.meter(self._meter, leaf), "", retain=True, qos=1)

    def _say_status(self, *, online: bool) -> None:
        if self._online != online:
            self._online = online
            self._send(self._status_message(online=online))

    def _status_message(self, *, online: bool) -> Message:
        assert self._meter is not None, "a meter has a status once it is sure"
        return Message(self._bridge.topics.meter(self._meter, "status"), ONLINE if online else OFFLINE, qos=1)

    def _fields(self, frame: Checked, said: Said, gone: dict[str, None], told: Told) -> None:
        reading, now = frame.decoded.reading, frame.at.monotonic
        assert reading is not None, "checked by take"
        changed = reading.model_fields_set if self._offer_all else frame.decoded.changed
        derived = said.values if self._offer_all else said.changed
        self._offer_all = False
        for slug in changed:
            if slug in BY_SLUG and self._may_leave(slug):
                self._offer(slug, reading.get(slug), now)
                stamp = reading.stamps.get(slug)
                if stamp is not None and BY_SLUG[slug].quantity is not Quantity.INSTANT:
                    canonical, text = BY_SLUG[slug].canonical, json.dumps(attributes(stamp))
                    self._offer_text(f"{slug}/attributes", canonical, text, None, now)
        for slug in derived:
            self._offer(slug, said.values[slug], now)
            if slug in said.attributes and self._may_leave(slug):
                text = json.dumps(said.attributes[slug])
                self._offer_text(f"{slug}/attributes", BY_SLUG[slug].canonical, text, None, now)
        for slug in gone:
            self._offer(slug, None, now)
        # Of the line, and in no reading message: `ts` says the one, no row is made of the other.
        at = None if told.clock == "unsure" else told.ts.replace(microsecond=0)
        self._offer("last_frame", at, now)
        self._offer("refused_groups", self.counts.refused.total(), now)
        self._due(now)

    def _may_leave(self, slug: str) -> bool:
        """Whether the owner lets this field out as a topic of its own."""
        row = BY_SLUG.get(slug)
        if row is None or (row.personal and not self._publish.personal):
            return False
        return self._publish.fields == "all" or row.canonical in self._publish.fields

    def _offer(self, slug: str, value: Value, now: float) -> None:
        if self._may_leave(slug):
            number = float(value) if isinstance(value, int | float) else None
            self._offer_text(slug, BY_SLUG[slug].canonical, payload(value), number, now)

    def _offer_text(self, leaf: str, canonical: str, text: str, number: float | None, now: float) -> None:
        if self._policy.offer(leaf, canonical, text, number, now):
            self._send(self._field_message(leaf, text))

    def _due(self, now: float) -> None:
        for leaf, text in self._policy.due(now):
            self._send(self._field_message(leaf, text))

    def _field_message(self, leaf: str, text: str) -> Message:
        assert self._meter is not None, "fields are published once the meter is sure"
        topic = self._bridge.topics.meter(self._meter, leaf)
        return Message(topic, text, retain=self._publish.retain, qos=self._publish.qos)

    def _renewal(self, now: float) -> None:
        for message in self._announcement():
            self._send(message)
        self._send(self._status_message(online=bool(self._online)))
        for leaf, text in self._policy.everything(now):
            self._send(self._field_message(leaf, text))

    def _store(self, frame: Checked, gone: dict[str, None], told: Told) -> None:
        if frame.at.monotonic - self._last_stored < self._interval:
            return
        self._last_stored = frame.at.monotonic
        reading = frame.decoded.reading
        assert reading is not None, "checked by take"
        assert frame.meter is not None, "checked by take"
        self._seq[frame.meter] += 1
        head: dict[str, str | int] = {
            "v": 1,
            "meter": frame.meter,
            "bridge": self._bridge.id,
            "epoch": self._bridge.epoch,
            "seq": self._seq[frame.meter],
            "ts": write_ts(told.ts),
            "clock": told.clock,
            "tz": self._settings.timezone,
            "mode": reading.mode.value,
        }
        body = self._body.write(head, gone)
        if self._accept(frame.meter, self._seq[frame.meter], frame.at.monotonic, body):
            self.counts.accepted += 1
        else:
            self.counts.unspooled += 1


def _policy(settings: PublishSettings) -> Policy:
    default = Rule(settings.min_interval, settings.heartbeat)
    rules = {}
    for slug in {*settings.jump, *settings.overrides, *_HELD_BACK}:
        own = settings.overrides.get(slug)
        slow = 60.0 if slug in _HELD_BACK else settings.min_interval
        rules[slug] = Rule(
            min_interval=slow if own is None or own.min_interval is None else own.min_interval,
            heartbeat=settings.heartbeat if own is None or own.heartbeat is None else own.heartbeat,
            jump=settings.jump.get(slug) if own is None or own.jump is None else own.jump,
        )
    return Policy(default, rules)


def _counted(label: str) -> str:
    """The label to count a refusal by: noise makes up new ones for ever, which are all counted as one."""
    return label if label in _LABELS else ""


def _says_something(slug: str, reading: Reading) -> bool:
    """False for a supplier or distributor index that has always been 0."""
    row = BY_SLUG[slug]
    counts = row.quantity in (Quantity.ENERGY, Quantity.REACTIVE_ENERGY)
    return not (counts and slug.startswith("eas") and slug != "east" and not reading.get(slug))
