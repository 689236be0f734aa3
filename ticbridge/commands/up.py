"""`ticbridge up`: bridge, store and web under one roof, for one terminal or one container."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import click

from ticbridge.commands.processes import Child, reap_strangers, stop, ticbridge

PARTS: Final = ("store", "web", "bridge")
EXIT_CONFIG: Final = 78
_BACKOFF: Final = (1.0, 30.0)


class Supervisor:
    """Starts each part again when it ends; a wrong configuration ends them all."""

    def __init__(self, start: Callable[[str], Child]) -> None:
        self._start = start
        self._children: dict[str, Child] = {}
        self._again_at: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self._delay: dict[str, float] = dict.fromkeys(PARTS, _BACKOFF[0])
        self.stopping = threading.Event()

    def run(self) -> int:
        """Run until told to stop; 0, or 78 when a part found the configuration wrong."""
        code = 0
        while not self.stopping.is_set():
            code = self.turn(monotonic())
            if code:
                break
            if os.getpid() == 1:
                reap_strangers(list(self._children.values()))
            self.stopping.wait(0.5)
        stop(list(self._children.values()))
        return code

    def turn(self, now: float) -> int:
        """Look after each part once; an exit code when all shall end."""
        for part in PARTS:
            child = self._children.get(part)
            if child is not None and child.code == EXIT_CONFIG:
                return EXIT_CONFIG
            if child is not None and child.code is not None:
                del self._children[part]
                self._again_at[part] = now + self._delay[part]
                click.echo(
                    f"ticbridge: {part} ended with code {child.code}; starting it again in {self._delay[part]:g} s",
                    err=True,
                )
                self._delay[part] = min(2 * self._delay[part], _BACKOFF[1])
            if part not in self._children and now >= self._again_at[part]:
                self._children[part] = self._start(part)
            elif part in self._children and now - self._again_at[part] > 2 * _BACKOFF[1]:
                self._delay[part] = _BACKOFF[0]  # it ran well for a minute
        return 0


@click.command()
@click.pass_obj
def up(config: Any) -> None:  # the launcher's loader
    """Bridge, store and web together, supervised, until stopped."""
    config()  # a wrong configuration is said once, not by each part
    path = os.environ.get("TICBRIDGE_CONFIG")
    supervisor = Supervisor(lambda part: Child(part, ticbridge(part, config=None), {"TICBRIDGE_CONFIG": path or ""}))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    sys.exit(supervisor.run())
