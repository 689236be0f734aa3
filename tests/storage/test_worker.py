"""What the store does beside storing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from bridge.config import KeepSettings, StorageSettings
from storage.budget import Room
from storage.models import Data, Dirty, Rollup
from storage.worker import Worker
from tests.storage.test_rollups import EPOCH0, TEN, add, new_meter, steady

NOW = EPOCH0 + timedelta(milliseconds=TEN, hours=1)


class Clock:
    """Both clocks, in seconds after `NOW`."""

    at = 0.0

    def __call__(self) -> float:
        return self.at

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worker(clock: Clock) -> Worker:
    return Worker(StorageSettings(keep=KeepSettings(raw="1d")), clock=clock, now=clock.now)


@pytest.mark.django_db
def test_a_turn_rolls_up_and_lets_go_of_what_is_old(clock: Clock) -> None:
    add(new_meter(), steady(TEN, 3600))
    one = worker(clock)
    one.turn()
    assert (Dirty.objects.count(), Rollup.objects.count(), Data.objects.count()) == (0, 62, 360)
    clock.at += 86_400
    one.turn()
    assert Data.objects.count() == 2


@pytest.mark.django_db
def test_a_stop_ends_after_one_transaction(clock: Clock) -> None:
    add(new_meter(), steady(TEN, 30 * 3600, every=60))
    one = worker(clock)
    one.stop_soon()
    one.turn()
    assert 0 < Dirty.objects.count() < 30


@pytest.mark.django_db
def test_a_database_that_is_away_is_said_once_and_tried_again(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("no route")

    add(new_meter(), steady(TEN, 600))
    one = worker(clock)
    with monkeypatch.context() as patch:
        patch.setattr("storage.worker.roll_up", away)
        patch.setattr("storage.worker.connection.close", lambda: None)  # it holds this test's transaction
        one.turn()
        one.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "The database cannot be rolled up (no route); trying again until it can"
    ]
    one.turn()
    assert not Dirty.objects.exists()


@pytest.mark.django_db
def test_what_nobody_thought_of_is_logged_and_the_next_turn_comes(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("storage.worker.roll_up", breaks)
    monkeypatch.setattr("storage.worker.connection.close", lambda: None)
    worker(clock).turn()
    assert "Rolling up failed" in caplog.text


@pytest.mark.django_db
def test_a_budget_that_is_nearly_used_up_is_said_once_a_day(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.worker.measure", lambda budget: Room(budget, budget, None))
    one = worker(clock)
    for _ in range(30):
        one.turn()
        clock.at += 3600
    assert len([record for record in caplog.records if "storage.budget" in record.getMessage()]) == 2
