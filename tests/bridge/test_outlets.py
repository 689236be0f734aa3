"""Where a simulated meter's frames go: a real pseudo-terminal, a real socket, a real pipe."""

from __future__ import annotations

import errno
import io
import os
import socket
import sys
import threading
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import pytest

from bridge.outlets import PseudoTerminal, StandardOutput, TcpServer, frames, send
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from bridge.tic.decode import Decoder
from tests.bridge.simulated import local

PLAN = Plan(start=local("2026-01-15T12:00"))


def written(number: int, size: int = 100, seconds: float = 0.0) -> Iterator[tuple[bytes, float]]:
    return ((b"%d" % n * size, seconds) for n in range(number))


class ListOutlet:
    """Keeps what it is given, and stops listening after a number of frames."""

    def __init__(self, patience: int = 99, *, paced: bool = False) -> None:
        self.paced = paced
        self.sent: list[bytes] = []
        self._patience = patience

    def write(self, frame: bytes) -> bool:
        if len(self.sent) == self._patience:
            return False
        self.sent.append(frame)
        return True


# --- frames --------------------------------------------------------------------------------------


def test_frames_follow_each_other_at_the_lines_pace() -> None:
    some = list(islice(frames(PLAN), 3))
    decoder = Decoder()
    dates = [decoder.decode(frame).reading for frame, _ in some]
    seconds = [reading.get("date").timestamp() for reading in dates if reading]
    assert [later - earlier for earlier, later in pairwise(seconds)] == [0, 1]  # 0.9 s each
    assert all(time == pytest.approx(len(frame) / 960 + 0.02) for frame, time in some)


def test_a_limit_ends_the_frames() -> None:
    assert len(list(frames(Plan(mode=Mode.HISTORIQUE), 5))) == 5


def test_frames_are_sent_until_the_reader_is_gone() -> None:
    outlet = ListOutlet(patience=2)
    assert send(outlet, written(5), 1.0, threading.Event()) == 2
    assert outlet.sent == [b"0" * 100, b"1" * 100]


def test_frames_are_sent_until_told_to_stop() -> None:
    stopping = threading.Event()
    stopping.set()
    assert send(ListOutlet(), written(5), 1.0, stopping) == 0


def test_a_paced_outlet_waits_as_long_as_the_line_takes() -> None:
    waited: list[float] = []

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return False

    assert send(ListOutlet(paced=True), written(3, seconds=0.9), 10.0, Watched()) == 3
    assert waited == [0.09] * 3


# --- a pseudo-terminal ---------------------------------------------------------------------------


def test_a_pseudo_terminal_hands_bytes_over_as_they_are() -> None:
    terminal = PseudoTerminal()
    reader = os.open(terminal.name, os.O_RDONLY | os.O_NOCTTY)
    every = bytes(range(256))
    assert terminal.write(every)
    assert os.read(reader, 999) == every
    os.close(reader)
    terminal.close()


def test_a_pseudo_terminal_that_nobody_empties_throws_away_what_is_old() -> None:
    terminal = PseudoTerminal()
    for n in range(50):
        assert terminal.write(b"%03d" % n * 40)
    reader = os.open(terminal.name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    assert len(os.read(reader, 99_999)) < 50 * 120
    os.close(reader)
    terminal.close()


# --- a port of the loopback address --------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[tuple[TcpServer, int, threading.Event]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stopping = threading.Event()
    outlet = TcpServer(port, stopping)
    yield outlet, port, stopping
    outlet.close()


def test_a_server_waits_for_its_first_reader_and_serves_each(server: tuple[TcpServer, int, threading.Event]) -> None:
    outlet, port, _ = server
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(send(outlet, written(2), 1.0, threading.Event())))
    with socket.create_connection(("127.0.0.1", port)) as first, socket.create_connection(("127.0.0.1", port)):
        thread.start()
        assert first.recv(100, socket.MSG_WAITALL) == b"0" * 100
        thread.join(10)
    assert done == [2]


def test_a_reader_that_hangs_up_is_forgotten(server: tuple[TcpServer, int, threading.Event]) -> None:
    outlet, port, _ = server
    with socket.create_connection(("127.0.0.1", port)) as one, socket.create_connection(("127.0.0.1", port)) as other:
        assert outlet.write(b"x")
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        one.close()
        assert all(outlet.write(b"y") for _ in range(3))
        assert other.recv(2, socket.MSG_WAITALL) == b"xy"


def test_a_server_that_is_told_to_stop_waits_no_longer(server: tuple[TcpServer, int, threading.Event]) -> None:
    outlet, _, stopping = server
    threading.Timer(0.3, stopping.set).start()
    assert not outlet.write(b"x")


# --- standard output -----------------------------------------------------------------------------


def test_a_file_is_written_without_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("wb") as file:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file))
        outlet = StandardOutput()
        assert (outlet.paced, outlet.write(b"x")) == (False, True)
        assert (tmp_path / "out").read_bytes() == b"x"


def test_a_pipe_is_written_at_the_lines_pace_until_its_reader_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as file:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file))
        outlet = StandardOutput()
        assert (outlet.paced, outlet.write(b"x"), os.read(read, 9)) == (True, True, b"x")
        os.close(read)
        assert not outlet.write(b"y")
        os.write(write, b"into nowhere")  # the last flush at exit stays silent


def test_a_port_in_use_is_the_callers_to_tell() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use") as caught:
        TcpServer(taken.getsockname()[1], threading.Event())
    assert caught.value.errno == errno.EADDRINUSE
