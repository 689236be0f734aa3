"""The relay itself, between two sockets of ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Final

import pytest

from tests.faults.relay import Relay

_PATIENCE: Final = 20.0
_QUIET: Final = 0.3  # seconds in which nothing may come through


class Ends:
    """A client of the relay, and the server behind it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_PATIENCE)
        self.relay = Relay(self._listener.getsockname()[1])
        self.sockets: list[socket.socket] = []

    def connect(self) -> tuple[socket.socket, socket.socket]:
        near = socket.create_connection(("127.0.0.1", self.relay.port), _PATIENCE)
        self.sockets.append(near)
        far, _ = self._listener.accept()
        far.settimeout(_PATIENCE)
        self.sockets.append(far)
        return near, far

    def close(self) -> None:
        self.relay.close()
        for end in (*self.sockets, self._listener):
            end.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    two = Ends()
    yield two
    two.close()


def test_bytes_go_through_both_ways(ends: Ends) -> None:
    near, far = ends.connect()
    near.sendall(b"question")
    far.sendall(b"answer")
    assert (far.recv(100), near.recv(100)) == (b"question", b"answer")


def test_an_end_that_closes_closes_the_other(ends: Ends) -> None:
    near, far = ends.connect()
    near.close()
    assert far.recv(100) == b""


def test_a_cut_ends_what_is_and_lets_new_connections_through(ends: Ends) -> None:
    near, far = ends.connect()
    near.sendall(b"x")
    assert far.recv(1) == b"x"
    ends.relay.cut()
    assert (near.recv(100), far.recv(100)) == (b"", b"")
    near, far = ends.connect()
    near.sendall(b"again")
    assert far.recv(100) == b"again"


def test_a_refusing_relay_takes_nobody_until_it_heals(ends: Ends) -> None:
    ends.relay.refuse()
    refused = socket.create_connection(("127.0.0.1", ends.relay.port), _PATIENCE)
    ends.sockets.append(refused)
    assert refused.recv(100) == b""
    ends.relay.heal()
    near, far = ends.connect()
    near.sendall(b"welcome")
    assert far.recv(100) == b"welcome"


def test_a_black_hole_swallows_and_closes_nothing(ends: Ends) -> None:
    near, far = ends.connect()
    near.sendall(b"x")
    assert far.recv(1) == b"x"
    ends.relay.swallow()
    near.sendall(b"lost")
    far.sendall(b"lost too")
    for end in (near, far):
        end.settimeout(_QUIET)
        with pytest.raises(TimeoutError):
            end.recv(100)


def test_a_connection_that_lost_bytes_stays_lost_when_the_link_heals(ends: Ends) -> None:
    near, far = ends.connect()
    near.sendall(b"x")
    assert far.recv(1) == b"x"
    ends.relay.swallow()
    near.sendall(b"lost")
    threading.Event().wait(_QUIET)  # until the relay has read it
    ends.relay.heal()
    near.sendall(b"after the hole")
    far.settimeout(_QUIET)
    with pytest.raises(TimeoutError):
        far.recv(100)
    near, far = ends.connect()
    near.sendall(b"a new one works")
    assert far.recv(100) == b"a new one works"


def test_a_slow_link_hands_everything_on_in_pieces(ends: Ends) -> None:
    near, far = ends.connect()
    ends.relay.slow(2000)
    near.sendall(b"x" * 400)
    pieces: list[bytes] = []
    while len(b"".join(pieces)) < 400:
        pieces.append(far.recv(1000))
    assert len(pieces) > 1
