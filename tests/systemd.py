"""A service as systemd runs it: its NOTIFY_SOCKET is ours, and one of its threads can be stopped as by a debugger."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, Self

PATIENCE: Final = 300.0  # a busy machine is no failure
ROOT: Final = Path(__file__).resolve().parents[1]
_PTRACE_DETACH, _PTRACE_SEIZE, _PTRACE_INTERRUPT = 17, 0x4206, 0x4207
_WALL: Final = 0x40000000  # of a thread too

# Runs `ticbridge`, and writes which thread of the kernel is which of ours.
_NAMED: Final = """
import json, os, pathlib, sys, threading
names = pathlib.Path(sys.argv.pop(1))
def write():
    while True:
        new = names.with_suffix(".new")
        new.write_text(json.dumps({t.name: t.native_id for t in threading.enumerate()}))
        new.replace(names)
        threading.Event().wait(0.2)
threading.Thread(target=write, name="names", daemon=True).start()
from ticbridge.__main__ import main
main()
"""


class Service:
    """A process of ours and what it tells its service manager."""

    def __init__(self, folder: Path, config: Path, command: Sequence[str], watchdog: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / f"{command[-1]}.notify"))
        self._names = folder / f"{command[-1]}.threads"
        self.log = folder / f"{command[-1]}.log"
        self.heard: list[str] = []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TICBRIDGE_")}
        environment |= {
            "NOTIFY_SOCKET": str(folder / f"{command[-1]}.notify"), "WATCHDOG_USEC": str(int(watchdog * 1e6)),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _NAMED, str(self._names), "--config", str(config), *command],
                cwd=folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._socket.close()

    def hear(self, patience: float) -> str | None:
        """The next datagram; None when there was none for so long."""
        self._socket.settimeout(patience)
        try:
            text = self._socket.recv(4096).decode()
        except TimeoutError:
            return None
        self.heard.append(text)
        return text

    def wait_for(self, what: Callable[[str], bool]) -> str:
        """Listen until something is said."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            text = self.hear(1.0)
            if text is not None and what(text):
                return text
            assert self.process.poll() is None, self.log.read_text()[-3000:]
        raise AssertionError((self.heard, self.log.read_text()[-3000:]))

    def feeds(self, number: int) -> None:
        """Wait until the watchdog was fed so often."""
        for _ in range(number):
            self.wait_for(lambda text: text == "WATCHDOG=1")

    def starves(self, seconds: float) -> bool:
        """Whether a time comes in which the watchdog is not fed, however often it was before."""
        until, fed = monotonic() + PATIENCE, monotonic()
        while monotonic() < until:
            if self.hear(0.1) == "WATCHDOG=1":
                fed = monotonic()
            if monotonic() - fed > seconds:
                return True
        return False

    def thread(self, name: str) -> int:
        """The kernel's number of a thread of ours, by the beginning of its name."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            names: Mapping[str, int] = json.loads(self._names.read_text()) if self._names.exists() else {}
            found = [number for thread, number in names.items() if thread.startswith(name)]
            if found:
                return found[0]
            self.hear(0.2)
        raise AssertionError((name, names))


class Stopped:
    """A thread that a debugger holds: it is stopped for real, wherever it is."""

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self) -> Self:
        self._trace(_PTRACE_SEIZE)
        self._trace(_PTRACE_INTERRUPT)
        os.waitpid(self._thread, _WALL)
        return self

    def __exit__(self, *_: object) -> None:
        self._trace(_PTRACE_DETACH)

    def _trace(self, request: int) -> None:
        if self._libc.ptrace(request, self._thread, None, None) == -1:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
