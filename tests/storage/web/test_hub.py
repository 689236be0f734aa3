"""News to any number of listeners, none of which holds up another."""

from __future__ import annotations

import asyncio

from storage.web.hub import MAX_METERS, ROOM, Heard, Hub
from tests.storage.web.samples import METER, envelope


async def drain(listener: object, hub: Hub) -> list[Heard]:
    found = []
    while (heard := await listener.next(0.001)) is not None:  # type: ignore[attr-defined]
        found.append(heard)
    return found


def test_a_listener_begins_with_what_is_known_and_then_hears_the_news() -> None:
    async def scenario() -> list[Heard]:
        hub = Hub()
        hub.hear_reading(envelope(seq=1), 1.0)
        with hub.listen() as listener:
            hub.hear_reading(envelope(seq=2), 2.0)
            return await drain(listener, hub)

    assert asyncio.run(scenario()) == [
        Heard(METER, envelope(seq=1), 1.0, online=True),
        Heard(METER, envelope(seq=2), 2.0, online=True),
    ]


def test_a_listener_of_one_meter_hears_nothing_of_others() -> None:
    async def scenario() -> list[Heard]:
        hub = Hub()
        hub.hear_reading(envelope(meter="a"), 1.0)
        with hub.listen("b") as listener:
            hub.hear_reading(envelope(meter="a"), 2.0)
            hub.hear_reading(envelope(meter="b"), 3.0)
            return await drain(listener, hub)

    assert asyncio.run(scenario()) == [Heard("b", envelope(meter="b"), 3.0, online=True)]


def test_a_slow_listener_loses_the_oldest_news() -> None:
    async def scenario() -> list[int]:
        hub = Hub()
        with hub.listen() as listener:
            for seq in range(1, ROOM + 4):
                hub.hear_reading(envelope(seq=seq), 0.0)
            return [heard.envelope.seq for heard in await drain(listener, hub) if heard.envelope]

    assert asyncio.run(scenario()) == list(range(4, ROOM + 4))


def test_a_status_is_news_only_when_it_changes() -> None:
    async def scenario() -> list[Heard]:
        hub = Hub()
        with hub.listen() as listener:
            for online in (True, True, False):
                hub.hear_status(METER, online)
            return await drain(listener, hub)

    assert asyncio.run(scenario()) == [Heard(METER, online=True), Heard(METER, online=False)]


def test_closing_ends_every_wait_at_once() -> None:
    async def scenario() -> tuple[object, bool]:
        hub = Hub()
        with hub.listen() as listener:
            waiting = asyncio.create_task(listener.next(3600))
            await asyncio.sleep(0)
            hub.close()
            return await asyncio.wait_for(waiting, 5), hub.closed

    assert asyncio.run(scenario()) == (None, True)


def test_a_listener_that_left_takes_no_place() -> None:
    hub = Hub(limit=1)
    with hub.listen():
        assert hub.full
    assert not hub.full


def test_invented_meters_do_not_fill_the_memory() -> None:
    hub = Hub()
    for number in range(MAX_METERS + 5):
        hub.hear_status(f"m{number}", True)
    hub.hear_reading(envelope(), 1.0)
    hub.hear_status("m0", False)
    assert (len(hub._heard), hub.last(METER), hub.last("m0")) == (MAX_METERS, None, Heard("m0", online=False))


def test_only_meters_that_sent_a_reading_are_offered() -> None:
    hub = Hub()
    hub.hear_status("silent", True)
    hub.hear_reading(envelope(), 1.0)
    assert hub.meters() == [METER]
