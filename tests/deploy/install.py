"""`make test-install`: from a clean Debian to a meter in Home Assistant, timed, under a real systemd.

A Debian root is made with mmdebstrap and booted by systemd-nspawn in a network of its own. What would be downloaded
lies in a folder of it before the clock starts. The meter is a stand-in: `ticbridge simulate` behind a TCP
port, as a serial server would be.
Needs root, mmdebstrap, systemd-container. `--transcript FILE` writes what the owner saw.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

import click

ROOT: Final = Path(__file__).resolve().parents[2]
DEBIAN: Final = "trixie"
PACKAGES: Final = (
    "systemd,systemd-sysv,dbus,udev,python3,python3-venv,pipx,mosquitto,mosquitto-clients,ca-certificates,procps"
)
PATIENCE: Final = 240.0  # seconds for each wait: a busy machine is no failure
LIMIT: Final = 180.0  # seconds for all actions together
BRIDGE: Final = "ticbridge-bridge"
COUNT: Final = (
    "import sqlite3; db = sqlite3.connect('/var/lib/ticbridge/db.sqlite3'); "
    "print(db.execute('select count(*) from storage_data').fetchone()[0])"
)
METER: Final = "socket://127.0.0.1:2000"
SPELLING: Final = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "LANG": "C.UTF-8",
                   "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # fmt: skip


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Output of a command; a failure ends everything."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)[-300:]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Machine:
    """A Debian that runs."""

    def __init__(self, place: Path) -> None:
        self.root = place / "root"
        if not self.root.exists():
            run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(self.root)])
        self._supply()
        self._log = (place / "boot.log").open("wb")
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "--boot", "--private-network", "--register=no", "--keep-unit", "-D", str(self.root)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._leader = ""
        self.until(self._is_up, "systemd did not come up")

    def _supply(self) -> None:
        """The wheel and what it needs, for the python of that Debian."""
        wheels = self.root / "wheels"
        wheels.mkdir(exist_ok=True)
        for old in wheels.glob("ticbridge-*.whl"):
            old.unlink()
        run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)])
        [wheel] = wheels.glob("ticbridge-*.whl")
        version = run(["chroot", str(self.root), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        run([sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version",
             version.strip(), "--find-links", str(wheels), "--dest", str(wheels),
             f"{wheel}[store]", "pip"])  # fmt: skip

    def _is_up(self) -> bool:
        if not self._leader:
            found = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True, check=False)
            self._leader = found.stdout.split()[0] if found.stdout.strip() else ""
            return False
        state = self.ask("systemctl is-system-running")
        return state.strip() in ("running", "degraded")

    def command(self, text: str) -> list[str]:
        """As the owner types it, as root."""
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        return ["nsenter", "--target", self._leader, *spaces, "sh", "-c", text]

    def ask(self, text: str) -> str:
        """What it says, whether it fails or not."""
        done = subprocess.run(self.command(text), env=SPELLING, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def until(self, is_so: Callable[[], object], otherwise: str) -> None:
        """Wait for it."""
        limit, pause = monotonic() + PATIENCE, threading.Event()
        while not is_so():
            if monotonic() > limit or self._nspawn.poll() is not None:
                sys.exit(otherwise)
            pause.wait(0.5)

    def stop(self) -> None:
        """Off."""
        self._nspawn.terminate()
        try:
            self._nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
        self._log.close()


class Owner:
    """Types, and waits: each action is timed, and what it shows is kept."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.transcript: list[str] = []
        self.seconds = 0.0

    def types(self, shown: str, text: str | None = None) -> str:
        """An action: `shown` is what the owner would type with a network."""
        began = monotonic()
        done = subprocess.run(
            self._machine.command(text or shown), env=SPELLING, capture_output=True, text=True, check=False
        )
        took = monotonic() - began
        self.seconds += took
        output = done.stdout + done.stderr
        self.transcript += [f"# {shown}", *output.rstrip().splitlines(), f"({took:.0f} s)", ""]
        click.echo("\n".join(self.transcript[-len(output.splitlines()) - 3 :]))
        if done.returncode:
            sys.exit(f"exit code {done.returncode}")
        return output


