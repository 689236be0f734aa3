"""Messages of the broker to the hub of the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bridge.config import Settings
from bridge.mqtt import Received
from bridge.topics import Topics
from storage.live import Live
from storage.operations.fleet import Fleet
from storage.web.hub import Heard, Hub, News
from tests.broker.conftest import PATIENCE, Broker, broker  # noqa: F401  a fixture
from tests.storage.web.samples import METER, envelope


def received(topic: str, payload: str, retain: bool = False) -> Received:
    return Received(f"linky/{topic}", payload.encode(), retain, 1, 0, 1)


def reading(**changes: Any) -> Received:
    return received(f"{METER}/reading", envelope(**changes).model_dump_json())


def hear(messages: Iterable[Received]) -> Hub:
    """The hub after `messages`."""

    async def scenario() -> Hub:
        hub = Hub()
        live = Live(Settings(), hub, Fleet(Topics()), "test", clock=lambda: 42.0)
        live._loop = asyncio.get_running_loop()  # what `start` does, without a broker
        for message in messages:
            await asyncio.to_thread(live.take, message)
        await asyncio.sleep(0)
        return hub

    return asyncio.run(scenario())


def test_a_reading_reaches_the_hub_with_the_moment_of_its_reception() -> None:
    assert hear([reading()]).last(METER) == Heard(METER, envelope(), 42.0, online=True)


def test_a_status_is_kept_beside_the_last_reading() -> None:
    hub = hear([reading(), received(f"{METER}/status", "offline", retain=True)])
    assert hub.last(METER) == Heard(METER, envelope(), 42.0, online=False)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(received(f"{METER}/reading", "{}"), id="no envelope"),
        pytest.param(received(f"{METER}/reading", "\x00" * 70_000), id="too long"),
        pytest.param(received("other/reading", envelope().model_dump_json()), id="of another meter"),
        pytest.param(received(f"{METER}/reading", envelope().model_dump_json(), retain=True), id="retained"),
        pytest.param(reading(replay=True), id="replayed"),
        pytest.param(received(f"{METER}/status", "perhaps"), id="no status"),
        pytest.param(received("bridge/status", "online"), id="of no meter"),
    ],
)
def test_what_is_no_news_of_a_meter_is_ignored(message: Received) -> None:
    hub = hear([message])
    assert (hub.last(METER), hub.meters()) == (None, [])


def test_a_message_before_the_start_is_ignored() -> None:
    hub = Hub()
    Live(Settings(), hub, Fleet(Topics()), "test").take(reading())
    assert hub.last(METER) is None


def test_a_message_after_the_loop_ended_is_ignored() -> None:
    hub = Hub()
    live = Live(Settings(), hub, Fleet(Topics()), "test")
    loop = asyncio.new_event_loop()
    loop.close()
    live._loop = loop
    live.take(reading())
    assert hub.last(METER) is None


# --- with a real broker ----------------------------------------------------------------------------


@pytest.mark.broker
def test_what_is_published_is_heard(broker: Broker) -> None:  # noqa: F811  as above
    async def scenario() -> News | None:
        hub = Hub()
        settings = Settings.model_validate({"mqtt": {"host": "127.0.0.1", "port": broker.port}})
        live = Live(settings, hub, Fleet(Topics()), "test", clock=lambda: 42.0)
        publisher = Client(CallbackAPIVersion.VERSION2)
        publisher.connect("127.0.0.1", broker.port)
        publisher.loop_start()
        publisher.publish(f"linky/{METER}/status", "online", qos=1, retain=True).wait_for_publish(PATIENCE)
        with hub.listen() as listener:
            live.start(asyncio.get_running_loop())
            assert await listener.next(PATIENCE) == Heard(METER, online=True)  # retained, so the subscription stands
            publisher.publish(f"linky/{METER}/reading", envelope().model_dump_json())
            heard = await listener.next(PATIENCE)
        await asyncio.to_thread(live.stop)
        publisher.disconnect()
        publisher.loop_stop()
        return heard

    assert asyncio.run(scenario()) == Heard(METER, envelope(), 42.0, online=True)
