"""paho behind our `Sink`: last will, MQTT 5 with fall-back to 3.1.1, reconnect with backoff.

One supervisor thread connects, waits for the connection to end and connects again; paho's own thread does the
network in between. No callback blocks and none lets an exception out: it would end paho's thread unseen.

Each connection has a paho client of its own, and nothing is sent without one: what paho keeps of a connection that
ended it sends again at once, all of it, beside what the spool sends and whatever the present is by then.
"""

from __future__ import annotations

import functools
import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from time import monotonic
from typing import Any, Final, NamedTuple, ParamSpec

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bridge import tls
from bridge.config import ConfigError, MqttSettings
from bridge.topics import MAX_PAYLOAD, Message

log = logging.getLogger("ticbridge.mqtt")

MAX_QUEUED: Final = 10_000  # QoS 1 messages that the broker has not acknowledged
_CONNECT_TIMEOUT: Final = 10.0
_ANSWER: Final = 3.0  # seconds for the broker to answer CONNECT
_BACKOFF: Final = (1.0, 60.0)
_STOP_TIMEOUT: Final = 1.0

_FIVE: Final = MQTTProtocolVersion.MQTTv5
_OLDER: Final = MQTTProtocolVersion.MQTTv311
_UNSUPPORTED_VERSION: Final = 132  # MQTT 5 reason codes; paho maps the return codes of 3.1.1 to them
_TAKEN_OVER: Final = 142
_LOGIN_REFUSED: Final = frozenset({134, 135})  # bad user name or password, not authorized

_P = ParamSpec("_P")


class Received(NamedTuple):
    """A message from the broker. `generation` tells which connection it came over."""

    topic: str
    payload: bytes
    retain: bool
    mid: int
    qos: int
    generation: int


class Fault(Enum):
    """What is wrong with a connection."""

    REFUSED = auto()  # nobody listens there
    UNKNOWN = auto()  # the name leads nowhere
    SILENT = auto()  # no answer at all
    UNREACHABLE = auto()  # another reason, which the sentence names
    MUTE = auto()  # it accepts connections and says nothing, or ends them at once
    TLS = auto()
    LOGIN = auto()
    ACCESS = auto()  # the access list forbids what we publish
    OURS = auto()  # a file of ours, or a thread
    ENDED = auto()  # it was there


