"""A house whose events and alerts are heard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.alerts.deliveries import Outbox
from storage.events import Event, occurred
from tests.storage.alerts.samples import House


@pytest.fixture
def house() -> Iterator[House]:
    """With a client for MQTT."""
    made = House()
    outbox = Outbox(mqtt=True)
    outbox.open()
    occurred.connect(made.hear, Event)
    yield made
    occurred.disconnect(made.hear, Event)
    outbox.close()
