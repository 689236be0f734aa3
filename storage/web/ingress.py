"""Inside Home Assistant: its Supervisor's ingress stands before us, knows who is logged in, and has a path of its own.

Only its address is let in at all, so what it says is believed: under which path, host and scheme the browser sees us
(X-Ingress-Path, X-Forwarded-Host, X-Forwarded-Proto), and who is in front of it (X-Remote-User-Name).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase

USER: Final = "ticbridge.ingress.user"  # in the scope
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.-]{1,100}){1,5}")
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_ANY_PATH: Final = re.compile(rb"Path=/[^;]*", re.IGNORECASE)
_SOMEBODY: Final = "homeassistant"
_LONGEST: Final = 150  # characters of a user's name, as Django has it
_REFUSED: Final = b"This page is open inside Home Assistant only.\n"

_Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class Ingress:
    """An ASGI application around ours."""

    def __init__(self, inner: Any, proxies: list[str]) -> None:  # Any: ASGI has no type
        self._inner = inner
        self._proxies = [ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # ASGI's own shapes
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
        elif self._is_proxy(scope):
            outside = _seen_from_outside(scope)
            await self._inner(outside, receive, _keeping_cookies_below(outside.get("root_path", ""), send))
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSED})

    def close(self) -> None:
        """End the streams."""
        self._inner.close()

    def _is_proxy(self, scope: dict[str, Any]) -> bool:  # as above
        client = scope.get("client")
        return client is not None and any(ip_address(client[0]) in network for network in self._proxies)


def _seen_from_outside(scope: dict[str, Any]) -> dict[str, Any]:  # as above
    said: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        said.setdefault(name, value.decode("latin-1"))  # the Supervisor's own comes first, a browser's claim after it
    path = said.get(b"x-ingress-path", "").rstrip("/")
    if not _PATH.fullmatch(path):
        return scope  # the Supervisor's own look at /healthz, say: it is nobody
    outside = {**scope, "root_path": path, "path": path + scope["path"]}
    outside[USER] = said.get(b"x-remote-user-name", "")[:_LONGEST] or _SOMEBODY
    if (scheme := said.get(b"x-forwarded-proto")) in ("http", "https"):
        outside["scheme"] = scheme
    host = said.get(b"x-forwarded-host", "")
    if _HOST.fullmatch(host):
        kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
        outside["headers"] = [(b"host", host.encode()), *kept]
    return outside


def _keeping_cookies_below(root: str, send: Any) -> Any:  # as above
    """Home Assistant and other add-ons share the browser's host with us: our cookies stay below our path."""
    if not root:
        return send
    path = f"Path={root}/".encode()

    async def keep(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            headers = [
                (name, _ANY_PATH.sub(path, value) if name.lower() == b"set-cookie" else value)
                for name, value in event["headers"]
            ]
            event = {**event, "headers": headers}
        await send(event)

    return keep


class IngressUser:
    """A middleware: who stands before Home Assistant is logged in here too, without a session and without a password.

    Everybody whom Home Assistant shows the page may do everything: the add-on shows it to its administrators only.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        name = getattr(request, "scope", {}).get(USER)
        if iscoroutinefunction(self._get_response):
            return self._later(request, name)
        if name is not None:
            _log_in(request, _user(name))
        return self._get_response(request)

    async def _later(self, request: HttpRequest, name: str | None) -> HttpResponseBase:
        if name is not None:
            _log_in(request, await sync_to_async(_user)(name))
        answer: HttpResponseBase = await self._get_response(request)  # type: ignore[misc]  # an async stack
        return answer


def _user(name: str) -> User:
    user, made = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": True})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _log_in(request: HttpRequest, user: User) -> None:
    if not user.is_active:
        return  # switched off here: a stranger, who finds the login page

    async def auser() -> User:
        return user

    request.user = user
    request.auser = auser
