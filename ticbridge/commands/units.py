"""Where the systemd units of this installation stand, what they say here, and systemctl."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from serial.tools import list_ports

from bridge.config import PLACES, ConfigError, load, standing
from ticbridge.shipped import UNITS

PARTS: Final = ("ticbridge-bridge", "ticbridge-store", "ticbridge-web")
CAPTURE: Final = "tic-capture"
STATE: Final = Path("/var/lib/ticbridge")
CONFIG: Final = PLACES[1]
USER: Final = "ticbridge"
_PROGRAM: Final = "/opt/ticbridge/bin/ticbridge"  # as the files of deploy/systemd say
_HOMES: Final = (Path("/home"), Path("/root"), Path("/run/user"))  # what ProtectHome hides
_CREDENTIAL: Final = re.compile(r"^#(LoadCredential=[\w-]+:(/\S+))$", re.MULTILINE)
_SHOWN: Final = ("LoadState", "ActiveState", "SubState", "StatusText", "MainPID", "NRestarts")


class ServiceError(Exception):
    """What could not be done; the text says why and what to do."""


def program() -> Path:
    """The command of this installation, as a unit calls it: in its own environment, not a link to it."""
    return Path(sys.executable).parent / "ticbridge"


def is_running() -> bool:
    """Whether systemd runs this machine."""
    return Path("/run/systemd/system").is_dir()


def here() -> Place:
    """This system."""
    return Place(None)


class Place:
    """A system on which the units stand: this one, or one below a folder, where nothing can be started."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._base = root or Path("/")

    def below(self, path: Path | str) -> Path:
        """A path of that system."""
        return self._base / str(path).lstrip("/")

    def unit(self, part: str) -> Path:
        """The file of a unit."""
        return self.below(f"/etc/systemd/system/{part}.service")

    def text(self, part: str) -> str:
        """A unit as it shall stand there: our program, and the credentials that there are."""
        text = (UNITS / f"{part}.service").read_text(encoding="utf-8").replace(_PROGRAM, str(program()))
        text = _CREDENTIAL.sub(self._credential, text)
        environment = program().parent.parent
        if any(environment.is_relative_to(home) for home in _HOMES):
            # Installed by a user with pipx: homes stay hidden, but for the program itself.
            text = text.replace("ProtectHome=yes", f"ProtectHome=tmpfs\nBindReadOnlyPaths={environment}")
        return text

    def _credential(self, found: re.Match[str]) -> str:
        """Of root's own secrets systemd hands a copy over; what the services may read themselves needs none."""
        file = self.below(found[2])
        return found[1] if file.exists() and file.stat().st_uid == 0 else found[0]

    # --- install ---------------------------------------------------------------------------------

    def install(self, parts: Sequence[str], config: Path | None, theirs: Sequence[Path] = ()) -> Iterator[str]:
        """Write what is not as it shall be, enable, start; a line for each step. `theirs`: made for the services."""
        if self._root is None and shutil.which("systemctl") is None:
            raise ServiceError(
                "There is no systemctl here, so no systemd: run `ticbridge up` under your own supervisor"
            )
        others = [part for part in (*PARTS, CAPTURE) if part not in parts and self.unit(part).exists()]
        if others:
            raise ServiceError(
                f"{', '.join(others)} would read the same meter: ticbridge service uninstall, then again"
            )
        yield from self._make_user()
        self._give_away(theirs)
        yield from self._take_config(config)
        for part in parts:
            yield self._write(self.unit(part), self.text(part))
        if self._root is not None:
            self._systemctl("--root", str(self._root), "enable", *parts)
            yield f"enabled: {', '.join(parts)}, from the next start of that system on"
            return
        yield from self._name_hint()
        self._systemctl("enable", *parts)
        if not is_running():
            yield "systemd does not run here: the services start with the machine"
            return
        self._systemctl("daemon-reload")
        self._systemctl("restart", "--no-block", *parts)
        yield f"started: {', '.join(parts)}; what they do now: ticbridge service status"

    def _make_user(self) -> Iterator[str]:
        """The user of the services, in the group that may open serial ports."""
        file = self.below("/etc/sysusers.d/ticbridge.conf")
        yield self._write(file, (UNITS / "sysusers.conf").read_text(encoding="utf-8"))
        root = [] if self._root is None else [f"--root={self._root}"]
        self._run(["systemd-sysusers", *root, file.name])  # found by its name, below the root
        state = self.below(STATE)
        if not state.exists():
            state.mkdir(parents=True, mode=0o700)
        owner = self.owner()
        os.chown(state, *owner)

    def _give_away(self, paths: Sequence[Path]) -> None:
        """Files that root made for the services are theirs."""
        owner = self.owner()
        for path in map(self.below, paths):
            for each in (path, *path.rglob("*")) if path.exists() else ():
                os.chown(each, *owner, follow_symlinks=False)

    def owner(self) -> tuple[int, int]:
        """Numbers of the services' user and group in that system."""
        for line in self.below("/etc/passwd").read_text(encoding="utf-8").splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == USER:
                return int(uid), int(gid)
        raise ServiceError(f"The user {USER} could not be made: does systemd-sysusers work here?")

    def _take_config(self, given: Path | None) -> Iterator[str]:
        """The configuration of the services: what stands there stays."""
        target = self.below(CONFIG)
        if target.exists():
            if given == target:  # which `setup` wrote, and said so
                return
            yield f"{target}: stays as it is"
            return
        source = given or standing()
        if source is None:
            raise ServiceError(f"There is no {CONFIG} yet: sudo {program()} setup")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(0o644)
        yield f"{target}: copied from {source}"

    def _write(self, path: Path, text: str) -> str:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return f"{path}: up to date"
        word = "renewed" if path.exists() else "written"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        return f"{path}: {word}"

    def _name_hint(self) -> Iterator[str]:
        """A port named /dev/ttyUSB0 is another one tomorrow: say how to give it a name that stays."""
        try:
            sources = [meter.source for meter in load(self.below(CONFIG), {}).meters]
        except ConfigError as error:
            raise ServiceError(str(error)) from None
        for port in list_ports.comports():
            if port.device in sources and port.vid is not None:
                serial = f', ATTRS{{serial}}=="{port.serial_number}"' if port.serial_number else ""
                yield (
                    f"{port.device} may have another name after a restart: take its name in /dev/serial/by-id, or "
                    'give it one in /etc/udev/rules.d/70-linky.rules: SUBSYSTEM=="tty", '
                    f'ATTRS{{idVendor}}=="{port.vid:04x}", ATTRS{{idProduct}}=="{port.pid:04x}"{serial}, '
                    'SYMLINK+="linky"'
                )

    # --- uninstall, status -----------------------------------------------------------------------

    def uninstall(self) -> Iterator[str]:
        """Take the units away; a line for each step."""
        parts = [part for part in (*PARTS, CAPTURE) if self.unit(part).exists()]
        if not parts:
            yield "No unit of ours is installed"
            return
        if self._root is None and is_running():
            self._systemctl("disable", "--now", *parts)
        else:
            self._systemctl(*([] if self._root is None else ["--root", str(self._root)]), "disable", *parts)
        for part in parts:
            self.unit(part).unlink()
            yield f"{self.unit(part)}: removed"
        self.below("/etc/sysusers.d/ticbridge.conf").unlink(missing_ok=True)
        if self._root is None and is_running():
            self._systemctl("daemon-reload")
        yield f"Kept: {CONFIG.parent} (settings), {STATE} (data), the user {USER}"

    def status(self) -> tuple[list[str], bool]:
        """A line for each unit, and whether all that are installed run."""
        parts = [part for part in (*PARTS, CAPTURE) if self.unit(part).exists()]
        if not parts:
            return [f"No unit is installed: sudo {program()} service install"], False
        if self._root is not None or not is_running():
            return [f"{part}: installed; systemd does not run here" for part in parts], False
        found = {part: self._show(part) for part in parts}
        lines = [
            f"{part:17} {state['ActiveState']} ({state['SubState']}), pid {state['MainPID']}, "
            f"{state['NRestarts']} restarts: {state['StatusText'] or 'journalctl -u ' + part + ' says why'}"
            for part, state in found.items()
        ]
        return lines, all(state["ActiveState"] == "active" for state in found.values())

    def _show(self, part: str) -> dict[str, str]:
        text = self._systemctl("show", "--property", ",".join(_SHOWN), f"{part}.service")
        return dict.fromkeys(_SHOWN, "") | dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def _systemctl(self, *arguments: str) -> str:
        return self._run(["systemctl", *arguments])

    @staticmethod
    def _run(command: list[str]) -> str:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  systemd's own
        except FileNotFoundError:
            raise ServiceError(f"{command[0]} is not here: is systemd installed?") from None
        if done.returncode:
            raise ServiceError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout
