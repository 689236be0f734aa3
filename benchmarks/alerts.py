"""What events and alerts cost a store beside storing: processor time over that of `ingest`, on an SQLite file.

`python -m benchmarks alerts` prints the rows.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any, Final

from benchmarks.table import Row

_FULL: Final = 500  # readings of a batch that is full
_LIVE: Final = 9  # of one that came within ten seconds
_BATCHES: Final = 30
_TURNS: Final = 3
_APART: Final = 0.2  # seconds; all of them within the hour that counts as news


def rows() -> list[Row]:
    """Measure, on a file of its own."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-bench-") as folder:
        _open(Path(folder))
        return _measured()


def _open(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "storage.settings",
        "TICBRIDGE_BRIDGE__STATE_DIR": str(folder),
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{folder}/db.sqlite3",
    }
    import django  # noqa: PLC0415  settings first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def _measured() -> list[Row]:
    from storage.alerts.models import AlertRule  # noqa: PLC0415  after setup

    found = []
    for rules, bar, aim in ((0, 0.25, 0.1), (10, 0.5, 0.25)):
        for n in range(AlertRule.objects.count(), rules):
            AlertRule.objects.create(name=f"rule {n}", field="sinsts", operator=">", value=str(9_000 + n), duration=60)
        for size in (_FULL, _LIVE):
            stored, watched = _seconds(size)
            each = watched / (size * _BATCHES) * 1e6
            called = f"events and {rules} rules over storing, batches of {size}"
            limit = (bar, aim) if size == _FULL else (4 * bar, 4 * aim)  # a transaction more, for nine readings
            found.append(Row(called, *limit, watched / stored, "x", note=f"{each:.0f} us a reading"))
    return found


def _seconds(size: int) -> tuple[float, float]:
    """Processor time of storing some batches, and of looking at them."""
    from bridge.topics import Topics  # noqa: PLC0415  after setup
    from storage.alerts.watching import Watcher  # noqa: PLC0415
    from storage.ingest import ingest  # noqa: PLC0415

    best = float("inf"), float("inf")
    for _ in range(_TURNS):
        stored = watched = 0.0
        watcher = Watcher()
        for batch in _batches(size):
            began = process_time()
            outcome = ingest(Topics(), batch)
            between = process_time()
            watcher.take(outcome.readings)
            stored += between - began
            watched += process_time() - between
        best = min(best[0], stored), min(best[1], watched)
    return best


def _batches(size: int) -> Iterator[list[Any]]:
    """Readings of a meter in mode standard that came just now, with what the bridge derives."""
    from uuid import uuid4  # noqa: PLC0415

    from bridge.envelope import Envelope, reading_message  # noqa: PLC0415
    from bridge.topics import Topics  # noqa: PLC0415
    from storage.ingest import Incoming  # noqa: PLC0415

    epoch, start = str(uuid4()), datetime.now(UTC) - timedelta(seconds=size * _BATCHES * _APART)
    derived = {"tariff_index": 1, "over_power": False, "breaker_seconds_to_trip": None, "breaker_margin": 4000,
               "power_used_percent": 30, "tempo_tomorrow": "bleu", "peak_notice": None}  # fmt: skip
    for batch in range(_BATCHES):
        messages = []
        for seq in range(batch * size + 1, (batch + 1) * size + 1):
            at = start + timedelta(seconds=seq * _APART)
            values = {"east": 1_000_000 + seq, "easf01": 500_000 + seq, "easf02": 500_000, "sinsts": 500 + seq % 900,
                      "irms1": 4, "urms1": 231}  # fmt: skip
            message = reading_message(
                Topics(),
                Envelope.model_validate(
                    {
                        "meter": "021861000001", "bridge": "pi", "epoch": epoch, "seq": seq, "floor": 1,
                        "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "tz": "Europe/Paris",
                        "mode": "standard", "values": values, "derived": derived,
                    }
                ),
            )  # fmt: skip
            messages.append(Incoming(message.topic, message.payload.encode()))
        yield messages
