"""A TCP relay of our own between a program and the broker: it can be cut, made a black hole, and slowed."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from time import monotonic
from typing import Final

_PIECE: Final = 65_536
_ROUND: Final = 0.05  # seconds after which a change of mind takes effect


class Relay:
    """Listens on a port of its own and hands every byte on, until told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._stopping = threading.Event()
        self._refusing = False
        self._swallowing = False
        self._rate: float | None = None
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _shut(pair)

    def refuse(self) -> None:
        """Break every connection, and each new one at once."""
        self._refusing = True
        self.cut()

    def swallow(self) -> None:
        """A half-open link: connections stay, and nothing gets through, either way."""
        self._swallowing = True

    def slow(self, rate: float) -> None:
        """Hand on `rate` bytes in a second, of each connection and direction."""
        self._rate = rate

    def heal(self) -> None:
        """Work again. A connection that lost bytes meanwhile is beyond help: only its ends can find out."""
        self._refusing = False
        self._swallowing = False
        self._rate = None

    def close(self) -> None:
        self._stopping.set()
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 1.0)
            except OSError:  # no broker there
                near.close()
                continue
            far.settimeout(None)
            pair = (near, far)
            with self._lock:
                self._pairs.add(pair)
            for ends in (pair, (far, near)):
                threading.Thread(target=self._carry, args=(*ends, pair), name="relay", daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        lost = False
        with contextlib.suppress(OSError, ValueError):  # either end went, or `cut` closed both
            while not self._stopping.is_set():
                if not select.select([source], [], [], _ROUND)[0]:
                    continue
                rate = self._rate
                data = source.recv(_PIECE if rate is None else max(1, int(rate * _ROUND)))
                if not data:
                    if self._swallowing:  # nor does a farewell get through
                        self._stopping.wait(_ROUND)
                        continue
                    break
                lost = lost or self._swallowing
                if not lost:  # a stream with a hole in it is no stream: what follows is swallowed as well
                    sink.sendall(data)
                if rate is not None:
                    self._stopping.wait(len(data) / rate)
        with self._lock:
            self._pairs.discard(pair)
        _shut(pair)


def _shut(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def wait_for_port(port: int, patience: float) -> bool:
    """Whether somebody listens on a port of the loopback address, in time."""
    until, pause = monotonic() + patience, threading.Event()
    while monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        pause.wait(0.02)
    return False
