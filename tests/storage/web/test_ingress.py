"""Inside Home Assistant: a Supervisor's requests, as its own code makes them, against the whole application."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.db import connection

from bridge.config import WebSettings
from bridge.topics import Topics
from storage.asgi import Application
from storage.operations.fleet import Fleet
from storage.web.hub import Hub
from storage.web.ingress import Ingress
from tests.storage.web.conftest import NoSource
from tests.storage.web.samples import METER, stored_meter

SUPERVISOR: Final = "172.30.32.2"
PATH: Final = "/api/hassio_ingress/uGxb2-Qj_c"
FORWARDED: Final = {
    "X-Remote-User-Id": "0123456789abcdef", "X-Remote-User-Name": "marie", "X-Ingress-Path": PATH,
    "X-Forwarded-Host": "homeassistant.local:8123", "X-Forwarded-Proto": "http", "Host": "172.30.33.5:8000",
}  # fmt: skip


class Reached:
    """The application behind an ingress."""

    def __init__(self) -> None:
        inner = Application(get_asgi_application(), Hub(), Fleet(Topics()), NoSource())
        self._application = Ingress(inner, [f"{SUPERVISOR}/32"])
        self.cookies: list[str] = []

    def ask(
        self, path: str, headers: dict[str, str] | None = None, client: str = SUPERVISOR, body: bytes | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers, text."""
        return asyncio.run(self._ask(path, FORWARDED if headers is None else headers, client, body))

    async def _ask(
        self, path: str, headers: dict[str, str], client: str, body: bytes | None
    ) -> tuple[int, dict[str, str], str]:  # fmt: skip
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "method": "GET" if body is None else "POST", "path": path, "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": (client, 1), "server": ("172.30.33.5", 8000), "scheme": "http", "asgi": {"version": "3.0"},
        }  # fmt: skip

        asked = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not asked.is_set():
                asked.set()
                return {"type": "http.request", "body": body or b"", "more_body": False}
            await asyncio.Event().wait()
            raise AssertionError("nobody leaves here")

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self._application(scope, receive, send)
        self.cookies += [value.decode() for name, value in sent[0]["headers"] if name.lower() == b"set-cookie"]
        answered = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(event.get("body", b"") for event in sent[1:]).decode()


@pytest.fixture
def reached(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Reached:
    """With the settings of `web.ingress: true`."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    after = "django.contrib.auth.middleware.AuthenticationMiddleware"
    middleware = list(django_settings.MIDDLEWARE)
    middleware.insert(middleware.index(after) + 1, "storage.web.ingress.IngressUser")
    settings.MIDDLEWARE = middleware
    settings.ALLOWED_HOSTS = ["*"]
    return Reached()


def test_whoever_is_logged_in_at_home_assistant_is_logged_in_here(reached: Reached) -> None:
    stored_meter(METER)
    status, _, _ = reached.ask("/")
    assert (status, User.objects.get().username) == (200, "marie")
    assert User.objects.get().is_superuser
    assert not User.objects.get().has_usable_password()


def test_every_address_of_a_page_lies_below_the_ingress(reached: Reached) -> None:
    reached.ask("/healthz", headers={"Host": "172.30.33.5:8000"})  # what comes first must not decide
    _, _, page = reached.ask("/")
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert addresses
    assert [address for address in addresses if not address.startswith(f"{PATH}/")] == []
    assert reached.ask("/static/storage/page.css")[0] == 200


def test_cookies_stay_below_the_ingress(reached: Reached) -> None:
    reached.ask("/")
    assert reached.cookies
    assert [cookie for cookie in reached.cookies if f"Path={PATH}/" not in cookie] == []


def test_a_form_of_the_page_is_taken(reached: Reached) -> None:
    _, _, page = reached.ask("/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    cookie = next(cookie.partition(";")[0] for cookie in reached.cookies if cookie.startswith("csrftoken"))
    headers = {
        **FORWARDED, "Cookie": cookie, "Origin": "http://homeassistant.local:8123",
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    body = f"csrfmiddlewaretoken={token[1]}&theme=dark&next={PATH}/".encode()
    status, answer, _ = reached.ask("/theme/", headers, body=body)
    assert (status, answer["location"]) == (302, f"{PATH}/")
    assert reached.ask("/theme/", {**headers, "Origin": "http://elsewhere.example"}, body=body)[0] == 403


@pytest.mark.parametrize("client", ["172.30.33.7", "192.168.1.5"])
def test_nobody_but_the_supervisor_is_let_in_whatever_he_claims(reached: Reached, client: str) -> None:
    status, _, text = reached.ask("/", client=client)
    assert (status, User.objects.count()) == (403, 0)
    assert "Home Assistant" in text


def test_the_supervisors_own_look_is_nobody(reached: Reached) -> None:
    assert reached.ask("/healthz/live", headers={"Host": "172.30.33.5:8000"})[0] == 200
    status, headers, _ = reached.ask("/", headers={"Host": "172.30.33.5:8000"})
    assert (status, headers["location"]) == (302, "/login/?next=/")


@pytest.mark.parametrize("path", ["", "no-slash", "/with space", "/" + "a" * 300, "//elsewhere.example"])
def test_a_path_that_is_none_is_not_believed(reached: Reached, path: str) -> None:
    assert reached.ask("/", headers={**FORWARDED, "X-Ingress-Path": path})[0] == 302
    assert User.objects.count() == 0


def test_an_account_that_was_switched_off_here_stays_out(reached: Reached) -> None:
    User.objects.create_user("marie", is_active=False)
    assert reached.ask("/")[0] == 302


def test_without_the_supervisors_address_it_does_not_start() -> None:
    with pytest.raises(ValueError, match="ingress: needs the address of Home Assistant's Supervisor in proxies"):
        WebSettings(ingress=True)
    assert WebSettings(ingress=True, proxies=[SUPERVISOR]).ingress
