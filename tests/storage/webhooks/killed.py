"""A process of the store that is killed: `python killed.py change|send|again URL`.

`change` is killed when the change is committed and nothing is sent; `send` when the target has answered and nothing is
noted; `again` is the next start, later than any claim lasts.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from ticbridge.__main__ import open_rooms


def main(what: str, url: str) -> None:
    open_rooms()
    os.environ["DJANGO_SETTINGS_MODULE"] = "storage.settings"
    import django  # noqa: PLC0415  the rooms open first

    django.setup()
    from storage.models import Meter  # noqa: PLC0415  as above
    from storage.webhooks import courier  # noqa: PLC0415  as above
    from storage.webhooks.models import Webhook  # noqa: PLC0415  as above

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if what == "change":
        Webhook.objects.create(name="hook", url=url, types=["storage.meter"], events=["created"])
        Meter.objects.create(meter_id="042176000001")
        die()
    if what == "send":
        courier.__dict__["_note"] = die
    courier.Courier(lambda: datetime.now(UTC) + timedelta(minutes=5 if what == "again" else 0)).turn()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
