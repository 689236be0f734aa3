"""The part *disk*: this machine's disk, against limits that it does or does not meet."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from storage.operations.fleet import BridgeInfo
from tests.bridge.test_mounts import MOUNTS
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.runs import ROOT, found, quiet
from ticbridge.commands.check import disk


def test_a_disk_with_room(tmp_path: Path) -> None:
    said = found(tmp_path, quiet(tmp_path, spool={"min_free_disk": 0}))
    assert "disk-room" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


def test_a_disk_that_gets_full(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    said = found(tmp_path, quiet(tmp_path, spool={"min_free_disk": free * 3 // 4}))
    done = "spool.min_free_disk: three quarters of what is free"
    assert provoked("for real", done, said["disk-low"]) == "disk-low"


def test_a_disk_with_less_than_the_spool_may_leave(tmp_path: Path) -> None:
    said = found(tmp_path, quiet(tmp_path, spool={"min_free_disk": "900TB"}))
    assert provoked("for real", "spool.min_free_disk: 900TB", said["disk-full"]) == "disk-full"


def test_a_database_on_a_network_disk() -> None:
    spot = disk.Spot("storage.database", Path("/home/anne/db.sqlite3"))
    [finding] = disk.judge_kind(spot, MOUNTS)
    assert provoked("stand-in", "/proc/self/mounts of a machine whose /home is NFS", finding) == "disk-network"
    assert list(disk.judge_kind(disk.Spot("bridge.state_dir", Path("/var/lib/x/spool.sqlite3")), MOUNTS)) == []


def test_a_state_directory_of_another_user() -> None:
    """A folder that everybody may enter, and one user write to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name, "state")
        folder.mkdir()
        folder.chmod(0o555)
        folder.parent.chmod(0o755)
        code = f"""
import os
from pathlib import Path
from ticbridge.__main__ import open_rooms; open_rooms()
from bridge.config import BridgeSettings, Settings
from ticbridge.commands.check import disk
from ticbridge.commands.check.scene import Scene
ours = BridgeSettings(id="pi", state_dir=Path({str(folder)!r}))
scene = Scene(Settings(bridge=ours, mqtt=dict(host="127.0.0.1", port=1)))
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
print([f.case.name for f in disk.look(scene)][0])
"""
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "disk-read-only\n", done.stderr
    finding = disk.READ_ONLY(folder="FOLDER/state")
    assert (
        provoked("for real", "a state directory that nobody may write to, looked at as nobody", finding)
        == "disk-read-only"
    )


def test_a_spool_that_cannot_be_written() -> None:
    why = "database or disk is full"
    info = BridgeInfo.model_validate(
        {"version": "1", "started": "now", "meters": [], "spool": {"depth": 3, "dropped": 0, "trouble": why}}
    )
    [finding] = disk.judge_spool(info)
    assert provoked("stand-in", "linky/bridge/pi/info says: trouble", finding) == "disk-spool"
