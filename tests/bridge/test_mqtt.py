"""What the broker's file decides without a broker; tests/broker has the rest."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from bridge import mqtt
from bridge.config import ConfigError, MqttSettings, TlsSettings
from bridge.mqtt import Link, Received, Session
from bridge.topics import Message

HERE = MqttSettings(host="broker", port=1883)
SUCCESS, WRONG_VERSION, BAD_LOGIN, UNAVAILABLE = (
    ReasonCode(PacketTypes.CONNACK, identifier=code) for code in (0, 132, 134, 136)
)
GRANTED, DENIED = (ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (0, 135))
ENDED = ReasonCode(PacketTypes.DISCONNECT, identifier=139)


def fail(error: type[Exception]) -> Callable[[], None]:
    def callback() -> None:
        raise error

    return callback


def connected(link: Link, reason: ReasonCode = SUCCESS) -> None:
    """What paho does when the broker has answered."""
    link._client.on_connect(link._client, None, None, reason, None)  # type: ignore[arg-type, misc, call-arg]


def disconnected(link: Link) -> None:
    link._client.on_disconnect(link._client, None, None, ENDED, None)  # type: ignore[arg-type, misc, call-arg]


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return said


@pytest.fixture(autouse=True)
def _every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ticbridge.mqtt")


# --- before the broker is there ------------------------------------------------------------------


def test_without_a_connection_nothing_is_taken() -> None:
    """Whoever sends keeps what must not be lost: what paho keeps it would send again beside it."""
    link = Link(HERE, "test")
    field, reading = Message("linky/x/papp", "1"), Message("linky/x/reading", "{}", retain=False, qos=1)
    assert (link.send(field), link.send(reading), link.post(reading)) == (False, False, None)


def test_with_a_connection_a_message_has_a_packet_id_until_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "MAX_QUEUED", 2)
    link = Link(HERE, "test")
    monkeypatch.setattr(link._client, "is_connected", lambda: True)
    connected(link)
    monkeypatch.setattr(link._client, "_inflight_messages", 20)  # the broker acknowledges nothing
    reading = Message("linky/x/reading", "{}", retain=False, qos=1)
    assert [link.post(reading) for _ in range(3)] == [1, 2, None]


def test_each_connection_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What paho keeps of a connection that ended it would send at once over the next, whatever the window."""
    monkeypatch.setattr(paho.Client, "connect", lambda *_args, **_options: None)
    link = Link(HERE, "test")
    clients = [link._client]
    for _ in range(2):
        assert link._connect()
        clients.append(link._client)
    assert (clients[0] is clients[1], clients[1] is clients[2]) == (True, False)
    link.stop()


def test_a_link_that_was_not_started_stops_at_once() -> None:
    link = Link(HERE, "test")
    link.stop([Message("linky/bridge/pi/status", "offline")])
    assert (link.alive, link.connected, link.generation) == (False, False, 0)


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
def test_any_version_and_session_can_be_asked_for(protocol: str) -> None:
    settings = MqttSettings.model_validate({"username": "anna", "password": "s3cret", "protocol": protocol})
    link = Link(settings, "test", will=Message("a", "offline"), session=Session(expiry=3600, manual_ack=True))
    assert link.where == "localhost:1883"


def test_wrong_certificates_are_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "nowhere.pem"):
        with pytest.raises(ConfigError, match=r"^mqtt\.tls\.ca: .*; expected a PEM file$"):
            Link(MqttSettings(tls=TlsSettings(ca=tmp_path / name)), "test")


