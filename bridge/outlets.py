"""Where a simulated meter's frames go: a pseudo-terminal, a TCP port, standard output."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bridge.simulated.meter import Plan, SimulatedMeter


def frames(plan: Plan, limit: int | None = None) -> Iterator[tuple[bytes, float]]:
    """(frame, seconds on the line) of a meter that starts now."""
    now = datetime.now(UTC)
    meter = SimulatedMeter(plan, now)
    number = 0
    while limit is None or number < limit:
        frame = meter.frame(now)
        seconds = meter.seconds(frame)
        now += timedelta(seconds=seconds)
        number += 1
        yield frame, seconds


class Outlet(Protocol):
    """Takes frames. `paced`: at the line's own pace, as a meter sends them."""

    paced: bool

    def write(self, frame: bytes) -> bool:
        """Send a frame; False when nobody will read any more."""


def send(outlet: Outlet, source: Iterator[tuple[bytes, float]], speed: float, stopping: threading.Event) -> int:
    """Send frames until told to stop, at a frame's end; the number sent."""
    sent = 0
    for frame, seconds in source:
        if stopping.is_set() or not outlet.write(frame):
            break
        sent += 1
        if outlet.paced:
            stopping.wait(seconds / speed)
    return sent


class PseudoTerminal:
    """A serial port that does not exist; `name` is what a reader opens."""

    paced = True

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        self.name = os.ttyname(self._slave)  # our end stays open, so the port survives readers that come and go

    def write(self, frame: bytes) -> bool:
        """A meter does not wait for its reader: when nobody empties the pty, what is in it is thrown away."""
        while not select.select([], [self.master], [], 0.5)[1]:
            termios.tcflush(self._slave, termios.TCIFLUSH)
        os.write(self.master, frame)
        return True

    def close(self) -> None:
        """Unplug it."""
        os.close(self.master)
        os.close(self._slave)


class TcpServer:
    """Any number of readers on a port of the loopback address; waits for the first."""

    paced = True

    def __init__(self, port: int, stopping: threading.Event) -> None:
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.2)
        self._stopping = stopping
        self._clients: list[socket.socket] = []

    def write(self, frame: bytes) -> bool:
        """Send to each client that is still there."""
        self._accept()
        for client in list(self._clients):
            try:
                client.sendall(frame)
            except OSError:
                self._clients.remove(client)
                client.close()
        return not self._stopping.is_set()

    def close(self) -> None:
        """Hang up."""
        for client in self._clients:
            client.close()
        self._server.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self._server.settimeout(0.2 if not self._clients else 0)
            try:
                client = self._server.accept()[0]
            except (TimeoutError, BlockingIOError):
                if self._clients:
                    return
            else:
                client.settimeout(1.0)
                self._clients.append(client)


class StandardOutput:
    """Standard output; without pauses when it is a file."""

    def __init__(self) -> None:
        self.paced = not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)

    def write(self, frame: bytes) -> bool:
        """False once the reader of the pipe is gone."""
        try:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush is silent too
            return False
        return True
