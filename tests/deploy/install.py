"""`make test-install`: from a clean Debian to a meter in Home Assistant, timed, under a real systemd; then its life.

What would be downloaded lies in a folder of the machine before the clock starts. The meter is a stand-in: `ticbridge
simulate` behind a TCP port, as a serial server would be; Home Assistant is what it would read: the meter's description
on the broker. Needs root, mmdebstrap, systemd-container. `--transcript FILE` writes what the owner saw.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

import click

from bridge.simulated.plan import Plan
from tests.deploy.debian import ROOT
from tests.deploy.machine import Machine, Owner, as_owner, wheel
from ticbridge.commands.units import PARTS

HERE: Final = Path(__file__).parent
LIMIT: Final = 180.0  # seconds for all actions together
BRIDGE, STORE, WEB = PARTS
METER: Final = Plan().meter_id  # of what `ticbridge simulate` is
INFO: Final = "linky/bridge/raspberrypi/info"
SOURCE: Final = "socket://127.0.0.1:2000"
COUNT: Final = (
    "import sqlite3; db = sqlite3.connect('/var/lib/ticbridge/db.sqlite3'); "
    "print(db.execute('select count(*) from storage_data').fetchone()[0])"
)
WATCHDOG: Final = 6  # seconds, in place of minutes: a period of what is tried here
NEXT: Final = "0.1.1"


def install(machine: Machine) -> tuple[Owner, float, str]:
    """What the owner does, and the wait until the meter is in Home Assistant; the seconds, and the first link."""
    owner = Owner(machine)
    owner.types("sudo pipx install --global 'ticbridge[store]'")
    machine.does("systemctl start mosquitto")
    plug_in(machine)
    said = owner.types(f"sudo ticbridge setup --yes --source {SOURCE}")
    owner.waits(lambda: is_announced(machine), "The meter is in Home Assistant")
    seconds = owner.seconds
    owner.notes(f"{seconds:.0f} s for all of it, downloads aside")
    [link] = re.findall(r"http://\S+/start/\S+", said)
    return owner, seconds, link


def plug_in(machine: Machine) -> None:
    """A meter's serial server."""
    machine.does("systemd-run --quiet --unit=meter ticbridge simulate --tcp 2000")
    machine.until(lambda: "07D0" in machine.says("cat /proc/net/tcp"), "no meter")


def is_announced(machine: Machine) -> bool:
    """Whether Home Assistant would have the meter, with its entities, by now."""
    text = retained(machine, f"homeassistant/device/linky_{METER}/config")
    return bool(text) and len(json.loads(text)["components"]) > 10


def retained(machine: Machine, topic: str) -> str:
    """What the broker keeps there; nothing within two seconds is nothing."""
    return machine.says(f"mosquitto_sub -C 1 -W 2 -t '{topic}' 2>/dev/null").strip()


def shown(machine: Machine, part: str, name: str) -> str:
    """A property of a unit."""
    return machine.says(f"systemctl show --value --property {name} {part}").strip()


def is_well(machine: Machine) -> bool:
    """All three run, the meter is heard, and readings are stored."""
    done = machine.tries("ticbridge service status")
    return (
        not done.returncode and "\n" in done.stdout
        and re.search(r"[1-9]\d* readings stored", done.stdout) is not None
        and shown(machine, BRIDGE, "StatusText").startswith("1 meter, ")
    )  # fmt: skip


def rows(machine: Machine) -> int:
    """Readings in the database."""
    return int(machine.does(f'python3 -c "{COUNT}"'))


# --- what is tried -------------------------------------------------------------------------------


def services(machine: Machine, owner: Owner, link: str) -> None:
    """They run, by their own word; the link makes the first account, once; installed twice is installed once."""
    machine.until(lambda: is_well(machine), "the services do not run, or nothing is stored")
    owner.types("ticbridge service status")
    shutil.copy(HERE / "account.py", machine.root / "root/account.py")
    click.echo(machine.does(f"python3 /root/account.py '{link}'").strip())
    machine.does("mosquitto_pub -t homeassistant/status -m online")  # as Home Assistant says at its start
    machine.until(lambda: json.loads(retained(machine, INFO))["birth"], "the bridge does not tell of Home Assistant")
    for language in ("en", "fr"):
        assert (
            "\n0 failed, " in (said := owner.types(f"sudo ticbridge check --language {language}"))
            or "0 en échec" in said
        )
    again = machine.does("ticbridge service install")
    assert (again.count("up to date"), "written" in again, "renewed" in again) == (4, False, False), again
    machine.until(lambda: is_well(machine), "not well after a second installation")
    click.echo("service install twice: nothing written again")


