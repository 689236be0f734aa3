"""What a program does that knows nothing of batches: parse, `save()`, acknowledge. One of the fleet's baselines."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


def main(about: dict[str, Any]) -> None:  # JSON
    """Until it is killed."""
    os.environ |= {
        "TICBRIDGE_STORAGE__DATABASE": about["url"],
        "TICBRIDGE_BRIDGE__STATE_DIR": about["folder"],
        "DJANGO_SETTINGS_MODULE": "storage.settings",
    }
    import django  # noqa: PLC0415  it reads what was just set

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  as above

    from bridge.envelope import Envelope  # noqa: PLC0415  as above
    from storage.columns import columns  # noqa: PLC0415  as above
    from storage.models import Data, Epoch, Meter  # noqa: PLC0415  as above

    call_command("migrate", verbosity=0)
    meter = Meter.objects.create(meter_id="all")
    epoch = Epoch.objects.create(meter=meter, uuid="11111111-2222-4333-8444-555555555555", handled=0, floor=1)
    seq = 0

    def save(_c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        nonlocal seq
        seq += 1
        envelope = Envelope.model_validate_json(message.payload)
        Data(meter=meter, epoch=epoch, seq=seq, **columns(envelope)).save()
        client.ack(message.mid, message.qos)

    client = paho.Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.on_message = save
    client.connect("127.0.0.1", about["port"])
    client.subscribe("linky/+/reading", 1)
    Path(about["ready"]).touch()
    client.loop_forever()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
