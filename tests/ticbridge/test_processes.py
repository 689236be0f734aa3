"""Children are started apart, stopped together, and do not outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

from ticbridge.commands.processes import Child, stop, ticbridge

OBEYS = [sys.executable, "-c", "import signal, sys; signal.signal(15, lambda *_: sys.exit(3)); signal.pause()"]
REFUSES = [
    sys.executable, "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True)\nwhile True: signal.pause()",
]  # fmt: skip


def wait_until(condition: object, patience: float = 20.0) -> None:
    assert callable(condition)
    until, pause = monotonic() + patience, threading.Event()
    while not condition():
        assert monotonic() < until
        pause.wait(0.02)


def test_a_child_that_refuses_to_stop_is_killed_in_time(tmp_path: Path) -> None:
    child = Child("stubborn", REFUSES, log=tmp_path / "log")
    wait_until(lambda: child.last_lines() == "ready")
    began = monotonic()
    stop([child], within=0.3)
    assert child.code == -signal.SIGKILL
    assert monotonic() - began < 5


def test_the_end_of_a_log_is_at_hand(tmp_path: Path) -> None:
    child = Child("talker", [sys.executable, "-c", "print('a\\nb\\nc')"], log=tmp_path / "log")
    wait_until(lambda: child.code is not None)
    assert (child.code, child.last_lines(2)) == (0, "b\nc")


def test_a_child_runs_in_a_session_of_its_own() -> None:
    child = Child("apart", OBEYS)
    assert os.getsid(child._process.pid) == child._process.pid
    stop([child])
    assert child.code is not None


def test_a_child_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import sys, signal\nfrom ticbridge.commands.processes import Child\n"
        "child = Child('orphan', [sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(child._process.pid, flush=True)\nsignal.pause()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    wait_until(lambda: _gone(orphan))


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"  # dead; nobody here is its parent to collect it


def test_a_sub_command_runs_in_this_interpreter() -> None:
    assert ticbridge("store", "--no-migrate", config=Path("/etc/x.yaml")) == [
        sys.executable, "-m", "ticbridge", "--config", "/etc/x.yaml", "store", "--no-migrate",
    ]  # fmt: skip
