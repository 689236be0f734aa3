"""A Debian of its own under a real systemd: a root made by mmdebstrap, booted by systemd-nspawn without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

import click

ROOT: Final = Path(__file__).resolve().parents[2]
DEBIAN: Final = "trixie"
_PACKAGES: Final = (
    "systemd,systemd-sysv,dbus,udev,python3,python3-venv,pipx,mosquitto,mosquitto-clients,ca-certificates,procps"
)
_PATIENCE: Final = 240.0  # seconds for each wait: a busy machine is no failure
_WHEELS: Final = "wheels"  # the folder that stands for the package index
# What the owner's shell has; pip takes what would be downloaded from the folder.
_SHELL: Final = {
    "HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "LANG": "C.UTF-8",
    "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/{_WHEELS}", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}  # fmt: skip


def run(command: list[str]) -> str:
    """Output of a command of this machine; a failure ends everything."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)[-300:]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def wheel(folder: Path, version: str | None = None) -> Path:
    """Our wheel, of this tree; under another version as the next release would be."""
    source = ROOT
    if version is not None:
        source = folder / "source"
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "tests"))
        shutil.copy(ROOT / ".gitignore", source)
        shutil.rmtree(folder / "made", ignore_errors=True)
        named = source / "bridge/__init__.py"
        named.write_text(re.sub('__version__ = ".*"', f'__version__ = "{version}"', named.read_text()))
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "made"), str(source)])
    [made] = (folder / "made").glob("*.whl")
    return made


class Machine:
    """It runs from the start on."""

    def __init__(self, place: Path, kept: Path) -> None:
        clean = kept / "clean"
        if not clean.exists():
            kept.mkdir(parents=True, exist_ok=True)
            run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", DEBIAN, str(clean)])
            (clean / "etc/hostname").write_text("raspberrypi\n")
        self.root = place / "root"
        run(["cp", "--archive", "--reflink=auto", str(clean), str(self.root)])
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
        python = run(["chroot", str(self.root), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        run([sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version",
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
        """An action."""
        began = monotonic()
        done = self._machine.tries(text)
        self._note(f"# {text}\n{done.stdout.rstrip()}", monotonic() - began)
        if done.returncode:
            sys.exit(f"exit code {done.returncode}")
        return done.stdout

    def waits(self, is_so: Callable[[], object], what: str) -> None:
        """Until something is there that nobody types for."""
        self._note(what, self._machine.until(is_so, f"not so: {what}"))

    def _note(self, text: str, seconds: float) -> None:
        self.seconds += seconds
        self.transcript += [text, f"({seconds:.0f} s)", ""]
        click.echo("\n".join(self.transcript[-3:]))
