"""A bridge with its meters, its spool and its settings; the long form and the short one."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path
from time import monotonic
from typing import Any, Final

import pytest

from bridge.spool import Spool
from tests.faults.generator import Generator
from tests.faults.ledger import Promised, keep_ledger, newest, read_spool
from tests.faults.processes import PATIENCE, Program

LONG: Final = os.environ.get("FAULTS") == "long"
RATE: Final = 90.0 if LONG else 60.0  # frames a second
long_only: Final = pytest.mark.faults_long
HURRY: Final = 1.0  # seconds that a bridge waits for the watermark, instead of a minute
LINK: Final = {"bridge.mqtt._BACKOFF": (0.2, 2.0)}
_BRIDGE: Final = {
    **LINK, "bridge.reader._BACKOFF": (0.2, 2.0), "bridge.spool._RETRY": 1.0, "bridge.handover.PATIENCE": HURRY,
}  # fmt: skip

Tree = dict[str, Any]  # of YAML


class Station:
    """A meter and the bridge that reads it."""

    def __init__(
        self, number: int, folder: Path, port: int, changes: Tree, seed: int, bridge: str, meters: int = 1
    ) -> None:
        self.state = folder / f"state{number}"
        self.spool = self.state / "spool.sqlite3"
        # A port is known by its place below /dev; there everybody may write in shm only.
        self._ports = Path(tempfile.mkdtemp(prefix="ticbridge-", dir="/dev/shm"))
        self.generators = [
            Generator(self._ports / f"port{n}", f"0618610{number:02}{n:03}", seed + n) for n in range(meters)
        ]
        self.generator = self.generators[0]
        self.meter = self.generator.meter
        self.remembered = Promised()
        config: Tree = {
            "bridge": {"id": bridge, "state_dir": str(self.state)},
            "meters": [{"source": str(g.link), "mode": "standard", "id": g.meter} for g in self.generators],
            "mqtt": {"host": "127.0.0.1", "port": port, "keepalive": 5},
            "publish": {"fields": ["sinsts"], "min_interval": 1},
            "homeassistant": {"enabled": False},
            "spool": {"release": "stored", "min_free_disk": 0},
        }
        self.bridge = Program(f"bridge{number}", folder, merged(config, changes))
        self.bridge.tampering = {"hurry": _BRIDGE}

    def make_spool(self) -> None:
        """Have the product make its spool, and the ledger kept in it."""
        self.state.mkdir(exist_ok=True)
        Spool(self.spool).close()
        keep_ledger(self.spool)

    def promised(self) -> Promised:
        """What this station's spool promised, whichever of its images is in place now."""
        promised = Promised()
        promised.add(self.remembered)
        promised.add(read_spool(self.spool))
        return promised

    def remember(self) -> None:
        """Keep the ledger: the spool will be exchanged."""
        self.remembered.add(read_spool(self.spool))
        self.remembered.held = 0

    def read_too(self, meter: str) -> None:
        """Be a second reader of another station's meter."""
        self.meter = self.generator.meter = meter
        self.generator.counter = 50_000
        self.bridge.config["meters"][0]["id"] = meter

    def start_meters(self, rate: float = RATE) -> None:
        """Have all its meters speak, so many frames a second."""
        for generator in self.generators:
            generator.start(rate)

    def has_begun(self) -> bool:
        """Whether a reading of each meter was accepted."""
        return all(newest(self.spool, generator.meter) is not None for generator in self.generators)

    def wait_until_read(self) -> None:
        """Wait until the newest frames are accepted: then everything before them is, or never will be."""
        for generator in self.generators:
            generator.stop()
        for generator in self.generators:
            self._wait_until_read(generator, monotonic() + PATIENCE)

    def _wait_until_read(self, generator: Generator, until: float) -> None:
        pause = threading.Event()
        while newest(self.spool, generator.meter) != generator.counter:
            if monotonic() > until:
                pytest.fail(f"the bridge does not read its port; it said: {self.bridge.said[-20:]}")
            if not self.bridge.is_running:
                self.bridge.start()
            generator.send()
            waited = monotonic() + 1
            while newest(self.spool, generator.meter) != generator.counter and monotonic() < waited:
                pause.wait(0.05)

    def close(self) -> None:
        self.bridge.close()
        for generator in self.generators:
            generator.close()
        shutil.rmtree(self._ports)


def merged(tree: Tree, changes: Tree) -> Tree:
    """`changes` laid over `tree`, section by section."""
    return {
        key: merged(tree.get(key, {}), changes[key])
        if isinstance(changes.get(key), dict)
        else changes.get(key, tree.get(key))
        for key in {**tree, **changes}
    }
