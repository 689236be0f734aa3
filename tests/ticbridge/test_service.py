"""`ticbridge service`: what it writes below a folder, with the real systemctl and systemd-sysusers working there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.needs import lack, need
from ticbridge.__main__ import cli
from ticbridge.commands import units
from ticbridge.commands.units import PARTS, Place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    need("systemd-sysusers")
    if os.geteuid() != 0:
        lack("files of another user can only be made by root")
    (tmp_path / "config.yaml").write_text("meters: [{source: auto}]\n")
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/group").write_text("dialout:x:20:\n")
    return folder


def call(root: Path, *arguments: str, config: bool = True) -> tuple[int, str]:
    given = ["--config", str(root.parent / "config.yaml")] if config else []
    done = CliRunner().invoke(cli, [*given, "service", *arguments, "--root", str(root)])
    return done.exit_code, done.output


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or path.is_file()}


def test_install_writes_enables_and_can_be_repeated(root: Path) -> None:
    code, output = call(root, "install")
    assert code == 0, output
    wanted = "etc/systemd/system/multi-user.target.wants"
    assert {f"{wanted}/{part}.service" for part in PARTS} <= files(root)
    unit = (root / "etc/systemd/system/ticbridge-bridge.service").read_text()
    assert f"ExecStart={units.program()} --config /etc/ticbridge/config.yaml bridge\n" in unit
    assert (root / "etc/ticbridge/config.yaml").read_text() == "meters: [{source: auto}]\n"
    assert "ticbridge" in (root / "etc/passwd").read_text()
    assert "dialout:x:20:ticbridge" in (root / "etc/group").read_text()
    assert (root / "var/lib/ticbridge").stat().st_mode & 0o777 == 0o700
    (root / "etc/ticbridge/config.yaml").write_text("meters: [{source: /dev/ttyUSB0}]\n")
    (root / "var/lib/ticbridge/db.sqlite3").write_text("data")
    before = files(root)
    code, output = call(root, "install")
    assert (code, output.count("up to date"), "written" in output) == (0, 4, False), output
    assert files(root) == before
    assert "ttyUSB0" in (root / "etc/ticbridge/config.yaml").read_text()


def test_uninstall_keeps_settings_and_data(root: Path) -> None:
    call(root, "install")
    (root / "var/lib/ticbridge/db.sqlite3").write_text("data")
    code, output = call(root, "uninstall")
    assert code == 0, output
    left = files(root)
    assert {"etc/ticbridge/config.yaml", "var/lib/ticbridge/db.sqlite3"} <= left
    assert [name for name in left if name.startswith("etc/systemd")] == []
    assert call(root, "uninstall") == (0, "No unit of ours is installed\n")


def test_the_capture_and_the_bridge_are_never_installed_together(root: Path) -> None:
    assert call(root, "install", "--capture")[0] == 0
    assert (root / "etc/systemd/system/tic-capture.service").exists()
    code, output = call(root, "install")
    assert (code, "tic-capture would read the same meter" in output) == (1, True)


def test_a_secret_of_root_becomes_a_credential_and_one_of_the_services_does_not(root: Path) -> None:
    secret = root / "etc/ticbridge/mqtt-password"
    secret.parent.mkdir()
    secret.write_text("xyz\n")
    line = "LoadCredential=mqtt-password:/etc/ticbridge/mqtt-password"
    assert f"\n{line}\n" in Place(root).text("ticbridge-bridge")
    os.chown(secret, 12345, 12345)
    assert f"\n#{line}\n" in Place(root).text("ticbridge-bridge")


def test_a_program_in_a_home_is_shown_to_the_services_and_nothing_else_of_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path("/home/pi/.local/share/pipx/venvs/ticbridge/bin/ticbridge")
    monkeypatch.setattr(units, "program", lambda: program)
    text = Place(root).text("ticbridge-web")
    assert "\nProtectHome=tmpfs\nBindReadOnlyPaths=/home/pi/.local/share/pipx/venvs/ticbridge\n" in text
    assert f"ExecStart={program} " in text


def test_a_dry_run_writes_nothing(root: Path) -> None:
    before = files(root)
    code, output = call(root, "install", "--dry-run")
    assert (code, output.count("[Service]"), files(root)) == (0, 3, before)


def test_who_is_not_root_is_told_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = CliRunner().invoke(cli, ["service", "install"])
    assert done.exit_code == 1
    assert done.output == f"Error: only root may change services: sudo {units.program()} service install\n"


def test_without_units_status_says_how_to_install(root: Path) -> None:
    assert call(root, "status") == (1, f"No unit is installed: sudo {units.program()} service install\n")


def test_what_setup_made_as_root_is_given_to_the_services_and_nothing_is_said_twice(root: Path) -> None:
    config, database = root / "etc/ticbridge/config.yaml", root / "var/lib/ticbridge/db.sqlite3"
    for file in (config, database):
        file.parent.mkdir(parents=True)
        file.write_text("meters: [{source: auto}]\n")
    place = Place(root)
    said = list(place.install(PARTS, config, theirs=(units.STATE, Path("/etc/ticbridge/mqtt-password"))))
    written = [root / "etc/sysusers.d/ticbridge.conf", *(place.unit(part) for part in PARTS)]
    assert said[:-1] == [f"{file}: written" for file in written]
    assert (database.stat().st_uid, database.stat().st_gid) == place.owner()
    assert config.stat().st_uid == os.geteuid()