AGAIN = "trying again until it answers"
RIGHT = "are mqtt.username and mqtt.password_file right?"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            f"The broker broker:1883 refuses connections: is it running, is mqtt.port right? {AGAIN}",
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            f"The broker's name 'broker' is not known: is mqtt.host right? {AGAIN}",
        ),
        (
            TimeoutError("timed out"),
            f"The broker broker:1883 does not answer: is it on, is a firewall between? {AGAIN}",
        ),
        (
            OSError(113, "No route to host"),
            f"The broker broker:1883 cannot be reached (No route to host); {AGAIN}",
        ),
    ],
)
def test_a_connection_that_fails_is_one_sentence_once(
    error: OSError, sentence: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise error

    link = Link(HERE, "test")
    monkeypatch.setattr(paho.Client, "connect", refuse)
    assert [link._connect(), link._connect()] == [False, False]
    assert messages(caplog) == [("WARNING", sentence)]


# --- what the broker answers ---------------------------------------------------------------------


def test_a_connection_is_a_new_generation_and_calls_for_everything_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []
    link = Link(HERE, "test", subscriptions=[("homeassistant/status", 0)], on_ready=lambda: calls.append("ready"))
    for _ in range(2):
        connected(link)
    assert (link.connected, link.generation, calls) == (True, 2, ["ready", "ready"])
    assert messages(caplog) == [("INFO", "Connected to the broker broker:1883 (MQTT 5)")] * 2


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            BAD_LOGIN,
            f"The broker broker:1883 refuses the login (Bad user name or password): {RIGHT} trying again",
        ),
        (UNAVAILABLE, "The broker broker:1883 refuses the login (Server unavailable); trying again"),
    ],
)
def test_a_refused_login_is_one_sentence_once(
    reason: ReasonCode, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = Link(HERE, "test")
    for _ in range(2):
        connected(link, reason)
    assert (link.connected, messages(caplog)) == (False, [("WARNING", sentence)])


def test_a_wrong_version_is_no_trouble_as_long_as_there_is_another(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(HERE, "test")
    connected(link, WRONG_VERSION)
    assert (link.connected, messages(caplog)) == (False, [])


def test_a_version_that_the_owner_chose_and_the_broker_lacks_is_said(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(MqttSettings(host="broker", protocol="5"), "test")
    connected(link, WRONG_VERSION)
    [(level, sentence)] = messages(caplog)
    assert (level, "Unsupported protocol version" in sentence) == ("WARNING", True)


def test_a_connection_that_ends_is_said_once_and_said_again_after_the_next(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(HERE, "test")
    for _ in range(2):
        connected(link)
        disconnected(link)
        disconnected(link)
    ended = "The broker broker:1883 ended the connection (Server shutting down); connecting again"
    assert messages(caplog) == [
        ("INFO", "Connected to the broker broker:1883 (MQTT 5)"),
        ("WARNING", ended),
        ("INFO", "Connected to the broker broker:1883 (MQTT 5)"),
        ("WARNING", ended),
    ]


def test_an_access_list_that_refuses_us_is_named(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[tuple[int, int]] = []
    link = Link(HERE, "test", subscriptions=[("a", 0), ("b", 1)], on_published=lambda *answer: answers.append(answer))
    link._asked[1] = ["a", "b"]
    link._client.on_subscribe(link._client, None, 1, [GRANTED, DENIED], None)  # type: ignore[arg-type, misc, call-arg]
    refused = ReasonCode(PacketTypes.PUBACK, identifier=135)
    for reason in (ReasonCode(PacketTypes.PUBACK, identifier=16), refused, refused):
        link._client.on_publish(link._client, None, 4, reason, None)  # type: ignore[arg-type, misc, call-arg]
    assert answers == [(4, 16), (4, 135), (4, 135)]
    assert messages(caplog) == [
        ("ERROR", "The broker broker:1883 refuses to let us read b (Not authorized): check its access list"),
        ("WARNING", "The broker broker:1883 refuses what we publish (Not authorized): check its access list"),
    ]


def test_a_message_is_handed_on_with_its_connection() -> None:
    heard: list[Received] = []
    link = Link(HERE, "test", on_message=heard.append)
    connected(link)
    message = paho.MQTTMessage(7, b"linky/x/reading")
    message.payload, message.qos, message.retain = b"{}", 1, True
    link._client.on_message(link._client, None, message)  # type: ignore[misc]
    assert heard == [Received("linky/x/reading", b"{}", True, 7, 1, 1)]


def test_only_messages_of_this_connection_are_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link(HERE, "test")
    acknowledged: list[tuple[int, int]] = []
    monkeypatch.setattr(link._client, "ack", lambda mid, qos: acknowledged.append((mid, qos)))
    connected(link)
    for generation in (0, 1):
        link.ack(Received("a", b"", False, 7 + generation, 1, generation))
    assert acknowledged == [(8, 1)]


def test_a_callback_that_fails_is_logged_and_does_not_end_the_network_thread(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(HERE, "test", on_ready=fail(ZeroDivisionError))
    connected(link)
    assert [(record.getMessage(), record.exc_info is not None) for record in caplog.records] == [
        ("Connected to the broker broker:1883 (MQTT 5)", False),
        ("A message from the broker could not be handled", True),
    ]
