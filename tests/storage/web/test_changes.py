"""Changes of entities, as the open pages hear of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction

from storage.models import Meter
from storage.web.changes import Changes
from storage.web.hub import Changed, Hub
from storage.web.stream import events
from tests.storage.web.samples import stored_meter

pytestmark = pytest.mark.django_db(transaction=True)


def heard(do: Callable[[], None]) -> list[object]:
    """What a listener was told while something was done."""

    async def scenario() -> list[object]:
        hub = Hub()
        changes = Changes(hub)
        changes.start(asyncio.get_running_loop())
        with hub.listen() as listener:
            await sync_to_async(do)()
            await asyncio.sleep(0)
            news: list[object] = []
            while (one := await listener.next(0.01)) is not None:
                news.append(one)
        changes.stop()
        await sync_to_async(Meter.objects.create)(meter_id="later", mode="standard", timezone="Europe/Paris")
        await sync_to_async(connections.close_all)()  # that thread's own, which no request ends
        return news

    return asyncio.run(scenario())


def test_what_is_made_changed_and_deleted_is_told() -> None:
    uuids = []

    def do() -> None:
        meter = stored_meter()
        uuids.append(str(meter.uuid))
        meter.name = "cellar"
        meter.save()
        meter.delete()

    found = heard(do)
    assert found == [Changed("storage.meter", uuids[0], word) for word in ("created", "updated", "deleted")]


def test_what_is_rolled_back_is_not_told() -> None:
    def do() -> None:
        with transaction.atomic():
            stored_meter()
            transaction.set_rollback(True)

    assert heard(do) == []


def test_a_page_gets_it_as_an_event() -> None:
    async def scenario() -> str:
        hub = Hub()
        stream = events(hub, None, "en")
        await anext(stream)
        hub.hear_change(Changed("tariffs.contract", "u", "updated"))
        return await anext(stream)

    assert asyncio.run(scenario()) == (
        'event: change\ndata: {"type":"tariffs.contract","uuid":"u","status":"updated"}\n\n'
    )
