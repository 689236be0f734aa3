"""Readings a second into PostgreSQL, from the message's bytes to the commit, and what COPY gains.

`python -m benchmarks.database` alone prints its rows. The server is durable, as an owner's is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from time import perf_counter
from typing import Final

import pytest

from benchmarks.store import bodies
from benchmarks.table import Row
from bridge.topics import Topics, sent_again
from tests.postgresql import PostgreSQL

_TOPICS: Final = Topics()
_READINGS: Final = 10_000
_WHAT: Final = "ingest() into PostgreSQL, one worker, batches of"


def rows() -> list[Row]:
    """Measure."""
    try:
        server = PostgreSQL(durable=True)
    except pytest.skip.Exception as lacking:
        return [Row(f"{_WHAT} 500", 7000, 15_000, None, "readings/s", lower=False, note=str(lacking))]
    try:
        with tempfile.TemporaryDirectory() as folder:
            _open(server.url, folder)
            return _measure()
    finally:
        server.close()


def _open(url: str, folder: str) -> None:
    os.environ |= {
        "TICBRIDGE_STORAGE__DATABASE": url,
        "TICBRIDGE_BRIDGE__STATE_DIR": folder,
        "DJANGO_SETTINGS_MODULE": "storage.settings",
    }
    import django  # noqa: PLC0415  it reads what was just set

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def _measure() -> list[Row]:
    from django.db import connection, transaction  # noqa: PLC0415  as above

    from bridge.envelope import read_envelope  # noqa: PLC0415
    from storage import writer  # noqa: PLC0415
    from storage.columns import columns  # noqa: PLC0415
    from storage.ingest import Incoming, ingest  # noqa: PLC0415
    from storage.models import Epoch, Meter  # noqa: PLC0415

    sent = [sent_again(_TOPICS, meter, body, 1, 1, replay=False) for meter, body in bodies(_READINGS)]
    messages = [Incoming(message.topic, message.payload.encode()) for message in sent]
    envelopes = [read_envelope(_TOPICS, message.topic, message.body) for message in messages]

    def speed(size: int, action: Callable[[int, int], int]) -> float:
        """Readings a second of the fastest of three runs into empty tables."""
        best = float("inf")
        for _ in range(3):
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE storage_meter CASCADE")
            began = perf_counter()
            stored = sum(action(start, start + size) for start in range(0, len(messages), size))
            best = min(best, perf_counter() - began)
            assert stored == len(messages)
        return len(messages) / best

    def whole(start: int, end: int) -> int:
        return ingest(_TOPICS, messages[start:end]).stored

    def written_by(insert: Callable[[list[writer.Row]], list[writer.Key]]) -> Callable[[int, int], int]:
        def write(start: int, end: int) -> int:
            meter, _ = Meter.objects.get_or_create(meter_id="bench")
            about = {"bridge": "bench", "handled": 0, "floor": 1}
            epoch, _ = Epoch.objects.get_or_create(meter=meter, uuid=envelopes[0].epoch, defaults=about)
            head = {"meter": meter.pk, "epoch": epoch.pk}
            with transaction.atomic():
                return len(insert([{**head, "seq": e.seq, **columns(e)} for e in envelopes[start:end]]))

        return write

    found = [
        Row(f"{_WHAT} {size}", 7000, 15_000, speed(size, whole), "readings/s", lower=False) for size in (500, 5000)
    ]
    found += [
        Row(f"COPY against statements of many rows, readings/s, batches of {size}", 3, 6,
            speed(size, written_by(writer._copy)) / speed(size, written_by(writer._insert)), "x", lower=False)
        for size in (500, 5000)
    ]  # fmt: skip
    connection.close()
    return found


if __name__ == "__main__":
    for row in rows():
        print(row)  # noqa: T201  a tool's output
