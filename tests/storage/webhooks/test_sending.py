"""One attempt: what the receiver sees, and what its answer means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from storage.webhooks.models import Webhook
from storage.webhooks.sending import Attempt, Outcome, attempt, judged
from tests.broker.certificates import Authority
from tests.storage.webhooks.receiver import Got, Receiver, Says, receiving

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
PAYLOAD = {"id": "n1", "data": {"name": "Été", "value": 3}}


def send(receiver: Receiver, secret: str = "", *, private: bool = True, **given: Any) -> Attempt:
    webhook = Webhook(**{"name": "hook", "url": receiver.url, "timeout": 5, **given})
    webhook.secret = secret
    return attempt(webhook, "n1", PAYLOAD, private=private, now=NOW)


def test_a_plain_webhook_is_a_post_of_json(receiver: Receiver) -> None:
    assert send(receiver) == Attempt(Outcome.DELIVERED, 200, "")
    [got] = receiver.got
    assert (got.method, got.path, json.loads(got.body)) == ("POST", "/hook", PAYLOAD)
    assert {name: value for name, value in got.headers.items() if name not in ("host", "content-length", "accept")} == {
        "content-type": "application/json",
        "user-agent": "storage-webhooks/1",
        "accept-encoding": "identity",
        "idempotency-key": "n1",
        "webhook-id": "n1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "connection": "keep-alive",
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_yaml_and_other_methods(receiver: Receiver, method: str) -> None:
    send(receiver, method=method, format="yaml")
    [got] = receiver.got
    assert (got.method, got.headers["content-type"], yaml.safe_load(got.body)) == (method, "application/yaml", PAYLOAD)


@pytest.mark.parametrize(
    ("authentication", "name", "value"),
    [
        ("basic", "authorization", f"Basic {base64.b64encode(b'ann:s3cret').decode()}"),
        ("bearer", "authorization", "Bearer s3cret"),
        ("token", "authorization", "Token s3cret"),
        ("header", "x-api-key", "s3cret"),
    ],
)
def test_the_receiver_knows_who_sends(receiver: Receiver, authentication: str, name: str, value: str) -> None:
    send(receiver, "s3cret", authentication=authentication, username="ann", header="X-Api-Key")
    assert receiver.got[0].headers[name] == value


@pytest.mark.parametrize("authentication", ["basic", "bearer", "token", "header", "hmac", "digest"])
def test_a_secret_with_accents_is_sent_in_utf8(receiver: Receiver, authentication: str) -> None:
    if authentication == "digest":
        receiver.says = [Says(401, {"WWW-Authenticate": 'Digest realm="r", nonce="abc", qop="auth"'})]
    name = "Zoe" if authentication == "digest" else "Zoé"
    made = send(receiver, "clé été", authentication=authentication, username=name, header="X-Api-Key")
    assert made.outcome is Outcome.DELIVERED
    given = receiver.got[-1].headers
    if authentication in ("bearer", "token", "header"):
        value = given["x-api-key" if authentication == "header" else "authorization"]
        assert value.encode("latin-1").decode().endswith("clé été")


def test_a_name_that_digest_cannot_send_is_said(receiver: Receiver) -> None:
    receiver.says = [Says(401, {"WWW-Authenticate": 'Digest realm="r", nonce="abc", qop="auth"'})]
    assert send(receiver, "s3cret", authentication="digest", username="Zoé") == Attempt(
        Outcome.NEVER, None, "Digest cannot send this user name: choose one without accents"
    )


def test_digest_answers_the_challenge(receiver: Receiver) -> None:
    def judge(got: Got) -> Says:
        given = got.headers.get("authorization")
        if given is None:
            return Says(401, {"WWW-Authenticate": 'Digest realm="r", nonce="abc", qop="auth", algorithm=SHA-256'})
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', given.removeprefix("Digest ")))
        inner = [hashlib.sha256(text.encode()).hexdigest() for text in ("ann:r:s3cret", f"POST:{said['uri']}")]
        asked = ":".join([inner[0], "abc", said["nc"], said["cnonce"], "auth", inner[1]])
        return Says(200 if said["response"] == hashlib.sha256(asked.encode()).hexdigest() else 403)

    receiver.judge = judge
    made = send(receiver, "s3cret", authentication="digest", username="ann")
    assert (made, [json.loads(got.body) for got in receiver.got]) == (
        Attempt(Outcome.DELIVERED, 200, ""),
        [PAYLOAD] * 2,
    )


def test_a_challenge_without_end_is_read_no_further_than_the_bound(receiver: Receiver) -> None:
    receiver.says = [Says(401, {"WWW-Authenticate": 'Digest realm="r", nonce="a"'}, b"x" * 10_000_000)]
    assert send(receiver, "s3cret", authentication="digest", username="ann").outcome is Outcome.DELIVERED


def test_the_signature_covers_number_time_and_body(receiver: Receiver) -> None:
    send(receiver, "s3cret", authentication="hmac")
    [got] = receiver.got
    signed = b"n1." + got.headers["webhook-timestamp"].encode() + b"." + got.body
    expected = base64.b64encode(hmac.digest(b"s3cret", signed, "sha256")).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("page", ["webhooks.md", "webhooks.fr.md"])
def test_the_check_that_the_page_shows_tells_ours_from_others(receiver: Receiver, page: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to" / page).read_text()
    shown = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    room: dict[str, Any] = {}
    exec(shown[1], room)  # the page's own lines
    send(receiver, "s3cret", authentication="hmac")
    [got] = receiver.got
    headers = {name.title(): value for name, value in got.headers.items()}
    told = [
        room["is_ours"](key, headers, body) for key, body in (("s3cret", got.body), ("x", got.body), ("s3cret", b""))
    ]
    assert told == [True, False, False]


# --- answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED), (204, Outcome.DELIVERED), (299, Outcome.DELIVERED), (304, Outcome.NEVER),
        (400, Outcome.NEVER), (401, Outcome.NEVER), (404, Outcome.NEVER), (408, Outcome.AGAIN), (429, Outcome.AGAIN),
        (500, Outcome.AGAIN), (503, Outcome.AGAIN), (599, Outcome.AGAIN),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, outcome: Outcome) -> None:
    assert judged(status, {}, NOW).outcome is outcome


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("999999999999", timedelta(days=1)),
        ("Sat, 28 Nov 2026 06:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 28 Nov 2026 05:00:00 GMT", timedelta(0)),
        ("Sat, 28 Nov 2126 05:00:00 -0000", timedelta(days=1)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_the_pause_that_an_answer_asks_for(text: str, wait: timedelta | None) -> None:
    assert judged(503, {"retry-after": text}, NOW).wait == wait


def test_where_an_answer_points_is_not_followed(receiver: Receiver) -> None:
    receiver.says = [Says(307, {"Location": receiver.url})]
    made = send(receiver)
    assert (made.outcome, len(receiver.got)) == (Outcome.NEVER, 1)
    assert made.said == "answered 307; it points elsewhere, and that is not followed: enter the new address"


# --- trouble -----------------------------------------------------------------------------------------


def test_a_target_that_does_not_answer_is_left_in_time(receiver: Receiver) -> None:
    never = threading.Event()
    receiver.says = [Says(hold=never)]
    made = send(receiver, timeout=1)
    never.set()
    assert (made.outcome, made.status, made.said.partition(":")[0]) == (Outcome.AGAIN, None, "ReadTimeout")


def test_a_target_that_gives_a_byte_now_and_then_is_left_in_time() -> None:
    """Each byte is in time; the whole is not."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not left.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    made = send(Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}/"), timeout=1)
    left.set()
    thread.join()
    listener.close()
    assert (made.outcome, made.said.partition(":")[0]) == (Outcome.AGAIN, "ReadTimeout")


