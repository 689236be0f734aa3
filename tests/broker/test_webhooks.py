"""The store as a process: it tells what it learned, and a silent target holds up neither it nor its end."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.broker.conftest import Broker, Ear, Run
from tests.broker.test_store import ACK, METER, config, handled, reading, until
from tests.storage.webhooks.receiver import Says, receiving

pytestmark = pytest.mark.broker

_MAKE = """
from storage.webhooks.models import Webhook
Webhook.objects.create(name="hook", url={url!r}, types=["storage.meter"], events=["created", "updated"])
"""
_RENAME = """
from storage.models import Meter
meter = Meter.objects.get()
meter.name = "Home"
meter.save()
"""


def test_a_meter_that_made_itself_known_is_told_and_a_silent_target_holds_up_nothing(
    broker: Broker, ear: Ear, run: Run, tmp_path: Path
) -> None:
    tree = {**config(broker, tmp_path / "db.sqlite3"), "webhooks": {"enabled": True, "private": True}}
    never = threading.Event()
    with receiving() as receiver:
        assert run(tree, "manage", "migrate", "--verbosity=0").wait() == 0
        assert run(tree, "manage", "shell", "-v0", "-c", _MAKE.format(url=receiver.url)).wait() == 0
        store = run(tree, "store")
        ear.wait_for_topic("linky/store/", "online")
        ear.publish(*reading(1))
        until(lambda: len(receiver.got) == 1)
        said = json.loads(receiver.got[0].body)
        assert (said["meta"]["status"], said["data"]["meter_id"]) == ("created", METER)
        receiver.says = [Says(hold=never)]
        assert run(tree, "manage", "shell", "-v0", "-c", _RENAME).wait() == 0
        until(lambda: len(receiver.got) == 2)
        ear.publish(*reading(2))
        ear.wait_for(ACK, handled(2))
        assert store.stop() == 0
        never.set()
