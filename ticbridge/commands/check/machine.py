"""The machine as a check sees it: its files below one root, its processes, and what its programs answer."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TERMINALS: Final = Path("/dev/pts")
_MOST: Final = 1_000_000  # bytes read of any file


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a file open."""

    pid: int
    name: str
    is_bridge: bool  # one of ours that reads meters

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


def _is_same(one: Path, other: Path) -> bool:
    """A container has devices of the same names: adapters are the very same there, its terminals are its own."""
    a, b = one.stat(), other.stat()
    return a.st_rdev == b.st_rdev and (a.st_dev == b.st_dev or other.parent != _TERMINALS)


@dataclass(frozen=True, slots=True)
class Machine:
    """`root` is another folder only where a test stands in for a Raspberry Pi."""

    root: Path = Path("/")

    def path(self, place: str) -> Path:
        """A file of this machine, by its absolute name."""
        return self.root / place.lstrip("/")

    def text(self, place: str) -> str:
        """What a file holds; empty when it is not there or not for us."""
        with suppress(OSError), self.path(place).open("rb") as file:
            return file.read(_MOST).decode(errors="replace").replace("\0", " ")
        return ""

    def processes(self) -> Iterator[tuple[int, str]]:
        """(pid, name) of each that is visible."""
        with suppress(OSError):
            for folder in self.path("/proc").iterdir():
                if folder.name.isdigit() and (name := self.text(f"/proc/{folder.name}/comm").strip()):
                    yield int(folder.name), name

    def command(self, pid: int) -> list[str]:
        """A process' command line."""
        return self.text(f"/proc/{pid}/cmdline").split()

    def holders(self, device: Path) -> list[Holder]:
        """Who has a device open, as far as we may see: other users' only as root. Never ourselves."""
        found = []
        for pid, name in self.processes():
            if pid != os.getpid() and self._has_open(pid, device) and not self._is_other_end(pid, device):
                command = self.command(pid)
                is_ours = any("ticbridge" in part for part in command)
                found.append(Holder(pid, name, is_ours and not {"bridge", "up", "demo"}.isdisjoint(command)))
        return found

    def _is_other_end(self, pid: int, device: Path) -> bool:
        """Whether a process holds the master of a pseudo-terminal: it is the meter, and no reader."""
        if device.parent != _TERMINALS:
            return False
        wanted = re.compile(rf"^tty-index:\s*{device.name}$", re.MULTILINE)
        with suppress(OSError):
            for info in self.path(f"/proc/{pid}/fdinfo").iterdir():
                if wanted.search(self.text(f"/proc/{pid}/fdinfo/{info.name}")):
                    return True
        return False

    def _has_open(self, pid: int, device: Path) -> bool:
        with suppress(OSError):
            for link in self.path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if link.readlink() == device and _is_same(link, device):
                        return True
        return False

    def answer(self, *command: str, seconds: float = 2.0) -> str | None:
        """What a program prints; None when there is none, it fails, or it takes too long."""
        try:
            done = subprocess.run(  # noqa: S603  programs that we name, by PATH
                command, capture_output=True, text=True, timeout=seconds, check=False, env={**os.environ, "LC_ALL": "C"}
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None
