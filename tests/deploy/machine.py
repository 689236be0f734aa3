"""A Debian of its own under a real systemd: a root made by mmdebstrap, booted by systemd-nspawn without a network."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

import click

from tests.deploy.debian import DEBIAN, ROOT, copy_tree, run_or_end

# What a Raspberry Pi OS has, and what docs/start/raspberry-pi.md has its owner install.
_PACKAGES: Final = (
    "systemd,systemd-sysv,dbus,udev,sudo,python3,python3-venv,ca-certificates,procps,pipx,mosquitto,mosquitto-clients"
)
_PATIENCE: Final = 240.0  # seconds for each wait: a busy machine is no failure
_WHEELS: Final = "wheels"  # the folder that stands for the package index
_PIP: Final = f"[global]\nno-index = true\nfind-links = /{_WHEELS}\ndisable-pip-version-check = true\n"
_SHELL: Final = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "LANG": "C.UTF-8"}
_OWNER: Final = "pi"  # the first user of a Raspberry Pi, who may sudo


def wheel(folder: Path, version: str | None = None) -> Path:
    """Our wheel, of this tree; under another version as the next release would be."""
    source = ROOT
    if version is not None:
        source = folder / "source"
        copy_tree(source, without=("docs", "tests"))
        named = source / "bridge/__init__.py"
        named.write_text(re.sub('__version__ = ".*"', f'__version__ = "{version}"', named.read_text()))
    run_or_end(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "made"), str(source)]
    )
    [made] = (folder / "made").glob("*.whl")
    return made


def as_owner(text: str) -> str:
    """The command that root types for its being typed by the owner."""
    return f"su --login {_OWNER} --command {shlex.quote(text)}"


class Machine:
    """It runs from the start on."""

    def __init__(self, place: Path, kept: Path) -> None:
        clean = kept / "clean"
        if not clean.exists():
            kept.mkdir(parents=True, exist_ok=True)
            run_or_end(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", DEBIAN, str(clean)])
            (clean / "etc/hostname").write_text("raspberrypi\n")
            (clean / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 raspberrypi\n")
            (clean / "etc/pip.conf").write_text(_PIP)
            run_or_end(["chroot", str(clean), "useradd", "--create-home", "--shell", "/bin/bash", _OWNER])
            (clean / "etc/sudoers.d/owner").write_text(f"{_OWNER} ALL=(ALL) NOPASSWD: ALL\n")
        self.root = place / "root"
        run_or_end(["cp", "--archive", "--reflink=auto", str(clean), str(self.root)])
        self._log = (kept / "boot.log").open("wb")
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = ""

    def boot(self) -> None:
        """On."""
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "--boot", "--private-network", "--register=no", "--keep-unit", "--machine=raspberrypi",
             "-D", str(self.root)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._leader = ""
        self.until(self._is_up, "systemd did not come up")

    def offer(self, made: Path) -> None:
        """Lay a wheel of ours, and what it needs, where the package index would have them."""
        folder = self.root / _WHEELS
        folder.mkdir(exist_ok=True)
        shutil.copy(made, folder)
        python = run_or_end(
            ["chroot", str(self.root), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        )
        run_or_end([sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version",
             python.strip(), "--find-links", str(folder), "--dest", str(folder), f"{made}[store]", "pip"])  # fmt: skip

    def _is_up(self) -> bool:
        assert self._nspawn is not None
        if not self._leader:
            found = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True, check=False)
            self._leader = found.stdout.split()[0] if found.stdout.strip() else ""
            return False
        return self.says("systemctl is-system-running").strip() in ("running", "degraded")

    def command(self, text: str) -> list[str]:
        """As root types it there."""
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        return ["nsenter", "--target", self._leader, *spaces, "sh", "-c", text]

    def tries(self, text: str) -> subprocess.CompletedProcess[str]:
        """What becomes of it; both outputs together, as a terminal shows them."""
        return subprocess.run(
            self.command(text), env=_SHELL, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip

    def says(self, text: str) -> str:
        """What it prints, whether it fails or not."""
        return self.tries(text).stdout

    def does(self, text: str) -> str:
        """The same of what must not fail."""
        done = self.tries(text)
        if done.returncode:
            sys.exit(f"{text}: exit code {done.returncode}\n{done.stdout[-3000:]}")
        return done.stdout

    def until(self, is_so: Callable[[], object], otherwise: str) -> float:
        """Wait for it; the seconds that it took."""
        began, pause = monotonic(), threading.Event()
        while not is_so():
            if monotonic() > began + _PATIENCE or self._nspawn is None or self._nspawn.poll() is not None:
                sys.exit(
                    f"{otherwise}\n{self.says('journalctl -b -n 40 --no-pager -u ticbridge-*') if self._leader else ''}"
                )
            pause.wait(0.5)
        return monotonic() - began

    def stop(self) -> None:
        """Off, as by its button: SIGTERM asks systemd to power off."""
        if self._nspawn is None:
            return
        self._nspawn.terminate()
        try:
            self._nspawn.wait(90)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None


class Owner:
    """Types, and waits: each action is timed, and what it shows is kept."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.transcript: list[str] = []
        self.seconds = 0.0

    def types(self, text: str) -> str:
        """An action, at the prompt of a user who may sudo."""
        began = monotonic()
        done = self._machine.tries(as_owner(text))
        self._note(f"$ {text}\n{done.stdout.rstrip()}", monotonic() - began)
        if done.returncode:
            sys.exit(f"exit code {done.returncode}")
        return done.stdout

    def waits(self, is_so: Callable[[], object], what: str) -> None:
        """Until something is there that nobody types for."""
        self._note(what, self._machine.until(is_so, f"not so: {what}"))

    def notes(self, text: str) -> None:
        """A word of ours."""
        self.transcript += [text, ""]
        click.echo(f"{text}\n")

    def _note(self, text: str, seconds: float) -> None:
        self.seconds += seconds
        self.notes(f"{text}\n({seconds:.0f} s)")
