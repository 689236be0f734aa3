"""Several workers of one PostgreSQL: what one does for a meter no other does meanwhile, nor waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction

from bridge.config import KeepSettings
from storage.models import Data, Dirty, Rollup
from storage.retention import purge
from storage.rollups import roll_up
from storage.tariffs.daily import reckon
from storage.tariffs.models import DayCost, DirtyDays
from storage.turns import alone
from tests.storage.test_rollups import EPOCH0, TEN, add, new_meter, steady

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
LATER = EPOCH0 + timedelta(milliseconds=TEN, days=2)


@contextmanager
def another_worker_at(meter: int) -> Iterator[None]:
    """Another connection that looks after a meter."""
    began, done = threading.Event(), threading.Event()

    def work() -> None:
        with transaction.atomic():
            assert alone(meter)
            began.set()
            done.wait(60)
        connection.close()

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        try:
            assert began.wait(60)
            yield
        finally:
            done.set()
        working.result()


def marked() -> set[int]:
    return {mark.meter_id for mark in Dirty.objects.all()}


def test_meters_that_another_worker_looks_after_are_passed_by() -> None:
    theirs, ours = new_meter(), new_meter()
    for epoch in (theirs, ours):
        add(epoch, steady(TEN, 3600))
    with another_worker_at(theirs.meter_id):
        assert sum(roll_up()) == 1
        assert marked() == {theirs.meter_id}
        assert sum(reckon()) == 1
        assert {mark.meter_id for mark in DirtyDays.objects.all()} <= {theirs.meter_id}
        assert sum(purge(KeepSettings(raw="1d", minute="1d"), LATER)) > 0
        assert (kept(theirs.meter_id), kept(ours.meter_id)) == (360, 2)
    assert sum(roll_up()) == 1
    assert marked() == set()


def kept(meter: int) -> int:
    return Data.objects.filter(meter=meter).count()


def test_workers_at_once_come_to_what_one_comes_to() -> None:
    for _ in range(6):
        add(new_meter(), steady(TEN, 2 * 3600))

    def work(_: int) -> int:
        try:
            return sum(roll_up()) + 0 * sum(reckon())
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        hours = sum(workers.map(work, range(3)))
    assert (hours, marked()) == (12, set())
    assert Rollup.objects.filter(step=Rollup.Step.HOUR).count() == 12
    days = DayCost.objects.values_list("meter", "day", "direction", "period")
    assert len(days) == len(set(days))
