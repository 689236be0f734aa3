"""What alerts need beside the readings, in a thread of its own: rules that the clock decides, and messages that wait.

However long a mail server takes, no reading and no roll-up waits for it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import django.db
from django.db import connection

from bridge.config import ConfigError, Settings
from bridge.topics import Message, Topics
from storage.alerts.checking import Checks
from storage.alerts.deliveries import claim, due, note_failed, note_sent
from storage.alerts.errors import UndeliveredError
from storage.alerts.mail import send
from storage.alerts.models import Delivery
from storage.alerts.texts import mail_of

log = logging.getLogger("ticbridge.alerts")

EVERY: Final = 5.0  # seconds between two turns
_CHECK_EVERY: Final = 60.0
_NO_BROKER: Final = "The broker did not confirm it: is it there, may we publish on this topic?"


class Courier(threading.Thread):
    """Turns until stopped. `publish` says whether the broker confirmed a message; without it MQTT is left to others."""

    def __init__(
        self,
        settings: Settings,
        checks: Checks,
        publish: Callable[[Message], bool] | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(name="alerts", daemon=True)
        self._mail = settings.mail
        self._topics = Topics(settings.mqtt.base_topic)
        self._language = settings.homeassistant.language
        self._checks = checks
        self._publish = publish
        self._clock = clock
        self._now = now
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._check_due = clock()
        self._said = ""

    def stop(self) -> None:
        """Wait for it, as long as a stop may take; what is under way is sent again later."""
        self._stopping.set()
        self._news.set()
        self.join(2.0)

    def wake(self) -> None:
        """There is something to send."""
        self._news.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn()
            self._news.wait(EVERY)
            self._news.clear()
        connection.close()

    def turn(self) -> None:
        """Everything that is due; what nobody waits long for comes first."""
        for part in (self._check, self._send_by_mqtt, self._send_by_mail):
            if self._stopping.is_set():
                return
            try:
                part()
            except django.db.Error as error:
                self._say(f"Alerts cannot be read or written ({str(error).strip()}); trying again until they can")
                connection.close()
            except Exception:
                log.exception("A turn of alerts failed; trying again")
                connection.close()

    def _check(self) -> None:
        if self._clock() >= self._check_due:
            self._check_due = self._clock() + _CHECK_EVERY
            for _ in self._checks.run():
                if self._stopping.is_set():
                    return

    def _send_by_mqtt(self) -> None:
        if self._publish is not None:
            self._send(Delivery.Channel.MQTT, self._by_mqtt)

    def _send_by_mail(self) -> None:
        self._send(Delivery.Channel.MAIL, self._by_mail)

    def _send(self, channel: Delivery.Channel, by: Callable[[Delivery], None]) -> None:
        for delivery in due(channel, self._now()):
            if self._stopping.is_set() or not claim(delivery, self._now()):
                continue
            try:
                by(delivery)
            except (UndeliveredError, ConfigError) as error:
                is_final = isinstance(error, UndeliveredError) and error.is_final
                if note_failed(delivery, str(error), is_final=is_final):
                    log.error(
                        "The alert %s was not told by %s, and is given up: %s", delivery.alert.rule, channel, error
                    )
                else:
                    self._say(f"{error}; trying again")
                if not is_final:
                    return  # the server is at fault, not the message: the others wait for the next turn
            else:
                note_sent(delivery, self._now())
                self._said = ""

    def _by_mail(self, delivery: Delivery) -> None:
        send(self._mail, mail_of(delivery, self._language))

    def _by_mqtt(self, delivery: Delivery) -> None:
        assert self._publish is not None, "asked before"
        if not self._publish(message_of(delivery, self._topics)):
            raise UndeliveredError(_NO_BROKER)

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            log.warning("%s", sentence)


def message_of(delivery: Delivery, topics: Topics) -> Message:
    """`linky/<meter>/alert`."""
    alert = delivery.alert
    body = {
        "rule": alert.rule.name, "state": delivery.change, "value": delivery.value, "since": alert.since.isoformat(),
        "alert": str(alert.uuid),
    }  # fmt: skip
    return Message(
        topics.meter(alert.meter.meter_id, "alert"), json.dumps(body, ensure_ascii=False), retain=False, qos=1
    )
