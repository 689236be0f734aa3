"""What happens to entities becomes messages, once each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from storage.entities.models import acting
from storage.webhooks import changes
from storage.webhooks.courier import Courier
from storage.webhooks.models import Delivery
from tests.storage.entities.library.models import Author, Book, Fee, Tag
from tests.storage.webhooks.conftest import hook, rows
from tests.storage.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db


def events() -> list[str]:
    return [event for event, *_ in rows()]


def test_each_thing_that_happens_to_an_entity_arrives_once(receiver: Receiver, courier: Courier) -> None:
    hook(receiver.url)
    book = Book.objects.create(title="Emma", pages=300)
    book.title = "Emma Woodhouse"
    book.save()
    book.tags.set([Tag.objects.create(word="novel")])
    book.history.last().restore(fields=["title"])
    book.refresh_from_db()
    book.delete()
    courier.turn()
    said = [json.loads(got.body) for got in receiver.got]
    assert [one["meta"]["status"] for one in said] == ["created", "updated", "m2m", "restored", "deleted"]
    assert [one["changes"] for one in said[1:4]] == [
        {"previous": {"title": "Emma"}, "current": {"title": "Emma Woodhouse"}},
        {"previous": {"tags": []}, "current": {"tags": [Tag.objects.get().pk]}},
        {"previous": {"title": "Emma Woodhouse"}, "current": {"title": "Emma"}},
    ]
    assert {one["meta"]["uuid"] for one in said} == {str(book.uuid)}
    assert len({one["id"] for one in said}) == 5


def test_the_message_is_the_whole_envelope(receiver: Receiver, courier: Courier, notifying: Any) -> None:
    notifying.NOTIFY_OPTIONS = {"includes": ["id", "title", "pages"], "extra": ["is_long"]}
    hook(receiver.url)
    book = Book.objects.create(title="Emma", pages=300)
    courier.turn()
    [got] = receiver.got
    said = json.loads(got.body)
    assert said == {
        "id": got.headers["webhook-id"],
        "date": said["date"],
        "meta": {"type": "library.book", "id": book.pk, "uuid": str(book.uuid), "status": "created"},
        "changes": {"previous": {}, "current": {}},
        "data": {"id": book.pk, "title": "Emma", "pages": 300, "is_long": False},
    }


def test_a_model_may_say_itself_what_is_told(
    receiver: Receiver, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "get_webhook_data", lambda book: {"only": book.title}, raising=False)
    hook(receiver.url)
    Book.objects.create(title="Emma")
    courier.turn()
    assert json.loads(receiver.got[0].body)["data"] == {"only": "Emma"}


def test_by_default_nothing_is_told(receiver: Receiver, courier: Courier, notifying: Any) -> None:
    from storage.settings import NOTIFY_CHANGES  # noqa: PLC0415  what the program itself begins with

    notifying.NOTIFY_CHANGES = NOTIFY_CHANGES
    hook(receiver.url)
    Book.objects.create(title="Emma")
    courier.turn()
    assert (NOTIFY_CHANGES, rows(), receiver.got) == (False, [], [])


def test_changes_of_many_at_once_are_told_too(receiver: Receiver) -> None:
    hook(receiver.url)
    Book.objects.bulk_create([Book(title="A"), Book(title="B")])
    Book.objects.update(pages=7)
    assert events() == ["created", "created", "updated", "updated"]


def test_links_that_change_from_the_other_side_are_told(receiver: Receiver) -> None:
    hook(receiver.url, events=["m2m"])
    book, tag = Book.objects.create(title="A"), Tag.objects.create(word="x")
    tag.books.add(book)
    assert events() == ["m2m"]


def test_a_version_that_follows_is_a_change_and_a_creation(receiver: Receiver) -> None:
    hook(receiver.url, types=["library.fee"])
    fee = Fee.objects.create(kind="child", amount="0.10", start_date="2025-01-01")
    fee.revise("2026-01-01", amount="0.20")
    assert events() == ["created", "updated", "created"]
    changed = Delivery.objects.get(event="updated").payload["changes"]
    assert changed == {"previous": {"end_date": None}, "current": {"end_date": changed["current"]["end_date"]}}


def test_a_save_that_changes_nothing_is_not_told(receiver: Receiver, django_user_model: type[User]) -> None:
    book = Book.objects.create(title="Emma")
    hook(receiver.url)
    with acting(django_user_model.objects.create(username="ann")):
        book.save()
    assert rows() == []


@pytest.mark.parametrize(
    "given",
    [{"types": ["library.author"]}, {"events": ["deleted"]}, {"is_active": False}],
    ids=str,
)
def test_what_was_not_chosen_is_not_told(receiver: Receiver, given: dict[str, Any]) -> None:
    hook(receiver.url, **given)
    Book.objects.create(title="Emma")
    assert rows() == []


def test_what_is_rolled_back_is_not_told(receiver: Receiver, courier: Courier) -> None:
    hook(receiver.url)
    with transaction.atomic():
        Book.objects.create(title="Emma")
        assert events() == ["created"]
        transaction.set_rollback(True)
    courier.turn()
    assert (rows(), receiver.got) == ([], [])


def test_each_webhook_gets_it_under_the_same_number(receiver: Receiver) -> None:
    hook(receiver.url, name="one")
    hook(receiver.url, name="two")
    Book.objects.create(title="Emma")
    assert Delivery.objects.values("event_id").distinct().count() == 1
    assert Delivery.objects.count() == 2


def test_an_entity_nobody_listens_to_costs_one_question(receiver: Receiver) -> None:
    hook(receiver.url)
    with CaptureQueriesContext(connection) as asked:
        Author.objects.create(name="Jane")
    assert len([query for query in asked if "webhooks_webhook" in query["sql"]]) == 1


def test_only_entities_can_be_chosen_and_no_webhook_is_told_of() -> None:
    there = changes.choosable()
    assert {"storage.meter", "tariffs.contract", "library.book"} <= set(there)
    assert {"storage.data", "storage.rollup", "storage.register", "storage.dirty", "webhooks.webhook"} & set(
        there
    ) == set()
