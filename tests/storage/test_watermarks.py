"""When watermarks are told, and that none falls."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, connection, transaction

from storage.ingest import Mark
from storage.models import Epoch, Meter
from storage.watermarks import Telling, _turn


@dataclass
class Wire:
    """A broker that takes what it is told to take, and the hands of a clock."""

    takes: int = 10_000
    now: float = 0.0
    sent: list[tuple[str, int]] = field(default_factory=list)
    confirmed: list[tuple[str, int]] = field(default_factory=list)

    def send(self, mark: Mark) -> bool:
        if len(self.sent) >= self.takes:
            return False
        self.sent.append((mark.meter, mark.handled))
        return True

    def confirm(self, mark: Mark) -> bool:
        self.confirmed.append((mark.meter, mark.handled))
        return self.send(mark)

    def telling(self, *, is_shared: bool = False) -> Telling:
        return Telling(10.0, self.send, self.confirm, is_shared=is_shared, clock=lambda: self.now)


def marks(number: int, handled: int = 1) -> list[Mark]:
    return [Mark(f"m{n:03}", "e", handled, n) for n in range(number)]


def test_few_are_told_at_once() -> None:
    wire = Wire()
    telling = wire.telling()
    telling.note(marks(2))
    telling.tell()
    telling.tell()
    assert wire.sent == [("m000", 1), ("m001", 1)]


def test_of_many_each_is_told_once_in_a_while_and_as_it_is_then() -> None:
    wire = Wire()
    telling = wire.telling()
    for handled in (1, 2, 3):
        telling.note(marks(60, handled))
        telling.tell()
        wire.now += 4
    assert wire.sent == []
    telling.tell()
    assert wire.sent == [(f"m{n:03}", 3) for n in range(60)]


def test_at_the_end_everything_is_told() -> None:
    wire = Wire()
    telling = wire.telling()
    telling.note(marks(60))
    telling.tell(everything=True)
    assert len(wire.sent) == 60


def test_what_the_broker_does_not_take_stays() -> None:
    wire = Wire(takes=1)
    telling = wire.telling()
    telling.note(marks(3))
    telling.tell()
    wire.takes = 3
    telling.tell()
    assert wire.sent == [("m000", 1)], "it was asked a moment ago"
    wire.now += 1
    telling.tell()
    assert wire.sent == [("m000", 1), ("m001", 1), ("m002", 1)]


def new_epoch(handled: int) -> Epoch:
    meter = Meter.objects.create(meter_id=uuid.uuid4().hex[:12], mode="standard", timezone="Europe/Paris")
    return Epoch.objects.create(meter=meter, uuid=uuid.uuid4(), bridge="test", handled=handled, floor=1)


@pytest.mark.django_db
def test_one_of_several_workers_tells_what_the_database_says_by_then() -> None:
    first, second = new_epoch(8), new_epoch(5)
    wire = Wire()
    telling = wire.telling(is_shared=True)
    telling.note([Mark("a", "e", 3, first.pk), Mark("b", "e", 5, second.pk), Mark("gone", "e", 5, 0)])
    telling.tell()
    assert (wire.sent, wire.confirmed) == ([("a", 8), ("b", 5)], [("b", 5)])


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_nobody_tells_while_another_worker_does() -> None:
    epoch = new_epoch(8)
    wire = Wire()
    telling = wire.telling(is_shared=True)
    telling.note([Mark("a", "e", 8, epoch.pk)])

    def elsewhere() -> None:
        telling.tell()
        connection.close()

    with ThreadPoolExecutor(1) as other:
        with _turn() as is_ours:
            other.submit(elsewhere).result()
            assert (is_ours, wire.sent) == (True, [])
        wire.now += 1
        other.submit(elsewhere).result()
    assert wire.sent == [("a", 8)]


@pytest.mark.django_db
def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    telling = wire.telling(is_shared=True)
    telling.note(marks(1))

    def away() -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "atomic", away)
        patch.setattr("storage.watermarks.connection.close", lambda: None)  # it holds this test's transaction
        telling.tell()
    assert wire.sent == []
