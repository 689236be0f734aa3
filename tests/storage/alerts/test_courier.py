"""The thread that looks at the clock's rules and sends what waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError

from bridge.config import Settings
from bridge.topics import Message
from storage.alerts.checking import Checks
from storage.alerts.courier import Courier
from storage.alerts.models import Alert, Delivery
from storage.alerts.service import alerting
from storage.models import Meter
from tests.broker.conftest import free_port
from tests.storage.alerts.postbox import Postbox
from tests.storage.alerts.samples import METER, House, deliveries, rule

pytestmark = pytest.mark.django_db

Publish = Callable[[Message], bool]


def settings(port: int, language: str = "en") -> Settings:
    mail = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "linky@example.org"}
    return Settings.model_validate({"mail": mail, "homeassistant": {"language": language}})


def courier(house: House, port: int, publish: Publish | None = None, language: str = "en") -> Courier:
    checks = Checks(clock=lambda: 0.0, now=lambda: house.now)
    return Courier(settings(port, language), checks, publish, clock=lambda: 0.0, now=lambda: house.now)


def due_now(house: House) -> None:
    Delivery.objects.filter(state="waiting").update(due=house.now)


def test_what_waits_is_sent_once_by_each_way(house: House) -> None:
    rule(recipients="me@example.org", duration=60)
    house.draw(*[9000] * 4, every=30.0)
    house.draw(500)
    due_now(house)
    sent: list[Message] = []
    postbox = Postbox()

    def publish(message: Message) -> bool:
        sent.append(message)
        return True

    one = courier(house, postbox.port, publish)
    with postbox.open():
        for _ in range(4):
            one.turn()
    uuid = str(Alert.objects.get().uuid)
    about = {"rule": "too much", "since": "2026-11-21T11:00:30+00:00", "alert": uuid}
    assert [(m.topic, json.loads(m.payload), m.retain, m.qos) for m in sent] == [
        (f"linky/{METER}/alert", {**about, "state": "raised", "value": 9000}, False, 1),
        (f"linky/{METER}/alert", {**about, "state": "cleared", "value": 500}, False, 1),
    ]
    assert [mail["Subject"] for mail in postbox.mails] == ["Alert: too much (…0001)", "Over: too much (…0001)"]
    assert {state for *_, state in deliveries()} == {"sent"}


SIGNATURE = "-- \nticbridge\n"
TEXT = f"""\
Alerte : Trop & plus (Maison)

Compteur : Maison
Règle : Puissance apparente > 8000 VA pendant 60 s
Valeur : 9000 VA
Depuis : 21 novembre 2026 12:00:30

Cherchez-en la cause. Si c’est normal, changez la limite de la règle dans l’administration.

{SIGNATURE}"""
OVER = f"""\
Fin d’alerte : Trop & plus (Maison)

Compteur : Maison
Règle : Puissance apparente > 8000 VA pendant 60 s
Valeur : 500 VA
Depuis : 21 novembre 2026 12:00:30
Terminée depuis : 21 novembre 2026 12:02:02
Valeur extrême : 9500 VA

Il n’y a rien à faire.

{SIGNATURE}"""


def test_a_mail_says_everything_in_the_language_of_the_configuration(house: House) -> None:
    rule("Trop & plus", recipients="me@example.org", duration=60, mqtt=False)
    house.draw(*[9000] * 4, every=30.0)
    house.draw(9500, every=0.0)
    house.draw(500)
    due_now(house)
    Meter.objects.update(name="Maison")
    postbox = Postbox()
    with postbox.open():
        one = courier(house, postbox.port, language="fr")
        one.turn()
        one.turn()
    bodies: list[dict[str, Any]] = [
        {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()}
        for mail in postbox.mails
    ]
    assert [body["text/plain"].rstrip("\n") + "\n" for body in bodies] == [TEXT, OVER]
    assert '<html lang="fr">' in bodies[0]["text/html"]
    assert "Alerte : Trop &amp; plus (Maison)" in bodies[0]["text/html"]


def test_a_dead_mail_server_delays_nothing_else_and_is_tried_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    rule(recipients="me@example.org, you@example.org")
    house.draw(9000)
    due_now(house)
    sent: list[Message] = []
    port = free_port()

    def publish(message: Message) -> bool:
        sent.append(message)
        return True

    one = courier(house, port, publish)
    one.turn()
    one.turn()
    assert len(sent) == 1
    refused = f"The mail server 127.0.0.1:{port} refuses connections: is it running, is mail.port right?"
    assert [record.getMessage() for record in caplog.records] == [f"{refused}; trying again"]
    assert set(Delivery.objects.filter(channel="mail").values_list("state", "tries", "error")) == {
        ("waiting", 1, refused)
    }
    due_now(house)
    postbox = Postbox()
    postbox.port = port
    with postbox.open():
        one.turn()
    assert {state for *_, state in deliveries()} == {"sent"}
    assert set(postbox.recipients) == {"me@example.org", "you@example.org"}


def test_a_recipient_that_does_not_exist_keeps_no_mail_from_the_others(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    rule(recipients="me@example.org, you@example.org", mqtt=False)
    house.draw(9000)
    due_now(house)
    postbox = Postbox()
    postbox.refusal = "550 no such user"
    with postbox.open():
        courier(house, postbox.port).turn()
    assert [row[3] for row in deliveries()] == ["failed", "failed"]
    assert len(caplog.records) == 2
    assert (
        caplog.records[0].getMessage().startswith("The alert too much was not told by mail, and is given up: The mail")
    )


def test_a_broker_that_does_not_confirm_is_tried_again(house: House) -> None:
    rule()
    house.draw(9000)
    due_now(house)
    courier(house, 1, lambda _: False).turn()
    assert list(Delivery.objects.values_list("state", "tries")) == [("waiting", 1)]
    assert "The broker did not confirm it" in Delivery.objects.get().error


def test_without_a_mail_server_the_message_says_what_to_configure(house: House) -> None:
    rule(recipients="me@example.org", mqtt=False)
    house.draw(9000)
    due_now(house)
    Courier(Settings(), Checks(now=lambda: house.now), now=lambda: house.now).turn()
    assert Delivery.objects.get().error.startswith("mail.host: no mail server is set")


def test_what_fails_in_one_part_keeps_no_other_from_its_turn(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError

    def away(*_: object) -> None:
        raise OperationalError("no route")

    rule(recipients="me@example.org")
    house.draw(9000)
    due_now(house)
    monkeypatch.setattr("storage.alerts.courier.connection.close", lambda: None)  # it holds this test's transaction
    monkeypatch.setattr(Checks, "run", breaks)
    postbox = Postbox()
    with postbox.open(), monkeypatch.context() as patch:
        patch.setattr(Courier, "_send_by_mqtt", away)
        courier(house, postbox.port, lambda _: True).turn()
    assert "A turn of alerts failed; trying again" in caplog.text
    assert "Alerts cannot be read or written (no route); trying again until they can" in caplog.text
    assert len(postbox.mails) == 1


@pytest.mark.postgresql  # a database in memory serves no two threads at once; test_programs.py has a file
@pytest.mark.django_db(transaction=True)
def test_in_a_store_the_thread_sends_by_itself() -> None:
    postbox, house = Postbox(), House(now=datetime.now(UTC))
    with postbox.open(), alerting(settings(postbox.port)):
        rule(recipients="me@example.org", mqtt=False)
        house.draw(9000)
        postbox.wait_for(1)
    house.draw(500)  # nobody hears any more
    assert [change for change, *_ in deliveries()] == ["raised"]
