"""One visit to the broker: what it tells us, and what becomes of what we send. Nothing stays behind."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from bridge.config import ConfigError, Settings
from bridge.mqtt import Fault, Link, Received, Trouble
from bridge.topics import Message, Topics
from storage.operations.fleet import Bridge, Fleet

_CONNECT: Final = 4.0  # seconds to be let in
_ANSWERS: Final = 2.5  # for it to acknowledge what we send
_ECHOES: Final = 0.7  # and then for what we sent to come back
_REFUSED: Final = 128  # MQTT 5 reason codes from here on


@dataclass(slots=True)
class Trial:
    """A topic of ours that nobody reads: what became of a message to it."""

    topic: str
    payload: str
    written: bool | None = None  # None: this broker does not say
    echoed: bool = False


class Visit:
    """The broker as our login sees it. `trouble` says why it cannot be seen."""

    def __init__(self, settings: Settings) -> None:
        topics, ha = Topics(settings.mqtt.base_topic), settings.homeassistant
        self._settings = settings
        self._name = f"check-{secrets.token_hex(4)}"
        self._news = threading.Condition()
        self._mids: dict[int, Trial] = {}
        self._reasons: dict[int, int] = {}
        self.fleet = Fleet(topics)
        self.retained: dict[str, bytes] = {}
        known = settings.meters[0].id or self._name
        self.values = Trial(topics.meter(known, "check"), self._name)
        self.store = Trial(topics.store(self._name, "status"), self._name)
        # An empty payload: discovery that never was is taken back, which means nothing to anybody.
        self.discovery = Trial(f"{ha.discovery_prefix}/device/linky_{self._name}/config", "") if ha.enabled else None
        self._trials = [trial for trial in (self.values, self.store, self.discovery) if trial is not None]
        self._link: Link | None = None
        self._trouble: Trouble | None = None
        try:
            self._link = self._made(settings)
        except ConfigError as error:  # a secret or a certificate that cannot be read
            self._trouble = Trouble(Fault.OURS, str(error))
        else:
            self._look(self._link)

    def _made(self, settings: Settings) -> Link:
        ha = settings.homeassistant
        return Link(
            settings.mqtt,
            f"ticbridge-{self._name}",
            subscriptions=[
                *self.fleet.subscriptions,
                *([(f"{ha.discovery_prefix}/device/+/config", 0), (ha.status_topic, 0)] if ha.enabled else []),
                (self.values.topic, 1),
            ],
            on_message=self._hear,
            on_published=self._published,
            on_ready=self._wake,
        )

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self._settings.mqtt.host}:{self._settings.mqtt.port}"

    @property
    def trouble(self) -> Trouble | None:
        """Why there is no connection."""
        if self._link is None or self._link.connected:
            return self._trouble
        return self._link.trouble or Trouble(Fault.SILENT, f"The broker {self.where} does not answer")

    @property
    def tells_refusals(self) -> bool:
        """Whether the broker says what it refuses."""
        return self._link is not None and self._link.tells_refusals

    @property
    def heard_anything(self) -> bool:
        """Whether any message reached us, of whomever."""
        return bool(self.retained or self.fleet.bridges() or self.fleet.stores() or any(t.echoed for t in self._trials))

    @property
    def bridge(self) -> Bridge:
        """What the bridge of this configuration says of itself."""
        return self.fleet.bridges().get(self._settings.bridge.id, Bridge())

    def close(self) -> None:
        """Leave. Nobody waits for a link that is still trying: it may be in a connect that takes its time."""
        if self._link is not None and self._link.connected:
            self._link.stop()
        elif self._link is not None:
            threading.Thread(target=self._link.stop, daemon=True).start()

    def _look(self, link: Link) -> None:
        link.start()
        # What is refused at once would be refused again; another version of MQTT says nothing of the first.
        self._wait(lambda: link.connected or link.trouble is not None, _CONNECT)
        self.fleet.connected = link.connected
        if not link.connected:
            return
        for trial in self._trials:
            mid = link.post(Message(trial.topic, trial.payload, retain=False, qos=1))
            if mid is not None:
                self._mids[mid] = trial
        self._wait(lambda: self._mids.keys() <= self._reasons.keys(), _ANSWERS)
        self._wait(lambda: all(trial.echoed for trial in self._trials), _ECHOES)
        for mid, trial in self._mids.items():
            reason = self._reasons.get(mid)
            if trial.echoed:
                trial.written = True
            elif reason is not None and self.tells_refusals:
                trial.written = reason < _REFUSED

    def _wait(self, ready: Callable[[], bool], seconds: float) -> None:
        until = monotonic() + seconds
        with self._news:
            while not ready() and (left := until - monotonic()) > 0:
                self._news.wait(min(left, 0.1))

    # --- paho's thread ---------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _published(self, mid: int, reason: int) -> None:
        with self._news:
            self._reasons[mid] = reason
            self._news.notify_all()

    def _hear(self, received: Received) -> None:
        with self._news:
            for trial in self._trials:
                trial.echoed |= received.topic == trial.topic and received.payload == trial.payload.encode()
            if received.retain and not self.fleet.hear(received.topic, received.payload):
                self.retained[received.topic] = received.payload
            self._news.notify_all()
