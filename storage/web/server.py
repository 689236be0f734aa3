"""Uvicorn in this process: says where it listens, and stops at once even while browsers listen."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final, Protocol

import click
import uvicorn

from bridge.config import Settings
from bridge.watchdog import Pulse, Watchdog
from storage.web.accounts import START_LIFE, start_link

log = logging.getLogger("ticbridge.web")

_BACKLOG: Final = 128
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  compared
_GRACE: Final = 2.0  # seconds that requests under way may take at a stop


class Application(Protocol):
    """An ASGI application whose endless answers can be ended."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...  # ASGI's own shapes

    def close(self) -> None: ...

    def pulses(self) -> Iterator[Pulse]: ...

    def status(self) -> str: ...


def serve(settings: Settings, application: Application) -> int:
    """Serve until SIGINT or SIGTERM."""
    host, port = settings.web.address
    try:
        listener = _listen(host, port)
    except OSError as error:
        click.echo(f"ticbridge: {_sentence(settings.web.listen, error)}", err=True)
        return 1
    address = _address(host, listener.getsockname()[1])
    link = start_link()
    first = f"{settings.web.base_url or address}".rstrip("/") + link if link else None
    config = uvicorn.Config(
        application, lifespan="on", ws="none", log_config=None, log_level="warning", access_log=False,
        server_header=False, proxy_headers=False,  # who the client is, storage.tokens.client finds out
    )  # fmt: skip
    running = _Server(config, application, lambda: _welcome(address, first))
    try:
        running.run([listener])
    finally:
        if not running.force_exit:  # else threads may still wait, and Python would wait for them
            running.deadline.cancel()
    return 0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: Application, welcome: Callable[[], None]) -> None:
        super().__init__(config)
        self._close = application.close
        self._pulse = Pulse("event loop")
        self._watchdog = Watchdog(lambda: (self._pulse, *application.pulses()), application.status)
        self._welcome = welcome
        self.deadline = threading.Timer(_GRACE, _leave)
        self.deadline.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the streams first: they would hold the stop up. A second Ctrl-C ends everything."""
        self._watchdog.stop()
        self._close()
        if not self.should_exit:
            self.deadline.start()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True  # and not kept to be raised again, which would make this exit look like a failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._watchdog.start()
        self._welcome()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, on the event loop."""
        self._pulse.beat()
        return await super().on_tick(counter)


def _leave() -> None:
    """End although a request is under way: its thread cannot be ended, and may wait long for a locked database.

    What it did not commit is undone, as at any other failure.
    """
    log.warning("A request was still under way after %g s and was given up", _GRACE)
    logging.shutdown()
    os._exit(0)


def _listen(host: str, port: int) -> socket.socket:
    """A socket of our own: uvicorn would end the process by itself when the port is taken."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _sentence(listen: str, error: OSError) -> str:
    number = error.errno
    if number == errno.EADDRINUSE:
        return f"web.listen: {listen} is in use: does another web process run? Else choose another port"
    if number in (errno.EACCES, errno.EPERM):
        return f"web.listen: {listen} is not allowed to this user: choose a port from 1024 on"
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"web.listen: {listen} is no address of this machine: is it right? 127.0.0.1 always is one"
    return f"web.listen: {listen} cannot be listened on ({error.strerror})"


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds us."""
    name = "localhost" if host in _ANYWHERE else host
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def _welcome(address: str, first: str | None) -> None:
    click.echo(f"ticbridge web: {address}")
    if first is not None:
        minutes = int(START_LIFE.total_seconds() // 60)
        click.echo(f"ticbridge web: nobody has an account yet; within {minutes} minutes, make the first one: {first}")
