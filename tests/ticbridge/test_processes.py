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

ROOT = Path(__file__).resolve().parents[2]
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


def test_as_pid_1_it_takes_the_end_of_orphans_and_leaves_its_own() -> None:
    # PR_SET_CHILD_SUBREAPER gives this process the orphans below it, as pid 1 has them.
    code = """
import ctypes, os, sys
from threading import Event
from ticbridge.commands.processes import Child, reap_strangers
ctypes.CDLL(None).prctl(36, 1)
own = Child("own", [sys.executable, "-c", "raise SystemExit(7)"])
parent = os.fork()
if parent == 0:
    if os.fork() == 0:
        os._exit(3)
    os._exit(0)
os.waitpid(parent, 0)
taken = 0
while taken == 0:
    own.code
    taken += reap_strangers([own])
    Event().wait(0.02)
while own.code is None:
    reap_strangers([own])
print(taken, own.code, reap_strangers([own]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1 7 0\n"
