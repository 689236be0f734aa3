"""Which hours are to be rolled up again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage.dirty import mark, mark_all, milliseconds
from storage.models import Dirty, Meter
from tests.storage.test_ingest import envelope, store

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)


def marks() -> list[tuple[str, int, int, int]]:
    rows = Dirty.objects.order_by("meter", "hour").values_list("meter__meter_id", "hour", "first", "last")
    return [
        (meter, (hour - TEN) // timedelta(hours=1), first - milliseconds(TEN), last - milliseconds(TEN))
        for meter, hour, first, last in rows
    ]


def test_a_batch_marks_the_hours_that_it_touches() -> None:
    store(envelope(1), envelope(2, ts="2026-11-21T10:59:59.999Z"), envelope(3, ts="2026-11-21T11:00:00.000Z"))
    assert marks() == [("021861000001", 0, 250, 3_599_999), ("021861000001", 1, 3_600_000, 3_600_000)]


def test_what_comes_twice_marks_nothing() -> None:
    store(envelope(1))
    Dirty.objects.all().delete()
    store(envelope(1))
    assert marks() == []


def test_two_bridges_at_one_meter_mark_one_hour() -> None:
    store(envelope(1), envelope(1, epoch="99999999-2222-4333-8444-555555555555", ts="2026-11-21T10:30:00.000Z"))
    assert marks() == [("021861000001", 0, 250, 1_800_000)]


def test_a_mark_grows_to_both_sides() -> None:
    meter = Meter.objects.create(meter_id="m")
    for minutes in (30, 40, 20, 35):
        mark({meter.pk: [TEN + timedelta(minutes=minutes)]})
    assert marks() == [("m", 0, 20 * 60_000, 40 * 60_000)]


def test_every_hour_with_readings_can_be_marked() -> None:
    store(envelope(1), envelope(2, ts="2026-11-21T10:59:59.999Z"), envelope(3, ts="2026-11-21T14:00:00.000Z"))
    wanted = marks()
    Dirty.objects.all().delete()
    assert mark_all(Meter.objects.get().pk) == 2
    assert marks() == wanted == [("021861000001", 0, 250, 3_599_999), ("021861000001", 4, 4 * 3_600_000, 4 * 3_600_000)]
