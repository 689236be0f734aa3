"""`make test-docker`: the steps of deploy/docker/Dockerfile in a Debian root, for there is no registry of images here.

Each RUN is run as it stands (a bind mount of the other stage becomes a folder), COPY copies, and the image's command
runs as pid 1 of a namespace of its own: it must come up, inherit orphans and leave none, and stop on SIGTERM. The root
has Debian's own python instead of the image python:3.13-slim. Needs root and mmdebstrap.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic
from typing import Final

import click

from tests.deploy.debian import ROOT, copy_tree, debian, run_or_end

DOCKERFILE: Final = ROOT / "deploy/docker/Dockerfile"
PATIENCE: Final = 120.0  # seconds for the start: a busy machine is no failure
_MOUNT: Final = re.compile(r"--mount=\S+ ")
_PROBE: Final = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8000/healthz/live').status)"


def steps() -> list[tuple[str, str]]:
    """(instruction, rest), continuation lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


class Image:
    """A Debian root in which python is called as in the image."""

    def __init__(self, place: Path) -> None:
        self.root = place / "root"
        debian(self.root, "python3,python3-venv,ca-certificates,procps")
        self.environment = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"}
        self.folder = "/"
        self.user = "root"
        self.run("python3 -m venv /opt/python && ln -s /opt/python/bin/* /usr/local/bin/ && pip --version")

    def run(self, command: str) -> None:
        """A RUN."""
        inside = f"cd {self.folder} && {_MOUNT.sub('', command)}"
        run_or_end(["chroot", str(self.root), "sh", "-c", inside], self.environment)
        # What pip installs as a command stands beside the image's python.
        if (self.root / "opt/python/bin/ticbridge").exists():
            (self.root / "usr/local/bin/ticbridge").unlink(missing_ok=True)
            (self.root / "usr/local/bin/ticbridge").symlink_to("/opt/python/bin/ticbridge")

    def build(self) -> list[str]:
        """All steps; the command of the image."""
        command: list[str] = []
        for word, rest in steps():
            if word == "RUN":
                self.run(rest)
            elif word == "COPY":
                ignored = [line for line in (ROOT / ".dockerignore").read_text().split() if "*" not in line]
                copy_tree(self.root / self.folder.lstrip("/"), without=ignored)
            elif word == "WORKDIR":
                self.folder = rest
                (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "ENV":
                self.environment |= dict(part.split("=", 1) for part in rest.split())
            elif word == "USER":
                self.user = rest
            elif word in ("ENTRYPOINT", "CMD"):
                command += re.findall(r'"([^"]*)"', rest)
        return command


def _serves(image: Image) -> bool:
    probe = ["chroot", str(image.root), "python3", "-c", _PROBE]
    return subprocess.run(probe, capture_output=True, text=True, check=False).stdout.strip() == "200"


def _processes(pid: int) -> list[tuple[int, str]]:
    """(pid, state) of whatever lives in the namespace of `pid`."""
    space = Path(f"/proc/{pid}/ns/pid").readlink()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "ns/pid").readlink() == space:
                found.append((int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()[0]))
        except OSError:
            continue
    return found


def check(image: Image, command: list[str]) -> None:
    """Run the image's command as pid 1, and look."""
    run_or_end(["chroot", str(image.root), "chown", "-R", f"{image.user}:", image.folder])
    inside = ["setpriv", f"--reuid={image.user}", f"--regid={image.user}", "--init-groups", "--no-new-privs"]
    outer = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", "chroot", str(image.root), *inside,
         "sh", "-c", f"cd {image.folder} && exec {' '.join(command)}"],
        env={**image.environment, "HOME": image.folder},
    )  # fmt: skip
    pause = threading.Event()
    until = monotonic() + PATIENCE
    while not _serves(image):
        if monotonic() > until or outer.poll() is not None:
            sys.exit("the page did not come up")
        pause.wait(0.5)
    first = next(int(pid) for pid in run_or_end(["pgrep", "-P", str(outer.pid)]).split())
    click.echo(f"serves as pid 1 of its namespace, user {image.user}; {len(_processes(first))} processes")
    # A process whose parent dies before it: its end must be taken by pid 1.
    orphan = "import os, sys, time\nif os.fork() or os.fork():\n    sys.exit()\ntime.sleep(0.1)"
    run_or_end(["nsenter", f"--target={first}", "--pid", "chroot", str(image.root), "python3", "-c", orphan])
    until = monotonic() + 20
    while any(state == "Z" for _, state in _processes(first)) and monotonic() < until:
        pause.wait(0.1)
    click.echo(f"zombies left: {sum(state == 'Z' for _, state in _processes(first))}")
    began = monotonic()
    subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(first)], check=True)
    code = outer.wait(30)
    click.echo(f"SIGTERM: exit {code} after {monotonic() - began:.1f} s")
    if code:
        sys.exit(1)


def main() -> None:
    """Build, run, look."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-docker-") as place:
        image = Image(Path(place))
        command = image.build()
        version = run_or_end(["chroot", str(image.root), "python3", "--version"]).strip()
        click.echo(f"built with {version}: {' '.join(command)}")
        check(image, command)


if __name__ == "__main__":
    main()
