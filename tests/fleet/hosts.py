"""Hosts of a network of tests: namespaces of this machine's own kernel, each behind a cable that can be pulled."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Final, Self

from tests.needs import need

ADDRESS: Final = "10.77.0.1"  # of this machine, in that network
_SWITCH: Final = "ticfleet"


class Hosts:
    """A switch, and hosts by name while it is open. It takes root."""

    def __init__(self, *names: str) -> None:
        self._ip = need("ip")
        self._names = names

    def __enter__(self) -> Self:
        self._remove()
        self._run("link", "add", _SWITCH, "type", "bridge")
        self._run("addr", "add", f"{ADDRESS}/24", "dev", _SWITCH)
        self._run("link", "set", _SWITCH, "up")
        for number, name in enumerate(self._names, start=2):
            space = self._space(name)
            self._run("netns", "add", space)
            self._run("link", "add", self._cable(name), "type", "veth", "peer", "name", "eth0", "netns", space)
            self._run("link", "set", self._cable(name), "master", _SWITCH, "up")
            self._run("-n", space, "addr", "add", f"{ADDRESS.rpartition('.')[0]}.{number}/24", "dev", "eth0")
            self._run("-n", space, "link", "set", "eth0", "up")
            self._run("-n", space, "link", "set", "lo", "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    def on(self, name: str) -> list[str]:
        """What makes a program run there."""
        return [self._ip, "netns", "exec", self._space(name)]

    def cut(self, name: str) -> None:
        """Pull its cable: nobody is told."""
        self._run("link", "set", self._cable(name), "down")

    def heal(self, name: str) -> None:
        """Put it back."""
        self._run("link", "set", self._cable(name), "up")

    def _remove(self) -> None:
        """Whatever is there, of a run that was killed too."""
        for name in self._names:
            subprocess.run([self._ip, "netns", "del", self._space(name)], check=False, capture_output=True)
            subprocess.run([self._ip, "link", "del", self._cable(name)], check=False, capture_output=True)
        subprocess.run([self._ip, "link", "del", _SWITCH], check=False, capture_output=True)

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True)

    @staticmethod
    def _space(name: str) -> str:
        return f"ticfleet-{name}"

    @staticmethod
    def _cable(name: str) -> str:
        return f"tf-{name}"
