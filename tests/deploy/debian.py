"""A Debian in a folder, with the way out that this machine has: pip's settings, certificates, names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEBIAN: Final = "trixie"  # its Python is 3.13; python:3.13-slim stands on it, and Raspberry Pi OS
_WAY_OUT: Final = (
    "etc/pip.conf", "root/.config/pip", "etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt",
)  # fmt: skip


def debian(root: Path, packages: str) -> None:
    """Unpack it."""
    run_or_end(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", DEBIAN, str(root)])
    for found in _WAY_OUT:
        source, target = Path("/", found), root / found
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)


def copy_tree(target: Path, without: Collection[str] = ()) -> None:
    """What git knows of this tree, but for some of its folders."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        if name.split("/")[0] in without or not (ROOT / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def run_or_end(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Its output; a failure ends everything."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)[-300:]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
