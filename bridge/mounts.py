"""Which filesystem a folder is on: SQLite's write-ahead log needs memory that no network filesystem shares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mounts")
NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "glusterfs"}
)


def mounts() -> list[str]:
    """The lines of /proc/self/mounts."""
    return _MOUNTS.read_text(errors="replace").splitlines() if _MOUNTS.exists() else []


def filesystem(folder: Path, mounts: Iterable[str]) -> str:
    """The kind of filesystem that a folder is on, by the lines of /proc/self/mounts; empty when none tells."""
    best, kind = -1, ""
    for line in mounts:
        _, place, found, *_ = line.split(" ")
        path = Path(place.replace("\\040", " "))
        if folder.is_relative_to(path) and len(path.parts) >= best:  # the last of one place lies on top
            best, kind = len(path.parts), found
    return kind
