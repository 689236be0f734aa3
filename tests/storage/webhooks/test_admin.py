"""Webhooks as their owner edits them, and the outbox as he sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from storage.webhooks.courier import Courier
from storage.webhooks.models import Webhook
from tests.storage.entities.library.models import Book
from tests.storage.webhooks.conftest import hook, rows
from tests.storage.webhooks.receiver import Receiver, Says

pytestmark = pytest.mark.django_db
FORM = {
    "name": "hook", "url": "https://example.org/", "is_active": "on", "types": ["library.book"],
    "events": ["created", "over_power"], "method": "POST", "format": "json", "authentication": "bearer",
    "new_secret": "s3cret", "timeout": "10", "retries": "8", "delay": "10",
}  # fmt: skip


@pytest.fixture
def browser() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("owner"))
    return client


def test_a_webhook_is_made_and_its_secret_never_shown(browser: Client) -> None:
    answer = browser.post("/admin/webhooks/webhook/add/", FORM)
    made = Webhook.objects.get()
    assert (answer.status_code, made.types, made.events, made.secret) == (
        302, ["library.book"], ["created", "over_power"], "s3cret",
    )  # fmt: skip
    page = browser.get(f"/admin/webhooks/webhook/{made.pk}/change/").content.decode()
    assert ["s3cret" in page, made.sealed in page, 'name="new_secret"' in page] == [False, False, True]
    history = browser.get(f"/admin/webhooks/webhook/{made.pk}/history/").content.decode()
    assert "s3cret" not in history


def test_a_secret_that_is_left_empty_stays(browser: Client) -> None:
    made = hook("https://example.org/", "s3cret", authentication="bearer")
    browser.post(f"/admin/webhooks/webhook/{made.pk}/change/", {**FORM, "new_secret": "", "timeout": "5"})
    made.refresh_from_db()
    assert (made.timeout, made.secret) == (5, "s3cret")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"url": "ftp://example.org/"}, "begins with http:// or https://"),
        ({"url": "https://ann:x@example.org/"}, "No name or password in the address"),
        ({"new_secret": ""}, "This needs a secret"),
        ({"new_secret": "a\tb"}, "one line without control characters"),
        ({"authentication": "basic"}, "need a user name"),
        ({"authentication": "digest", "username": "Zoé"}, "with accents"),
        ({"authentication": "header", "header": "Host"}, "Give the name of a header"),
        ({"authentication": "header", "header": "X Y"}, "Give the name of a header"),
        ({"timeout": "31"}, "less than or equal to 30"),
        ({"events": ["unheard"]}, "not one of the available choices"),
        ({"types": ["webhooks.webhook"]}, "not one of the available choices"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_could_never_be_sent_is_refused(browser: Client, change: dict[str, Any], complaint: str) -> None:
    page = browser.post("/admin/webhooks/webhook/add/", {**FORM, **change}).content.decode()
    assert (complaint in page, Webhook.objects.count()) == (True, 0)


def test_what_was_given_up_is_seen_with_its_reason_and_sent_again(
    browser: Client, receiver: Receiver, courier: Courier
) -> None:
    receiver.says = [Says(404)]
    hook(receiver.url)
    Book.objects.create(title="Emma")
    courier.turn()
    page = browser.get("/admin/webhooks/delivery/").content.decode()
    assert ["answered 404" in page, "given up" in page] == [True, True]
    browser.post("/admin/webhooks/delivery/", {"action": "send_again", "_selected_action": ["1"], "select_across": "1"})
    courier.turn()
    assert rows() == [("created", "delivered", 1, 200, "")]


def test_an_outbox_is_not_written_by_hand(browser: Client, receiver: Receiver) -> None:
    hook(receiver.url)
    Book.objects.create(title="Emma")
    assert browser.get("/admin/webhooks/delivery/add/").status_code == 403
    page = browser.get("/admin/webhooks/webhook/").content.decode()
    assert ['field-waiting">1<' in page, 'field-given_up">0<' in page] == [True, True]


def test_who_may_only_look_sees_no_field_for_a_secret(receiver: Receiver) -> None:
    made = hook(receiver.url)
    user = User.objects.create(username="guest", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_webhook"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    answer = client.get(f"/admin/webhooks/webhook/{made.pk}/change/")
    assert (answer.status_code, b"new_secret" in answer.content) == (200, False)
