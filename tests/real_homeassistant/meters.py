"""The meters that Home Assistant is shown: every contract that can be simulated, and one under a test's hand."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

import yaml

from bridge.outlets import TcpServer
from bridge.simulated.contract import Contract
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan, read_plan
from bridge.tic.catalogue import BY_SLUG, Field, Mode
from tests.broker.conftest import Program, free_port

MODES: Final = tuple(Mode)


def _simulated() -> dict[str, str]:
    """Name -> source: each contract in each mode, on one phase and on three, and what else a meter can have."""
    plans = [f"{contract}?mode={mode}&phases={phases}" for contract in Contract for mode in MODES for phases in (1, 3)]
    plans += ["tempo?producer=1", "base?overload=1", "base?overload=1&mode=historique&phases=3", "hchp?degraded=1"]
    return {
        plan: f"sim:{plan}{'&' if '?' in plan else '?'}seed={number}" for number, plan in enumerate(plans, start=101)
    }


SIMULATED: Final = _simulated()


def meter_of(source: str) -> str:
    """The meter's name on the broker."""
    return read_plan(source.removeprefix("sim:"))[0].meter_id


def billed(components: dict[str, Any]) -> list[str]:
    """The indexes that the owner pays for, of what was announced: one for each tariff, or the total of a single one."""
    suppliers = sorted(key for key in components if key.startswith("easf"))
    parts = suppliers or sorted(key for key in components if key in _HISTORIQUE)
    return parts if len(parts) > 1 else ["east"] if "east" in components else parts


_HISTORIQUE: Final = frozenset(
    row.canonical for row in BY_SLUG.values() if row.mode is Mode.HISTORIQUE and row.unit == "Wh"
)


def is_counter(row: Field) -> bool:
    """Whether the field is an index."""
    return row.unit in ("Wh", "varh")


def bridge(folder: Path, broker_port: int, bridge_id: str, meters: list[dict[str, Any]]) -> Program:
    """Start the bridge; the folder keeps what it remembers between two starts."""
    path = folder / f"{bridge_id}.yaml"
    config = {
        "bridge": {"id": bridge_id, "state_dir": str(folder / bridge_id)},
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "meters": meters,
    }
    path.write_text(yaml.safe_dump(config))
    return Program(folder, path, "bridge")


class Line(threading.Thread):
    """A simulated meter whose frames leave on a TCP port, for a test to damage, exchange, halt and unplug.

    Unlike `sim:` it goes on counting while nobody reads it.
    """

    def __init__(self, plan: Plan, speed: float = 1.0) -> None:
        super().__init__(daemon=True)
        self.port = free_port()
        self._speed = speed
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._unplugged = threading.Event()
        self._plugged = threading.Event()
        self._now, self._at = datetime.now(UTC), monotonic()
        self._halted = False
        self._mute = False
        self.meter = SimulatedMeter(plan, self._now)
        self.start()

    @property
    def source(self) -> str:
        """What the bridge opens."""
        return f"socket://127.0.0.1:{self.port}"

    def run(self) -> None:
        while not self._closed.is_set():
            self._unplugged.clear()
            server = TcpServer(self.port, self._unplugged)
            while not self._unplugged.is_set():
                frame, seconds = self._next()
                server.write(frame)
                self._unplugged.wait(seconds / self._speed)
            server.close()
            self._plugged.wait()
            self._plugged.clear()

    def change(self, **changes: object) -> None:
        """Another mode, other damage: the same meter, which goes on counting."""
        with self._lock:
            self.meter.plan = replace(self.meter.plan, **changes)  # type: ignore[arg-type]  # fields of a plan

    def exchange(self, plan: Plan) -> None:
        """Another meter on the same wires."""
        with self._lock:
            self.meter = SimulatedMeter(plan, self._now)
            self._halted = False

    def halt(self) -> None:
        """Nothing is used any more: the same sound frame again and again."""
        with self._lock:
            self._pass_time()
            self._halted = True
            self.meter.plan = replace(self.meter.plan, corrupt=0.0)

    def skip(self, time: timedelta) -> None:
        """The meter's clock goes on by so much at once; what was used meanwhile is counted."""
        with self._lock:
            self._now += time

    def mute(self, *, mute: bool) -> None:
        """The port is there and nothing comes: a wire is off."""
        with self._lock:
            self._mute = mute

    def unplug(self) -> None:
        """The port is gone."""
        self._unplugged.set()

    def plug(self) -> None:
        """It is back."""
        self._plugged.set()

    def close(self) -> None:
        """For ever."""
        self._closed.set()
        self._unplugged.set()
        self._plugged.set()
        self.join(10)

    def _next(self) -> tuple[bytes, float]:
        with self._lock:
            self._pass_time()
            frame = self.meter.frame(self._now)
            return b"" if self._mute else frame, self.meter.seconds(frame)

    def _pass_time(self) -> None:
        at = monotonic()
        if not self._halted:
            self._now += timedelta(seconds=(at - self._at) * self._speed)
        self._at = at


class Recording(Line):
    """A recorded meter: its bytes, again and again."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        super().__init__(Plan())

    def _next(self) -> tuple[bytes, float]:
        return self._bytes, 1.0
