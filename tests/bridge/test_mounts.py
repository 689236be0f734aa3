"""Which filesystem a folder is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.mounts import filesystem, mounts

MOUNTS = [
    "/dev/sda1 / ext4 rw 0 0",
    "nas:/home /home nfs4 rw 0 0",
    "/dev/sdb1 /home/anne/my\\040disk ext4 rw 0 0",
    "tmpfs /run tmpfs rw 0 0",
    "//nas/run /run cifs rw 0 0",
]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/anne", "nfs4"),
        ("/home/anne/my disk/x", "ext4"),
        ("/homes", "ext4"),
        ("/run", "cifs"),
    ],
)
def test_a_folder_is_on_what_is_mounted_nearest_above_it(folder: str, kind: str) -> None:
    assert filesystem(Path(folder), MOUNTS) == kind
    assert filesystem(Path(folder), []) == ""


def test_this_machine_says_what_is_mounted() -> None:
    assert filesystem(Path("/proc/self"), mounts()) == "proc"