class Trouble(NamedTuple):
    """The last thing that went wrong, and the sentence for the owner."""

    fault: Fault
    sentence: str


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker keeps for us while we are away."""

    expiry: int = 0  # seconds; 0 is nothing
    receive_maximum: int = 20  # unacknowledged messages in flight to us
    manual_ack: bool = False


def _safely(callback: Callable[_P, None]) -> Callable[_P, None]:
    """A callback whose exception is logged instead of ending the network thread."""

    @functools.wraps(callback)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception:
            log.exception("A message from the broker could not be handled")

    return wrapped


class Link:
    """One connection to the broker, kept up from `start` to `stop`.

    `on_ready` is called after each connection and `on_lost` when it ended, `on_message` for each message,
    `on_published` with the packet id of a message of `post` and the reason code of its PUBACK: on paho's thread, so
    none may block.
    """

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        *,
        will: Message | None = None,
        subscriptions: Sequence[tuple[str, int]] = (),
        session: Session | None = None,
        on_ready: Callable[[], None] = lambda: None,
        on_message: Callable[[Received], None] = lambda _: None,
        on_published: Callable[[int, int], None] = lambda _mid, _reason: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._subscriptions = dict(subscriptions)
        self._asked: dict[int, list[str]] = {}  # topics by the packet id of their SUBSCRIBE
        self._session = session or Session()
        self._on_ready = on_ready
        self._on_message = on_message
        self._on_published = on_published
        self._on_lost = on_lost
        self._swap = threading.Lock()  # held while `_client` is used to publish, and while it is replaced
        self._protocol = _OLDER if settings.protocol == "3.1.1" else _FIVE
        self._tls: tls.Context | None = None
        self._client = self._build()
        self._stopping = threading.Event()
        self._closed = threading.Event()
        self._is_fresh = True  # the client was built and never used
        self._answered = False  # the broker understood the CONNECT of this connection
        self.trouble: Trouble | None = None  # since the last connection; each is logged once
        self._thread = threading.Thread(target=self._supervise, name="mqtt", daemon=True)
        self.generation = 0
        self.connected = False

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, last: Sequence[Message] = ()) -> None:
        """Send the `last` messages and what was not sent yet, as far as the broker is there; disconnect."""
        if self.connected:
            infos = [self._client.publish(m.topic, m.payload, qos=1, retain=m.retain) for m in last]
            for info in infos:
                if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    info.wait_for_publish(_STOP_TIMEOUT)
        self._stopping.set()
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(_CONNECT_TIMEOUT)

    @property
    def alive(self) -> bool:
        """False when the supervisor died: nothing will reconnect."""
        return self._thread.is_alive()

    @property
    def where(self) -> str:
        """The broker, for messages to the owner."""
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def tells_refusals(self) -> bool:
        """Whether the broker says what it refuses (MQTT 5), or takes it without a word."""
        return self._protocol == _FIVE

    def send(self, message: Message) -> bool:
        """Publish; False while there is no connection, or no room: the caller still owns the message."""
        return self.post(message) is not None

    def post(self, message: Message) -> int | None:
        """Publish; the packet id, which with QoS 1 `on_published` will tell, or None as `send` says False."""
        with self._swap:
            if not self.connected:
                return None
            info = self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def subscribe(self, topic: str, qos: int) -> None:
        """Listen to one more topic, now and after each connection."""
        with self._swap:
            if topic in self._subscriptions:
                return
            self._subscriptions[topic] = qos
            if self.connected:
                self._ask(self._client, [(topic, qos)])

    def _ask(self, client: paho.Client, subscriptions: list[tuple[str, int]]) -> None:
        _, mid = client.subscribe(subscriptions)
        if mid is not None:
            self._asked[mid] = [topic for topic, _ in subscriptions]

    def ack(self, received: Received) -> None:
        """Acknowledge a message (manual_ack); one of an earlier connection is left to its redelivery."""
        with self._swap:
            if self.connected and received.generation == self.generation:
                self._client.ack(received.mid, received.qos)

    # --- the supervisor's thread -----------------------------------------------------------------

    def _supervise(self) -> None:
        delay = _BACKOFF[0]
        while not self._stopping.is_set():
            if self._connect():
                self._client.loop_start()
                self._wait_until_closed(monotonic() + _ANSWER)
                self._client.disconnect()
                self._client.loop_stop()
                self._retire()
                if self.connected:
                    self.connected = False
                    _safely(self._on_lost)()
                    delay = _BACKOFF[0]
                    self._speak(_FIVE)  # the older version may have been a broker's bad moment
                elif (
                    not self._answered
                    and not self._was_refused()
                    and self._speak(_OLDER if self._protocol == _FIVE else _FIVE)
                ):
                    delay = 0.0 if self._protocol == _OLDER else _BACKOFF[0]  # the other version at once
            self._stopping.wait(delay * (0.75 + random.random() / 2))  # noqa: S311  spreads a fleet, hides nothing
            delay = min(max(delay * 2, _BACKOFF[0]), _BACKOFF[1])

    def _wait_until_closed(self, answer_by: float) -> None:
        while not self._closed.wait(1.0):
            if not self._network_lives():
                self._trouble(Fault.OURS, "The MQTT network thread died; connecting again")
                return
            if not self._answered and monotonic() > answer_by:
                self._trouble(Fault.MUTE, f"The broker {self.where} accepts connections and says nothing; trying again")
                return

    def _connect(self) -> bool:
        self._closed.clear()
        self._answered = False
        if self._stopping.is_set():
            return False
        if not self._is_fresh:
            try:
                client = self._build()
            except ConfigError as error:  # a certificate or a password file that went since the start
                self._trouble(Fault.OURS, f"{error}; trying again")
                return False
            with self._swap:
                self._client = client
                self._asked.clear()
        self._is_fresh = False
        arguments: dict[str, Any] = {}  # what connect() takes differs between the versions
        if self._protocol == _FIVE:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.SessionExpiryInterval = self._session.expiry
            properties.ReceiveMaximum = self._session.receive_maximum
            properties.MaximumPacketSize = 4 * MAX_PAYLOAD
            arguments = {"clean_start": not self._session.expiry, "properties": properties}
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive, **arguments)
        except (OSError, UnicodeError) as error:
            self._trouble(*self._why(error))
            self._retire()
            return False
        return True

    def _retire(self) -> None:
        """Nothing else closes the sockets by which paho's threads wake each other."""
        self._client.__del__()

    def _was_refused(self) -> bool:
        """Say why the broker ended the connection and said nothing; True: TLS is why, another version is no help."""
        if not self._closed.is_set() or self._stopping.is_set():
            return False
        if self._tls is not None and self._tls.refusal is not None:
            self._trouble(*self._why(self._tls.refusal))
            return True
        if self._settings.protocol != "auto" or self._protocol == _OLDER:
            expected = "without TLS (is mqtt.tls wanted?)" if self._tls is None else "with TLS (is mqtt.tls right?)"
            ends = f"The broker {self.where} ends each connection {expected} before it answers; trying again"
            self._trouble(Fault.MUTE, ends)
        return False

    def _why(self, error: OSError | UnicodeError) -> Trouble:
        again, broker = "trying again until it answers", f"The broker {self.where}"
        if isinstance(error, ConnectionRefusedError):
            sentence = f"{broker} refuses connections: is it running, is mqtt.port right? {again}"
            return Trouble(Fault.REFUSED, sentence)
        if isinstance(error, socket.gaierror | UnicodeError):  # a name that is none
            sentence = f"The broker's name {self._settings.host!r} is not known: is mqtt.host right? {again}"
            return Trouble(Fault.UNKNOWN, sentence)
        if isinstance(error, TimeoutError):
            return Trouble(Fault.SILENT, f"{broker} does not answer: is it on, is a firewall between? {again}")
        if self._settings.tls is not None and isinstance(error, ssl.SSLError | ConnectionError):
            sentence = f"{tls.sentence(error, self._settings.tls, self._settings.host, self.where)} {again}"
            return Trouble(Fault.TLS, sentence)
        return Trouble(Fault.UNREACHABLE, f"{broker} cannot be reached ({error.strerror or error}); {again}")

    def _trouble(self, fault: Fault, sentence: str) -> None:
        if self.trouble is None or sentence != self.trouble.sentence:
            log.warning("%s", sentence)
            self.trouble = Trouble(fault, sentence)

    def _network_lives(self) -> bool:
        return any(thread.name == f"paho-mqtt-client-{self._client_id}" for thread in threading.enumerate())

    def _speak(self, protocol: MQTTProtocolVersion) -> bool:
        """Change to a version of MQTT, if the owner left us the choice.

        A broker that does not know MQTT 5 may say so, close the connection, or just not answer what it cannot read.
        """
        if self._settings.protocol != "auto":
            return False
        self._protocol = protocol
        return True

    def _build(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=self._session.manual_ack,
            clean_session=None if self._protocol == _FIVE else not self._session.expiry,
        )
        client.connect_timeout = _CONNECT_TIMEOUT
        client.max_queued_messages_set(MAX_QUEUED)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.secret())
        if settings.tls is not None:
            self._tls = tls.context(settings.tls)
            client.tls_set_context(self._tls)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        client.on_connect = _safely(self._connected)
        client.on_disconnect = _safely(self._disconnected)
        client.on_message = _safely(self._received)
        client.on_subscribe = _safely(self._subscribed)
        client.on_publish = _safely(self._published)
        return client

    # --- paho's thread ---------------------------------------------------------------------------

    def _connected(self, client: paho.Client, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self._answered = reason.value != _UNSUPPORTED_VERSION
        if not self._answered and self._settings.protocol == "auto":
            return
        if reason.is_failure:
            login = ": are mqtt.username and mqtt.password_file right?" if reason.value in _LOGIN_REFUSED else ";"
            self._trouble(Fault.LOGIN, f"The broker {self.where} refuses the login ({reason}){login} trying again")
            return
        self.generation += 1
        self.connected = True
        self.trouble = None
        version = "5" if self._protocol == _FIVE else "3.1.1"
        log.info("Connected to the broker %s (MQTT %s)", self.where, version)
        if self._subscriptions:
            self._ask(client, list(self._subscriptions.items()))
        self._on_ready()

    def _disconnected(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if self.connected and not self._stopping.is_set():
            taken = ": another program has our client id, is one started twice?" if reason.value == _TAKEN_OVER else ";"
            ended = f"The broker {self.where} ended the connection ({reason}){taken} connecting again"
            self._trouble(Fault.ENDED, ended)
        self._closed.set()

    def _received(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        self._on_message(
            Received(message.topic, bytes(message.payload), message.retain, message.mid, message.qos, self.generation)
        )

    def _subscribed(self, _c: object, _u: object, mid: int, reasons: list[ReasonCode], _p: object) -> None:
        for topic, reason in zip(self._asked.get(mid, ()), reasons, strict=False):
            if reason.is_failure:
                log.error(
                    "The broker %s refuses to let us read %s (%s): check its access list",
                    self.where,
                    topic,
                    reason,
                )

    def _published(self, _c: object, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            refuses = f"The broker {self.where} refuses what we publish ({reason}): check its access list"
            self._trouble(Fault.ACCESS, refuses)
        self._on_published(mid, reason.value)
