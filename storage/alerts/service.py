"""Alerts in a process that stores: what hears of them, and the thread that sends their messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge.config import Settings
from bridge.topics import Message
from storage.alerts.checking import Checks
from storage.alerts.courier import Courier
from storage.alerts.deliveries import Outbox


@contextmanager
def alerting(settings: Settings, publish: Callable[[Message], bool] | None = None) -> Iterator[None]:
    """Meanwhile. Without `publish` there is no broker, and MQTT is not offered."""
    courier = Courier(settings, Checks(), publish)
    outbox = Outbox(mqtt=publish is not None, on_written=courier.wake)
    outbox.open()
    courier.start()
    try:
        yield
    finally:
        courier.stop()
        outbox.close()
