"""Programs and files of other machines, played: each is a stand-in, and named as one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import need


def program(folder: Path, name: str, prints: str, code: int = 0) -> Path:
    """A program that prints something; to be put on PATH. The folder that it is in."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(prints)
    path.write_text(f"#!/bin/sh\ncat '{folder / f'{name}.txt'}'\nexit {code}\n")
    path.chmod(0o755)
    return path.parent


@contextmanager
def holding(port: str, folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of that name that has a port open, and does nothing."""
    path = folder / name
    shutil.copy(need("sleep"), path)
    with Path(port).open("rb", buffering=0) as held:
        process = subprocess.Popen([str(path), "600"], stdin=held)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def raspberry(root: Path, *, config: str = "", command_line: str = "", model: str = "Raspberry Pi 4 Model B") -> Path:
    """The files of a Raspberry Pi below a folder."""
    for place, text in (
        ("proc/device-tree/model", f"{model}\0"),
        ("boot/firmware/config.txt", config),
        ("boot/firmware/cmdline.txt", command_line),
    ):
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root
