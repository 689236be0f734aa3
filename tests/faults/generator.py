"""A meter that counts its frames: the counter is what SINSTS says, and the ledger what was put on the line."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bridge.tic.catalogue import Mode
from bridge.tic.encode import encode_frame, encode_group
from bridge.tic.values import PARIS, write_stamp
from tests.bridge.terminal import Terminal

LAST: Final = 99_999  # SINSTS has five digits

Damage = Callable[[bytes, random.Random], bytes]


def frame(meter: str, counter: int, now: datetime | None) -> bytes:
    """One frame of a single-phase meter in mode standard; without `now`, its date got lost."""
    index = f"{12_345_678 + counter // 600:09}"
    groups = [
        ("ADSC", meter), ("VTIC", "02"), ("NGTF", "      BASE      "), ("LTARF", "      BASE      "),
        ("EAST", index), ("EASF01", index), ("EASD01", index), ("IRMS1", "002"), ("URMS1", "231"),
        ("PREF", "09"), ("SINSTS", f"{counter:05}"), ("NTARF", "01"),
    ]  # fmt: skip
    encoded = [encode_group(Mode.STANDARD, label, raw) for label, raw in groups]
    if now is not None:
        encoded.insert(2, encode_group(Mode.STANDARD, "DATE", "", write_stamp(now.astimezone(PARIS))))
    return encode_frame(encoded)


class Generator:
    """Writes frames to a pseudo-terminal, whose name is a link that may move to another one."""

    def __init__(self, link: Path, meter: str, seed: int) -> None:
        self.link = link
        self.meter = meter
        self.sent: set[int] = set()  # the ledger: counters that went on the line, damaged or not
        self.counter = 0
        self.damage: Damage | None = None
        self.is_dated = True
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._terminal: Terminal | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.plug()

    # --- the port ----------------------------------------------------------------------------------

    def plug(self) -> None:
        """Appear as a new terminal, under the same link."""
        with self._lock:
            assert self._terminal is None, "it is plugged in"
            self._terminal = Terminal.plugged()
            os.set_blocking(self._terminal.meter, False)
            moved = self.link.with_suffix(".new")
            moved.symlink_to(self._terminal.name)
            moved.rename(self.link)

    def unplug(self) -> None:
        with self._lock:
            if self._terminal is not None:
                self.link.unlink()
                self._terminal.unplug()
                self._terminal = None

    @property
    def is_plugged(self) -> bool:
        return self._terminal is not None

    # --- frames ------------------------------------------------------------------------------------

    def start(self, rate: float) -> None:
        """Send `rate` frames a second until `stop`."""
        self.stop()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(1 / rate,), name="generator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; the last frame is a whole one."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def send(self) -> int:
        """Send the next frame; its counter. Where nobody reads, or nothing is plugged in, it is lost."""
        self.counter += 1
        assert self.counter <= LAST, "the counter has five digits"
        data = frame(self.meter, self.counter, datetime.now(UTC) if self.is_dated else None)
        if self.damage is not None:
            data = self.damage(data, self._rng)
        self.sent.add(self.counter)
        with self._lock:
            if self._terminal is not None:
                # A meter does not wait for its reader: what finds no room on the line is gone.
                with contextlib.suppress(BlockingIOError):
                    self._terminal.write(data)
        return self.counter

    def close(self) -> None:
        self.stop()
        self.unplug()

    def _run(self, pause: float) -> None:
        while not self._stopping.wait(pause):
            self.send()


class SerialServer:
    """Hands a line's bytes to whoever connects, one after the other: what `socket://` reads."""

    def __init__(self, link: Path) -> None:
        self._port = os.open(link, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port: int = self._server.getsockname()[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="serial server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._server.close()
        os.close(self._port)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):  # nobody came, or who came went
                client, _ = self._server.accept()
                with client:
                    client.settimeout(0.5)
                    self._hand_over(client)

    def _hand_over(self, client: socket.socket) -> None:
        while not self._stopping.is_set():
            if select.select([self._port, client.fileno()], [], [], 0.1)[0]:
                if select.select([client], [], [], 0)[0] and not client.recv(1):
                    return
                with contextlib.suppress(BlockingIOError):
                    client.sendall(os.read(self._port, 4096))


# --- damage --------------------------------------------------------------------------------------


def noise(data: bytes, rng: random.Random) -> bytes:
    """Bytes that mean nothing, before the frame."""
    return rng.randbytes(rng.randint(1, 200)) + data


def flipped(data: bytes, rng: random.Random) -> bytes:
    """One bit of one byte, which no checksum of six bits and no class of characters lets through."""
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(7)]) + data[place + 1 :]


def truncated(data: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return data[: rng.randrange(1, len(data))]


def joined(data: bytes, rng: random.Random) -> bytes:
    """The beginning or the end is missing in such a way that two frames become one."""
    return data[1:] if rng.random() < 0.5 else data[:-1]


def any_of(kinds: list[Damage], share: float) -> Damage:
    """One of several kinds of damage, to a share of the frames."""

    def damage(data: bytes, rng: random.Random) -> bytes:
        return rng.choice(kinds)(data, rng) if rng.random() < share else data

    return damage
