"""Events that are no change of an entity."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storage.webhooks.courier import Courier
from storage.webhooks.outbox import emit
from tests.storage.entities.library.models import Book
from tests.storage.webhooks.conftest import hook, rows
from tests.storage.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 28, 6, tzinfo=UTC)


def test_an_event_reaches_who_chose_it_and_nobody_else(receiver: Receiver, courier: Courier) -> None:
    hook(receiver.url, name="one", events=["over_power"])
    hook(receiver.url, name="two", events=["index_reset"])
    book = Book.objects.create(title="Emma")
    told = emit("over_power", {"value": Decimal("9.30"), "at": AT}, subject=book, at=AT)
    courier.turn()
    [got] = receiver.got
    assert (told, json.loads(got.body)) == (
        1,
        {
            "id": got.headers["webhook-id"],
            "date": "2026-11-28T06:00:00+00:00",
            "meta": {"type": "library.book", "id": book.pk, "uuid": str(book.uuid), "status": "over_power"},
            "changes": {"previous": {}, "current": {}},
            "data": {"value": "9.3", "at": "2026-11-28T06:00:00+00:00"},
        },
    )


def test_an_event_of_nothing_in_particular_is_told_too(receiver: Receiver, courier: Courier) -> None:
    hook(receiver.url, events=["over_power"])
    emit("over_power", {})
    courier.turn()
    assert json.loads(receiver.got[0].body)["meta"] == {
        "type": None, "id": None, "uuid": None, "status": "over_power",
    }  # fmt: skip


def test_with_notify_changes_off_no_event_is_kept(receiver: Receiver, notifying: Any) -> None:
    notifying.NOTIFY_CHANGES = False
    hook(receiver.url, events=["over_power"])
    assert (emit("over_power", {}), rows()) == (0, [])
