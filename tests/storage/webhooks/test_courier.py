"""The outbox is emptied, whatever targets do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from storage.webhooks import courier as module
from storage.webhooks.courier import Courier, tidy
from storage.webhooks.models import Delivery
from storage.webhooks.outbox import emit
from tests.storage.entities.library.models import Book
from tests.storage.webhooks.conftest import Clock, hook, rows
from tests.storage.webhooks.receiver import Receiver, Says

pytestmark = pytest.mark.django_db


def test_500_500_200_are_three_attempts_and_one_success(receiver: Receiver, courier: Courier, clock: Clock) -> None:
    receiver.says = [Says(500), Says(500)]
    hook(receiver.url)
    Book.objects.create(title="Emma")
    for seconds in (0, 9, 1, 19, 1, 1000):  # the pauses are 10 and 20 s
        clock.at += timedelta(seconds=seconds)
        courier.turn()
    assert (len(receiver.got), rows()) == (3, [("created", "delivered", 3, 200, "")])
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


def test_it_is_given_up_for_all_to_see(
    receiver: Receiver, courier: Courier, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.says = [Says(503)] * 9
    hook(receiver.url, retries=2)
    Book.objects.create(title="Emma")
    for _ in range(9):
        courier.turn()
        clock.at += timedelta(hours=1)
    assert (len(receiver.got), rows()) == (3, [("created", "given_up", 3, 503, "answered 503")])
    assert [record.getMessage() for record in caplog.records] == [
        "Webhook hook: created is given up after attempt 3 (answered 503)"
    ]


def test_an_answer_that_will_not_change_is_not_asked_for_twice(
    receiver: Receiver, courier: Courier, clock: Clock
) -> None:
    receiver.says = [Says(410)]
    hook(receiver.url)
    Book.objects.create(title="Emma")
    for _ in range(3):
        courier.turn()
        clock.at += timedelta(hours=1)
    assert rows() == [("created", "given_up", 1, 410, "answered 410")]


def test_the_pause_that_a_target_asks_for_is_kept(receiver: Receiver, courier: Courier, clock: Clock) -> None:
    receiver.says = [Says(429, {"Retry-After": "600"})]
    hook(receiver.url)
    Book.objects.create(title="Emma")
    seen = []
    for seconds in (0, 599, 1):
        clock.at += timedelta(seconds=seconds)
        courier.turn()
        seen.append(len(receiver.got))
    assert seen == [1, 1, 2]


def test_a_target_with_trouble_is_asked_once_a_pause_and_holds_up_no_other(
    receiver: Receiver, courier: Courier, clock: Clock
) -> None:
    dead = hook("http://127.0.0.1:9/", name="dead")
    hook(receiver.url, name="living")
    for n in range(5):
        Book.objects.create(title=f"Book {n}")
    courier.turn()
    assert len(receiver.got) == 5
    assert sorted(Delivery.objects.filter(webhook=dead).values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    clock.at += timedelta(seconds=10)
    courier.turn()
    assert sum(Delivery.objects.filter(webhook=dead).values_list("attempts", flat=True)) == 2


def test_a_slow_target_does_not_take_all_turns(receiver: Receiver, courier: Courier) -> None:
    hook(f"{receiver.url}/one", name="one")
    hook(f"{receiver.url}/two", name="two")
    for n in range(2):
        Book.objects.create(title=f"Book {n}")
    courier.turn()
    assert [got.path for got in receiver.got] == ["/hook/one", "/hook/two", "/hook/one", "/hook/two"]


def test_a_message_that_somebody_else_sends_is_left_alone(receiver: Receiver, courier: Courier, clock: Clock) -> None:
    hook(receiver.url)
    Book.objects.create(title="Emma")
    seen = Delivery.objects.select_related("webhook").get()
    Courier(clock).deliver(seen)
    courier.deliver(seen)
    assert len(receiver.got) == 1


def test_what_was_cut_off_between_sending_and_noting_is_sent_again_under_its_number(
    receiver: Receiver, courier: Courier, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(receiver.url)
    Book.objects.create(title="Emma")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_note", lambda *_: None)  # as if killed
        courier.turn()
    courier.turn()
    assert len(receiver.got) == 1
    clock.at += timedelta(minutes=2)
    courier.turn()
    assert [got.headers["webhook-id"] for got in receiver.got] == [str(Delivery.objects.get().event_id)] * 2
    assert rows() == [("created", "delivered", 2, 200, "")]


def test_an_inactive_webhook_keeps_its_messages_for_later(receiver: Receiver, courier: Courier) -> None:
    webhook = hook(receiver.url)
    Book.objects.create(title="Emma")
    webhook.is_active = False
    webhook.save()
    courier.turn()
    before = len(receiver.got)
    webhook.is_active = True
    webhook.save()
    courier.turn()
    assert (before, len(receiver.got)) == (0, 1)


def test_what_waits_for_a_day_is_given_up_and_what_is_done_goes(
    receiver: Receiver, courier: Courier, clock: Clock
) -> None:
    hook(receiver.url)
    Book.objects.create(title="A")
    courier.turn()
    receiver.says = [Says(500)]
    Book.objects.create(title="B")
    courier.turn()
    clock.at += timedelta(hours=25)
    tidy(clock.at)
    assert [row[1] for row in rows()] == ["delivered", "given_up"]
    clock.at += timedelta(days=6)
    tidy(clock.at)
    assert rows() == [("created", "given_up", 1, 500, "could not be delivered within a day")]
    clock.at += timedelta(days=25)
    tidy(clock.at)
    assert rows() == []


def test_who_keeps_for_ever_keeps(receiver: Receiver, courier: Courier, clock: Clock, notifying: Any) -> None:
    notifying.NOTIFY_KEEP = None
    hook(receiver.url)
    Book.objects.create(title="A")
    courier.turn()
    tidy(clock.at + timedelta(days=3000))
    assert len(rows()) == 1


def test_a_database_that_is_away_is_said_once(
    courier: Courier, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Any) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(module, "tidy", lambda _: None)
    monkeypatch.setattr(module, "_due", away)
    monkeypatch.setattr("storage.webhooks.courier.connection.close", lambda: None)  # it holds this test's transaction
    courier.turn()
    courier.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "The outbox of webhooks cannot be read (no route); trying again until it can"
    ]


def test_what_nobody_thought_of_is_logged_and_the_next_turn_comes(
    courier: Courier, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_due", breaks)
    monkeypatch.setattr("storage.webhooks.courier.connection.close", lambda: None)
    courier.turn()
    assert "Sending webhooks failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_thread_sends_by_itself_and_ends_when_it_is_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = threading.Event()
    receiver.judge = lambda _: arrived.set()  # and None: the usual answer
    monkeypatch.setattr(module, "EVERY", 0.05)
    hook(receiver.url, events=["ping"])
    emit("ping", {})
    courier = Courier()
    courier.start()
    assert arrived.wait(20)
    courier.stop()
    courier.join(20)
    assert (courier.is_alive(), rows()) == (False, [("ping", "delivered", 1, 200, "")])
