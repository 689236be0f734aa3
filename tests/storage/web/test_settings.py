"""The page Settings: names, tokens, accounts, webhooks, and the configuration to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from storage.api.access import may
from storage.models import Data, Meter
from storage.queries import meters
from storage.tariffs.models import Contract
from storage.tokens.models import Scope, Token
from storage.web.pages.settings.overview import MASKED, shown
from storage.web.roles import Role, give, refresh, role_of
from storage.webhooks.models import Delivery, Webhook
from tests.storage.web.samples import METER, stored_meter

PATHS = ["", "configuration/", "tokens/", "users/", "password/", "webhooks/", "webhooks/new/"]
HOOK = {
    "name": "Node-RED", "url": "https://example.org/x", "is_active": "on", "events": ["tariff_change"],
    "method": "POST", "format": "json", "authentication": "none", "timeout": "5", "retries": "2", "delay": "10",
}  # fmt: skip


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def guest(role: Role | None = None) -> Client:
    user = User.objects.create_user("guest", password="correct horse battery")
    if role is not None:
        give(user, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", PATHS)
def test_each_page_opens_for_its_owner(browser: Client, path: str) -> None:
    stored_meter()
    assert browser.get(f"/settings/{path}").status_code == 200


@pytest.mark.parametrize("path", ["configuration/", "tokens/", "users/", "webhooks/", "webhooks/new/"])
def test_who_may_only_look_is_turned_away(db: None, path: str) -> None:
    client = guest(Role.LOOK)
    assert client.get(f"/settings/{path}").status_code == 403
    assert client.post(f"/settings/{path}").status_code in (403, 405)
    overview = client.get("/settings/")
    assert overview.status_code == 200
    assert f"/settings/{path}" not in overview.content.decode()


# --- meters --------------------------------------------------------------------------------------


def test_a_meter_is_named_and_put_first(browser: Client) -> None:
    stored_meter()
    second = stored_meter("042161000002")
    first = Meter.objects.get(meter_id=METER)
    assert list(meters()) == [first, second]
    browser.post(f"/settings/meters/{METER}/", {"name": "", "position": "2"})
    answer = browser.post(f"/settings/meters/{second.meter_id}/", {"name": "Workshop", "position": "1"}, follow=True)
    assert "042161000002 is called Workshop now. Workshop has place 1 in lists." in text_of(answer)
    assert [str(meter) for meter in meters()] == ["Workshop", METER]
    record = second.history.order_by("-history_id").first()
    assert (record.name, record.history_user.username) == ("Workshop", "owner")


def test_who_may_only_look_names_no_meter(db: None) -> None:
    stored_meter()
    client = guest(Role.LOOK)
    assert client.post(f"/settings/meters/{METER}/", {"name": "Mine", "position": "1"}).status_code == 403
    assert Meter.objects.get().name == ""


# --- configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("password", "hunter2", MASKED), ("token", "abc", MASKED), ("password_file", "/etc/x", "/etc/x"),
        ("database", "postgresql://me:hunter2@host/db?sslpassword=hunter2&x=1",
         f"postgresql://me:{MASKED}@host/db?sslpassword={MASKED}&x=1"),
        ("url", "http://localhost:8123", "http://localhost:8123"), ("host", "localhost", "localhost"),
        ("keep", None, "–"), ("retain", True, "true"), ("fields", ["a", "b"], "a, b"),
    ],
)  # fmt: skip
def test_a_value_is_shown_without_its_secret(name: str, value: Any, seen: str) -> None:
    assert shown(name, value) == seen


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(browser: Client) -> None:
    stored_meter()
    answer = browser.post("/settings/tokens/", {"name": "Grafana", "scopes": [Scope.HISTORY], "expires": ""})
    assert answer.headers["cache-control"].count("no-store") == 1
    found = re.search(r"tb_[0-9a-f]{12}_[\w-]+", answer.content.decode())
    assert found is not None
    program = Client(headers={"authorization": f"Bearer {found[0]}"})
    assert program.get("/api/v1/meters/").status_code == 200
    token = Token.objects.get()
    listed = text_of(browser.get("/settings/tokens/"))
    assert "Grafana" in listed
    assert found[0] not in listed
    address = f"/settings/tokens/{token.pk}/revoke/"
    assert "Revoke the token" in text_of(browser.get(address))
    assert program.get("/api/v1/meters/").status_code == 200
    browser.post(address)
    assert program.get("/api/v1/meters/").status_code == 401


def test_a_day_that_is_over_is_no_end(browser: Client) -> None:
    answer = browser.post("/settings/tokens/", {"name": "x", "scopes": ["live"], "expires": "2020-01-01"})
    assert "This day is over." in text_of(answer)
    assert not Token.objects.exists()


def test_a_token_of_somebody_else_is_not_there(owner: User) -> None:
    token, _ = Token.issue(owner, "attic", ["live"])
    client = guest(Role.CHANGE)
    assert "attic" not in text_of(client.get("/settings/tokens/"))
    assert client.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404


# --- accounts ------------------------------------------------------------------------------------


def test_an_account_comes_in_by_its_link_once_and_chooses_a_password(browser: Client) -> None:
    answer = browser.post("/settings/users/", {"username": "anna", "role": "look", "password": ""})
    found = re.search(r"http://testserver(/enter/[\w/-]+)", answer.content.decode())
    assert found is not None
    anna = Client(headers={"accept-language": "en"})
    assert anna.get(found[1]).status_code == 302
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert "Your password is changed" in text_of(anna.post("/settings/password/", new, follow=True))
    assert Client().get(found[1]).status_code == 410
    assert Client().login(username="anna", password="correct horse battery")


def test_a_password_may_be_given_and_must_be_good(browser: Client) -> None:
    weak = browser.post("/settings/users/", {"username": "anna", "role": "look", "password": "12345"})
    assert "too short" in text_of(weak)
    assert not User.objects.filter(username="anna").exists()
    good = browser.post(
        "/settings/users/", {"username": "anna", "role": "change", "password": "correct horse"}, follow=True
    )
    assert "The account anna was made." in text_of(good)
    assert Client().login(username="anna", password="correct horse")
    assert "already" in text_of(browser.post("/settings/users/", {"username": "ANNA", "role": "look", "password": ""}))


@pytest.mark.django_db
def test_a_role_is_what_its_name_says() -> None:
    user = User.objects.create_user("anna")
    rights = {}
    for role in Role:
        give(user, role)
        fresh = User.objects.get(pk=user.pk)
        assert role_of(fresh) is role
        asked = [("view", Data), ("add", Data), ("change", Meter), ("change", Contract), ("view", Webhook)]
        rights[role] = [may(fresh, *one) for one in asked]
    assert rights == {
        Role.OWNER: [True] * 5,
        Role.CHANGE: [True, True, True, True, False],
        Role.LOOK: [True, False, False, False, False],
    }


@pytest.mark.django_db
def test_a_migration_renews_what_roles_may() -> None:
    user = User.objects.create_user("anna")
    give(user, Role.LOOK)
    user.groups.get().permissions.clear()
    refresh()
    assert may(User.objects.get(pk=user.pk), "view", Data)
    assert not may(User.objects.get(pk=user.pk), "add", Data)


def test_an_account_is_switched_off_after_a_question(browser: Client) -> None:
    client = guest(Role.LOOK)
    user = User.objects.get(username="guest")
    assert "Switch guest off?" in text_of(browser.get(f"/settings/users/{user.pk}/switch/"))
    assert client.get("/").status_code == 200
    browser.post(f"/settings/users/{user.pk}/switch/")
    assert client.get("/").headers["location"].startswith("/login/")


def test_an_owner_cannot_lock_himself_out(browser: Client, owner: User) -> None:
    browser.post(f"/settings/users/{owner.pk}/switch/")
    browser.post(f"/settings/users/{owner.pk}/", {"role": "look"})
    owner.refresh_from_db()
    assert (owner.is_active, owner.is_superuser) == (True, True)


def test_who_is_no_owner_makes_no_owner(owner: User) -> None:
    client = guest(Role.CHANGE)
    me = User.objects.get(username="guest")
    me.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    assert client.post(f"/settings/users/{me.pk}/", {"role": "owner"}).status_code == 403
    assert client.post(f"/settings/users/{owner.pk}/link/").status_code == 403


# --- webhooks ------------------------------------------------------------------------------------


def test_a_webhook_is_added_changed_and_switched_off(browser: Client) -> None:
    assert "The webhook Node-RED was added." in text_of(browser.post("/settings/webhooks/new/", HOOK, follow=True))
    row = Webhook.objects.get()
    address = f"/settings/webhooks/{row.uuid}/"
    changed = text_of(browser.post(address, {**HOOK, "timeout": "7"}, follow=True))
    assert "Node-RED was changed: Time limit (s)." in changed
    assert "Switch Node-RED off?" in text_of(browser.get(f"{address}switch/"))
    browser.post(f"{address}switch/")
    row.refresh_from_db()
    assert (row.timeout, row.is_active, row.current_user) == (7, False, User.objects.get())


def test_a_key_is_drawn_and_shown_once(browser: Client) -> None:
    answer = browser.post("/settings/webhooks/new/", {**HOOK, "authentication": "hmac"})
    row = Webhook.objects.get()
    assert row.secret.startswith("whsec_")
    assert row.secret in answer.content.decode()
    page = browser.get(f"/settings/webhooks/{row.uuid}/").content.decode()
    assert row.secret not in page
    kept = row.secret
    browser.post(f"/settings/webhooks/{row.uuid}/", {**HOOK, "authentication": "hmac"})
    row.refresh_from_db()
    assert row.secret == kept


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_webhook_is_tried_and_says_what_came_of_it(browser: Client, receiver: HTTPServer, settings: Any) -> None:
    settings.NOTIFY_PRIVATE = True
    url = f"http://127.0.0.1:{receiver.server_port}/"
    row = Webhook.objects.create(name="here", url=url)
    address = f"/settings/webhooks/{row.uuid}/test/"
    assert "It arrived (the answer was 204)." in text_of(browser.post(address, follow=True))
    Webhook.objects.filter(pk=row.pk).update(url="http://127.0.0.1:9/")
    assert "It did not arrive:" in text_of(browser.post(address, follow=True))


def test_what_was_given_up_is_sent_again(browser: Client) -> None:
    row = Webhook.objects.create(name="here", url="https://example.org/")
    Delivery.objects.create(webhook=row, event="x", payload={}, state=Delivery.State.GIVEN_UP, said="no answer")
    assert "no answer" in text_of(browser.get(f"/settings/webhooks/{row.uuid}/"))
    browser.post(f"/settings/webhooks/{row.uuid}/again/")
    assert Delivery.objects.get().state == Delivery.State.WAITING