@pytest.mark.parametrize(
    "answer", [b"", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_a_target_that_speaks_something_else_is_tried_again(answer: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=speak)
    thread.start()
    made = send(Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
    thread.join()
    listener.close()
    assert (made.outcome, made.said.partition(":")[0]) == (Outcome.AGAIN, "RemoteProtocolError")


def test_a_closed_port_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    made = send(Receiver(f"http://127.0.0.1:{port}/"))
    assert (made.outcome, made.said.partition(":")[0]) == (Outcome.AGAIN, "ConnectError")


def test_a_name_that_nobody_knows_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert send(Receiver("https://hook.example/")) == Attempt(
        Outcome.AGAIN, None, "gaierror: [Errno -2] Name or service not known"
    )


def test_a_target_of_this_network_is_refused_unless_that_is_allowed(receiver: Receiver) -> None:
    made = send(receiver, private=False)
    assert (made.outcome, made.said, receiver.got) == (
        Outcome.NEVER,
        "127.0.0.1 is 127.0.0.1, which is no public address; webhooks.private in config.yaml allows those",
        [],
    )


def test_a_name_is_looked_up_once_and_that_address_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name that changes between two look-ups the second answer is never asked for."""
    port = httpx.URL(receiver.url).port
    asked: list[str] = []
    real = socket.getaddrinfo

    def once(host: str, *given: Any, **named: Any) -> Any:
        if host == "hook.example":
            asked.append(host)
            return real("127.0.0.1", *given, **named)
        assert host == "127.0.0.1", "an address, which needs no look-up"
        return real(host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    made = send(Receiver(f"http://hook.example:{port}/hook"))
    assert (made.outcome, asked, receiver.got[0].headers["host"]) == (
        Outcome.DELIVERED, ["hook.example"], f"hook.example:{port}",
    )  # fmt: skip


@pytest.mark.parametrize(("name", "outcome"), [("hook.example", Outcome.DELIVERED), ("other.example", Outcome.AGAIN)])
def test_a_certificate_must_be_the_names_although_an_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, outcome: Outcome
) -> None:
    authority = Authority(tmp_path, "ours")
    certificate = authority.sign("hook", f"DNS:{name}")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.cert, certificate.key)
    real = socket.getaddrinfo
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *given, **named: real("127.0.0.1", *given, **named))
    with receiving(tls) as receiver:
        port = httpx.URL(receiver.url).port
        made = send(Receiver(f"https://hook.example:{port}/hook"))
        assert (made.outcome, len(receiver.got)) == (outcome, outcome is Outcome.DELIVERED)
    assert ("certificate" in made.said) is (outcome is Outcome.AGAIN)


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert send(receiver).outcome is Outcome.DELIVERED


def test_a_secret_that_cannot_be_read_is_said(receiver: Receiver, settings: Any) -> None:
    webhook = Webhook(name="hook", url=receiver.url, authentication="bearer")
    webhook.secret = "s3cret"
    settings.SECRET_KEY = "another"
    made = attempt(webhook, "n1", PAYLOAD, private=True, now=NOW)
    assert (made.outcome, made.said.partition(":")[0]) == (Outcome.NEVER, "its secret cannot be read")
