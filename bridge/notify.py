"""What the service manager is told: ready, status, alive, stopping (sd_notify(3)), over its socket and nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Tells systemd; without one every call does nothing, so nobody has to ask."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # An abstract socket is written with @ in place of its NUL.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._status = ""
        self.period = self._period(environment) if address else None

    @property
    def is_heard(self) -> bool:
        """Whether there is somebody to tell."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """The start is over."""
        self._status = status
        self._send(f"READY=1\nSTATUS={status}")

    def tell(self, status: str) -> None:
        """What we do now, in words; the same words are sent once."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={status}")

    def feed(self) -> None:
        """Alive: not said for a whole period, and systemd starts us again."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The stop has begun."""
        self._send("STOPPING=1")

    @staticmethod
    def _period(environment: Mapping[str, str]) -> float | None:
        """Seconds in which the watchdog wants to be fed; None: there is none, or it watches another process."""
        if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return None
        text = environment.get("WATCHDOG_USEC", "")
        return int(text) / 1e6 if text.isdigit() and int(text) else None

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # A manager that is gone or does not listen is no reason to fail.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(text.encode(), self._address)
