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


def hear(messages: Iterable[Received], interval: float = 0) -> Hub:
    """The hub after `messages`."""

    async def scenario() -> Hub:
        hub = Hub()
        settings = Settings.model_validate({"reading": {"interval": interval}})
        live = Live(settings, hub, Fleet(Topics()), "test", clock=lambda: 42.0)
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


# --- readings that come seldom ---------------------------------------------------------------------


def seen(interval: float, *fields: Received) -> dict[str, Any]:
    """What the page knows after a reading and some fields."""
    heard = hear([reading(), *fields], interval).last(METER)
    assert heard is not None
    assert heard.envelope is not None
    return {**heard.envelope.values, **heard.envelope.derived}


def test_between_seldom_readings_the_fields_are_heard() -> None:
    said = {"sinsts": "4321", "ltarf": "HC BLEU", "breaker_margin": "None"}
    fields = [received(f"{METER}/{slug}", text) for slug, text in said.items()]
    before, after = seen(60), seen(60, *fields)
    assert after == {**before, "sinsts": 4321, "ltarf": "HC BLEU", "breaker_margin": None}


def test_a_field_makes_the_page_young_again() -> None:
    heard = hear([reading(), received(f"{METER}/sinsts", "7")], 60).last(METER)
    assert heard is not None
    assert heard.envelope is not None
    assert heard.envelope.ts != envelope().ts


def test_with_readings_of_every_frame_the_fields_tell_nothing_new() -> None:
    assert seen(5, received(f"{METER}/sinsts", "4321"))["sinsts"] == 1200


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(received(f"{METER}/sinsts", "4321", retain=True), id="retained: from when?"),
        pytest.param(received(f"{METER}/sinsts", "many"), id="no number"),
        pytest.param(received(f"{METER}/sinsts", "9" * 12), id="too large"),
        pytest.param(received(f"{METER}/sinsts", "4" * 99), id="too long"),
        pytest.param(received(f"{METER}/msg1", "HELLO"), id="nothing for a glance"),
        pytest.param(received(f"{METER}/sinsts/attributes", "4321"), id="no field"),
        pytest.param(received("bridge/sinsts", "4321"), id="of no meter"),
    ],
)
def test_what_is_no_fresh_field_changes_nothing(message: Received) -> None:
    assert seen(60, message) == seen(60)


def test_a_field_before_any_reading_is_ignored() -> None:
    assert hear([received(f"{METER}/sinsts", "1")], 60).last(METER) is None


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