def watchdog(machine: Machine) -> None:
    """With a short period: a meter that is away changes nothing, a process that hangs is started again."""
    folder = f"/run/systemd/system/{BRIDGE}.service.d"
    short = f"[Service]\\nWatchdogSec={WATCHDOG}\\nRestartSec=1\\n"
    machine.does(f"mkdir -p {folder} && printf '{short}' > {folder}/short.conf")
    machine.does(f"systemctl daemon-reload && systemctl restart {BRIDGE}")
    machine.until(lambda: is_well(machine), "the meter was not heard again")
    pid, restarts = shown(machine, BRIDGE, "MainPID"), int(shown(machine, BRIDGE, "NRestarts"))
    machine.does("systemctl stop meter")
    machine.until(lambda: retained(machine, f"linky/{METER}/status") == "offline", "the meter is not offline")
    threading.Event().wait(3 * WATCHDOG)
    assert (shown(machine, BRIDGE, "MainPID"), retained(machine, f"linky/{METER}/status")) == (pid, "offline")
    click.echo(f"meter away for three periods: same pid, offline, {shown(machine, BRIDGE, 'StatusText')}")
    machine.does(f"systemctl kill --signal=STOP {BRIDGE}")
    machine.until(lambda: int(shown(machine, BRIDGE, "NRestarts")) == restarts + 1, "the watchdog did not bite")
    bite = machine.says(f"journalctl -b -u {BRIDGE} -o cat --no-pager | grep -i 'watchdog timeout' | tail -1").strip()
    assert bite, machine.says(f"journalctl -b -u {BRIDGE} -n 20 --no-pager")
    assert shown(machine, BRIDGE, "MainPID") != pid
    plug_in(machine)
    machine.does(f"rm -r {folder}; systemctl daemon-reload; systemctl restart {BRIDGE}")
    machine.until(lambda: is_well(machine), "not well after the watchdog")
    click.echo(f"stopped by SIGSTOP: {bite}; started again")


def order(machine: Machine) -> None:
    """Whoever comes first waits for the others; and after a restart of the machine everything comes by itself."""
    everything = f"{WEB} {BRIDGE} {STORE} mosquitto meter"
    machine.does(f"systemctl stop {everything}")
    before = rows(machine)
    for late in (WEB, BRIDGE, STORE):
        machine.does(f"systemctl start --no-block {late}")
    machine.until(lambda: shown(machine, WEB, "ActiveState") == "active", "the page waits for a broker")
    plug_in(machine)
    machine.does("systemctl start mosquitto")
    machine.until(lambda: is_well(machine) and rows(machine) > before, "not well with the broker last")
    click.echo("page, bridge, store, meter, broker, in this order: all well")
    before = rows(machine)
    machine.stop()
    machine.boot()
    machine.until(lambda: shown(machine, BRIDGE, "ActiveState") == "active", "no bridge after a restart")
    plug_in(machine)
    machine.until(lambda: is_well(machine) and rows(machine) > before, "not well after a restart of the machine")
    click.echo("machine off and on: all well, nothing was typed")


def upgrade(machine: Machine) -> None:
    """By the commands of docs/how-to/upgrade.md, to a newer version: readings and account stay, and a backup."""
    before = rows(machine)
    with tempfile.TemporaryDirectory(prefix="ticbridge-next-") as folder:
        machine.offer(wheel(Path(folder), NEXT))
    block = (ROOT / "docs/how-to/upgrade.md").read_text(encoding="utf-8").split("```sh\n")[1].partition("```")[0]
    *commands, last = (line.partition(" #")[0].strip() for line in block.strip().splitlines())
    for command in commands:
        machine.does(as_owner(command))
    assert machine.does("ticbridge --version").strip().endswith(NEXT)
    machine.until(lambda: is_well(machine) and rows(machine) > before, "not well after the upgrade")
    machine.does(as_owner(last))
    info = json.loads(retained(machine, INFO))
    assert info["version"] == NEXT, info
    assert not machine.does("ticbridge --config /etc/ticbridge/config.yaml manage first_link").strip(), "no account"
    click.echo(f"upgrade in place to {NEXT}: {before} readings before, {rows(machine)} after; the account is there")


def uninstall(machine: Machine) -> None:
    """The services go; settings and data stay."""
    before = rows(machine)
    said = machine.does("ticbridge service uninstall")
    assert [shown(machine, part, "LoadState") for part in PARTS] == ["not-found"] * 3
    assert "ticbridge-" not in machine.says("ls -R /etc/systemd/system; ps ax -o args | grep '[t]icbridge-'")
    assert (machine.root / "etc/ticbridge/config.yaml").exists()
    assert rows(machine) >= before
    assert machine.does("ticbridge service uninstall") == "No unit of ours is installed\n"
    click.echo(said.strip().splitlines()[-1])


@click.command()
@click.option("--transcript", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--place", type=click.Path(path_type=Path, file_okay=False), help="Keep the clean Debian here for the next time."
)
@click.option("--measure", is_flag=True, help="The timed actions alone.")
def main(transcript: Path | None, place: Path | None, measure: bool) -> None:
    """Build, boot, install, look."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-install-") as made:
        machine = Machine(Path(made), place or Path(made))
        machine.offer(wheel(Path(made)))
        try:
            machine.boot()
            owner, seconds, link = install(machine)
            services(machine, owner, link)
            if not measure:
                watchdog(machine)
                order(machine)
                upgrade(machine)
                uninstall(machine)
        finally:
            machine.stop()
    if seconds > LIMIT:
        sys.exit(f"{seconds:.0f} s are too long: at most {LIMIT:.0f}")
    if transcript is not None:
        transcript.write_text("\n".join(owner.transcript), encoding="utf-8")


if __name__ == "__main__":
    main()
