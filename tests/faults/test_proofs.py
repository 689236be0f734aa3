"""The suite proves itself: each of three defects, made by the wrapper or in the database, must be seen."""

from __future__ import annotations

import signal

import pytest

from tests.faults.house import House

pytestmark = [pytest.mark.faults, pytest.mark.broker]


def test_without_a_spool_readings_are_missed(house: House) -> None:
    house.is_proof = True
    house.bridge.tampering["break"] = "spool"
    house.start()
    house.store_some()
    house.store.end(signal.SIGKILL)
    house.accept(30)
    house.broker.end(signal.SIGKILL)
    house.broker.start()
    house.store.start()
    verdict = house.settle(15)
    assert house.wrong(verdict)
    assert verdict.stored < verdict.accepted
    assert not verdict.duplicates


def test_with_an_acknowledgement_before_the_commit_readings_are_missed(house: House) -> None:
    house.is_proof = True
    house.store.tampering["break"] = "order"
    house.start(store=False)
    house.crash(house.store, "received, not committed", 3)
    verdict = house.settle()
    assert house.wrong(verdict)
    assert verdict.stored < verdict.accepted  # the bridge forgot them; the store can only note a gap
    assert not verdict.duplicates


def test_without_the_unique_key_readings_are_stored_twice(house: House) -> None:
    house.is_proof = True
    house.drop_unique_key()
    house.store.tampering["break"] = "key"
    house.start(store=False)
    house.crash(house.store, "committed, not acknowledged", 3)
    verdict = house.settle()
    assert house.wrong(verdict)
    assert verdict.duplicates
    assert not verdict.missing
