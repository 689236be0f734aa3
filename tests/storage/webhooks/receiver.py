"""A program that is told: a real HTTP server of this machine, whose answers a test writes beforehand."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes


@dataclass(frozen=True)
class Says:
    """An answer. `hold`: nothing is answered until it is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hold: threading.Event | None = None


@dataclass
class Receiver:
    """What came, and what is answered: one after the other, then 200."""

    url: str
    got: list[Got] = field(default_factory=list)
    says: list[Says] = field(default_factory=list)
    judge: Callable[[Got], Says | None] = lambda _: None  # an answer that depends on the request

    def answer(self, got: Got) -> Says:
        self.got.append(got)
        judged = self.judge(got)
        if judged is not None:
            return judged
        return self.says.pop(0) if self.says else Says()


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """While it lasts, it listens on a free port of the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            says = receiver.answer(Got(self.command, self.path, headers, body))
            if says.hold is not None:
                says.hold.wait(30)
            try:
                self.send_response(says.status)
                for name, value in says.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(says.body)))
                self.end_headers()
                self.wfile.write(says.body)
            except OSError:
                self.close_connection = True  # the sender left

        do_POST = do_PUT = do_PATCH = _take  # noqa: N815  http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:  # the handshake is its handler's affair, not the listener's
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
