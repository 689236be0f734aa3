"""A broker of our own for the demo: mosquitto when it is on PATH, else amqtt in a child process."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
import sys
from pathlib import Path
from time import monotonic, sleep

from ticbridge.commands.processes import Child

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
user {user}
max_queued_messages 100000
"""


def free_port(wanted: int = 0) -> int:
    """`wanted` when nobody has it, else any free port of the loopback address."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


def start_broker(folder: Path, port: int) -> tuple[Child, str]:
    """The child, and a sentence that says which broker it is and what that means."""
    log = folder / "broker.log"
    # Debian keeps daemons in /usr/sbin, which is not on every user's PATH.
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if mosquitto:
        config = folder / "mosquitto.conf"
        # As ourselves: a change of user would make the kernel forget that it shall end with us.
        config.write_text(_MOSQUITTO.format(port=port, user=getpass.getuser()))
        return Child("mosquitto", [mosquitto, "-c", str(config)], log=log), "mosquitto"
    child = Child("amqtt", [sys.executable, "-m", "ticbridge.commands.broker", str(port)], log=log)
    return child, "amqtt, in Python: good for a demo, not for your home (apt install mosquitto)"


def wait_for_port(port: int, child: Child, patience: float = 10.0) -> bool:
    """Wait until somebody listens; False when the child died or did not listen in time."""
    until = monotonic() + patience
    while monotonic() < until and child.code is None:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        sleep(0.05)
    return False


async def _serve(port: int) -> None:
    from amqtt.broker import Broker  # noqa: PLC0415  an optional extra

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
