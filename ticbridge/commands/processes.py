"""Child processes of ours: started, watched, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
STOP_WITHIN: Final = 2.0  # seconds between asking a child to stop and killing it


def _die_with_parent() -> None:
    """Runs in the child: the kernel ends it when its parent is gone, however that came about (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process, in a session of its own: a Ctrl-C reaches us alone, and we stop the others in order."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.name = name
        self.log = log
        output: IO[bytes] | None = log.open("ab") if log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own commands only
                list(command),
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  started before any thread of ours
            )
        finally:
            if output is not None:
                output.close()

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def ask_to_stop(self) -> None:
        """SIGTERM, if it still runs."""
        if self.code is None:
            self._process.terminate()

    def last_lines(self, number: int = 5) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log and self.log.exists() else ""
        return "\n".join(text.splitlines()[-number:])


def reap_strangers(children: Sequence[Child]) -> int:
    """As pid 1 of a container we inherit whatever lost its parent: take the ends of those; how many there were.

    Our own children are left to `Child`.
    """
    own = {child.pid for child in children}
    count = 0
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return count
        if ended is None or ended.si_pid in own:
            return count  # one of ours hides those behind it until its end was seen, which is in half a second
        os.waitpid(ended.si_pid, 0)
        count += 1


def ticbridge(command: str, *arguments: str, config: Path | None = None) -> list[str]:
    """The command line of a sub-command of ours."""
    given = ["--config", str(config)] if config else []
    return [sys.executable, "-m", "ticbridge", *given, command, *arguments]


def stop(children: Sequence[Child], within: float = STOP_WITHIN) -> None:
    """Stop all of them at once; kill what does not stop in time."""
    for child in children:
        child.ask_to_stop()
    until = monotonic() + within
    for child in children:
        try:
            child._process.wait(max(0.01, until - monotonic()))
        except subprocess.TimeoutExpired:
            child._process.kill()
            child._process.wait()