def check(machine: Machine) -> list[str]:
    """Everything; the transcript."""
    owner = Owner(machine)
    [wheel] = machine.root.glob("wheels/ticbridge-*.whl")
    owner.types("pipx install --global 'ticbridge[store]'", f"pipx install --global '/wheels/{wheel.name}[store]'")
    machine.ask("systemctl start mosquitto; systemd-run --unit=meter ticbridge simulate --tcp 2000")
    machine.until(lambda: "2000" in machine.ask("cat /proc/net/tcp | grep -i :07D0 && echo 2000"), "no meter")
    said = owner.types(f"ticbridge setup --yes --source {METER}")
    began = monotonic()
    device = machine.ask("timeout 200 mosquitto_sub -C 1 -t 'homeassistant/device/+/config'")
    owner.seconds += monotonic() - began
    owner.transcript += [f"Home Assistant is told of the device ({monotonic() - began:.0f} s later)", ""]
    assert '"name": "Linky"' in device or '"Linky"' in device, device[:500]
    machine.until(lambda: machine.ask("ticbridge service status; echo $?").endswith("\n0\n"), "the services do not run")
    machine.until(
        lambda: re.search(r"[1-9]\d* readings stored", machine.ask("ticbridge service status")), "nothing stored"
    )
    owner.types("ticbridge service status")
    [link] = re.findall(r"http://\S+", said)
    answer = machine.ask(f"python3 -c \"from urllib.request import urlopen; print(urlopen('{link}').status)\"")
    assert answer.strip() == "200", answer
    _watchdog(machine)
    _upgrade(machine)
    click.echo(f"{owner.seconds:.0f} s for the actions, downloads aside; at most {LIMIT:.0f}")
    if owner.seconds > LIMIT:
        sys.exit("too long")
    return owner.transcript


def _shown(machine: Machine, part: str, name: str) -> str:
    return machine.ask(f"systemctl show --value --property {name} {part}").strip()


def _watchdog(machine: Machine) -> None:
    """With a short period: a meter that is away changes nothing, a process that hangs is started again."""
    folder = f"/run/systemd/system/{BRIDGE}.service.d"
    short = "[Service]\\nWatchdogSec=6\\nRestartSec=1\\n"
    machine.ask(f"mkdir -p {folder} && printf '{short}' > {folder}/short.conf")
    machine.ask(f"systemctl daemon-reload && systemctl restart {BRIDGE}")
    machine.until(
        lambda: _shown(machine, BRIDGE, "StatusText").startswith("1 meter, "), "the meter was not heard again"
    )
    pid = _shown(machine, BRIDGE, "MainPID")
    machine.ask("systemctl stop meter")
    machine.until(lambda: "0 of 1 meter" in _shown(machine, BRIDGE, "StatusText"), "the meter is not missed")
    threading.Event().wait(3 * 6.0)  # three periods
    assert _shown(machine, BRIDGE, "MainPID") == pid
    click.echo(f"meter away for three periods: same pid, {_shown(machine, BRIDGE, 'StatusText')}")
    machine.ask("systemctl kill --signal=STOP ticbridge-bridge")
    machine.until(lambda: _shown(machine, BRIDGE, "NRestarts") == "1", "the watchdog did not bite")
    click.echo(
        f"stopped by SIGSTOP: {machine.ask('journalctl -u ticbridge-bridge | grep -i watchdog | tail -1').strip()}"
    )
    machine.ask(f"rm -r {folder}; systemctl daemon-reload; systemctl restart {BRIDGE}")


def _upgrade(machine: Machine) -> None:
    """Installed again over itself: the data stay."""
    before = int(machine.ask(f'python3 -c "{COUNT}"'))
    [wheel] = machine.root.glob("wheels/ticbridge-*.whl")
    machine.ask(f"pipx install --force --global '/wheels/{wheel.name}[store]'")
    again = machine.ask("ticbridge service install")
    assert "up to date" in again, again
    machine.until(
        lambda: machine.ask("ticbridge service status; echo $?").endswith("\n0\n"), "not running after the upgrade"
    )
    after = int(machine.ask(f'python3 -c "{COUNT}"'))
    click.echo(f"upgrade in place: {before} readings before, {after} after")
    assert 0 < before <= after


@click.command()
@click.option("--transcript", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--place", type=click.Path(path_type=Path, file_okay=False), help="Keep the Debian root here.")
def main(transcript: Path | None, place: Path | None) -> None:
    """Build, boot, install, look."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-install-") as made:
        machine = Machine(place or Path(made))
        try:
            lines = check(machine)
        finally:
            machine.stop()
    if transcript is not None:
        transcript.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
