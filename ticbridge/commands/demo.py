"""`ticbridge demo`: a simulated Linky on a pseudo-terminal, a broker, the bridge, the store and the page."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click
import yaml

from bridge.config import MqttSettings
from bridge.mqtt import Link, Received
from bridge.outlets import PseudoTerminal, frames, send
from bridge.simulated.meter import Contract, Plan
from bridge.tic.catalogue import Mode
from bridge.topics import Topics, Watermark
from ticbridge.commands.broker import free_port, start_broker, wait_for_port
from ticbridge.commands.processes import Child, stop, ticbridge

_START: Final = 30.0  # seconds that all parts together may take to begin
_DRAIN: Final = 1.6  # seconds for the last frame to reach the database
_BATCH: Final = 0.5  # seconds: the demo stores often, so that Ctrl-C ends quickly


class Simulated(threading.Thread):
    """One meter: it begins to speak when the bridge listens, and stops at a frame's end."""

    def __init__(self, plan: Plan, speed: float) -> None:
        super().__init__(name=f"simulated {plan.meter_id}", daemon=True)
        self.plan = plan
        self._speed = speed
        self.port = PseudoTerminal()
        self.stopping = threading.Event()
        self.sent = 0

    def run(self) -> None:
        self.sent = send(self.port, frames(self.plan), self._speed, self.stopping)


@dataclass(slots=True)
class Watch:
    """What the demo hears on the broker: who is ready, and how far the store has come."""

    topics: Topics
    bridge_id: str
    ports_open: int = 0
    store_online: bool = False
    handled: dict[str, int] = field(default_factory=dict)

    def hear(self, received: Received) -> None:
        """A message of the bridge or the store."""
        if received.topic == self.topics.bridge(self.bridge_id, "info"):
            self.ports_open = sum(meter["source_open"] for meter in json.loads(received.payload)["meters"])
        elif self.topics.store_of(received.topic) is not None:
            self.store_online = received.payload == b"online"
        elif received.topic.endswith("/reading/ack") and (meter := self.topics.meter_of(received.topic)):
            self.handled[meter] = Watermark.model_validate_json(received.payload).seq


@click.command()
@click.option("--meters", type=click.IntRange(1, 50), default=1, show_default=True)
@click.option("--contract", type=click.Choice([c.value for c in Contract]), default="tempo", show_default=True)
@click.option("--mode", type=click.Choice([m.value for m in Mode]), default="standard", show_default=True)
@click.option("--phases", type=click.Choice(["1", "3"]), default="1", show_default=True)
@click.option(
    "--speed", type=click.FloatRange(0.1, 20), default=1.0, show_default=True, help="Times a real meter's pace."
)
@click.option("--port", type=click.IntRange(1, 65535), help="Of the page; 8000 when it is free.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this folder."
)
@click.option("--seconds", type=click.FloatRange(min=1), help="Stop by itself after this time.")
def demo(
    meters: int, contract: str, mode: str, phases: str, speed: float, port: int | None, folder: Path | None,
    seconds: float | None,
) -> None:  # fmt: skip
    """Everything at once with a simulated meter; Ctrl-C stops all of it."""
    plans = [Plan(Contract(contract), Mode(mode), int(phases), seed=n) for n in range(1, meters + 1)]
    made = Path(tempfile.mkdtemp(prefix="ticbridge-demo-")) if folder is None else folder
    made.mkdir(parents=True, exist_ok=True)
    try:
        code = Demo(plans, speed, made.absolute(), port).run(seconds)
    finally:
        if folder is None:
            shutil.rmtree(made, ignore_errors=True)
    sys.exit(code)


class DemoError(Exception):
    """A part did not start; the text says which and why."""


class Demo:
    """Wires the parts together, as `ticbridge up` would on a real meter."""

    def __init__(self, plans: list[Plan], speed: float, folder: Path, port: int | None) -> None:
        self._plans = plans
        self._folder = folder
        self._config = folder / "config.yaml"
        self._meters = [Simulated(plan, speed) for plan in plans]
        self._broker_port = free_port()
        self._web_port = port or free_port(8000)
        self._children: list[Child] = []
        self._stopping = threading.Event()

    def run(self, seconds: float | None) -> int:
        """Start, wait, stop, count."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        link: Link | None = None
        try:
            broker, said = self._start_broker()
            path = self._prepare()
            self._start_parts()
            topics = Topics()
            watch = Watch(topics, "demo")
            link = Link(
                MqttSettings(host="127.0.0.1", port=self._broker_port), "ticbridge-demo",
                subscriptions=[
                    (topics.bridge("demo", "info"), 0), (topics.store("+", "status"), 0),
                    (topics.meter("+", "reading/ack"), 1),
                ],
                on_message=watch.hear,
            )  # fmt: skip
            link.start()
            self._wait_until_ready(watch)
            for meter in self._meters:
                meter.start()
            self._welcome(said, path)
            code = self._wait(seconds)
            return self._finish(watch, broker) or code
        except DemoError as error:
            click.echo(f"ticbridge: {error}", err=True)
            return 1
        finally:
            if link is not None:
                link.stop()
            stop(self._children)

    # --- start -----------------------------------------------------------------------------------

    def _start_broker(self) -> tuple[Child, str]:
        broker, said = start_broker(self._folder, self._broker_port)
        self._children.append(broker)
        if not wait_for_port(self._broker_port, broker):
            raise DemoError(f"the broker ({broker.name}) did not start:\n{broker.last_lines()}")
        return broker, said

    def _prepare(self) -> str:
        """Write the configuration and the seeded history; the path of a login link."""
        self._config.write_text(
            yaml.safe_dump(
                {
                    "bridge": {"id": "demo", "state_dir": str(self._folder)},
                    "meters": [
                        {"source": m.port.name, "mode": m.plan.mode.value, "name": f"Linky {n}" if n > 1 else "Linky"}
                        for n, m in enumerate(self._meters, start=1)
                    ],
                    "mqtt": {"host": "127.0.0.1", "port": self._broker_port},
                    "storage": {
                        "database": f"sqlite:///{self._folder}/db.sqlite3",
                        "batch": {"rows": 500, "seconds": _BATCH},
                    },
                    "web": {"listen": f"127.0.0.1:{self._web_port}"},
                }
            )
        )
        plans = [f"{p.contract}?mode={p.mode}&phases={p.phases}&seed={p.seed}" for p in self._plans]
        done = subprocess.run(  # noqa: S603  our own command
            ticbridge("manage", "seed_demo", *plans, config=self._config),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoError(f"the database could not be made:\n{done.stderr[-2000:]}")
        return done.stdout.split()[-1]

    def _start_parts(self) -> None:
        for part in ("store", "web", "bridge"):
            command = ticbridge(part, config=self._config)
            self._children.append(Child(part, command, log=self._folder / f"{part}.log"))

    def _wait_until_ready(self, watch: Watch) -> None:
        until = monotonic() + _START
        ready = False
        while not ready and not self._stopping.wait(0.05):
            self._check_children()
            if monotonic() > until:
                raise DemoError(f"not ready after {_START:g} s; see the logs:\n{self._all_logs()}")
            ready = (
                watch.store_online
                and watch.ports_open == len(self._meters)
                and wait_for_port(self._web_port, self._child("web"), 0.1)
            )

    def _welcome(self, broker: str, path: str) -> None:
        ports = ", ".join(meter.port.name for meter in self._meters)
        plan = self._plans[0]
        lines = [
            f"Meter    {len(self._plans)} simulated, {plan.contract}, mode {plan.mode}, on {ports}",
            f"Broker   {broker}; on 127.0.0.1:{self._broker_port}",
            f"Folder   {self._folder}",
            f"Page     http://127.0.0.1:{self._web_port}{path}   (logs you in, works once)",
            "Ctrl-C stops everything.",
        ]
        click.echo("\n".join(lines))
        sys.stdout.flush()

    # --- run and stop ----------------------------------------------------------------------------

    def _wait(self, seconds: float | None) -> int:
        until = monotonic() + seconds if seconds is not None else None
        while not self._stopping.wait(0.2):
            self._check_children()
            if until is not None and monotonic() >= until:
                break
        return 0

    def _finish(self, watch: Watch, broker: Child) -> int:
        """Let the chain run dry, stop the parts, say what became of each frame."""
        for meter in self._meters:
            meter.stopping.set()
        for meter in self._meters:
            meter.join(2.0)
        sent = {meter.plan.meter_id: meter.sent for meter in self._meters}
        until = monotonic() + _DRAIN
        drained = threading.Event()  # never set: its wait is a pause that needs no signal
        while monotonic() < until and any(watch.handled.get(meter, 0) < number for meter, number in sent.items()):
            drained.wait(0.05)
        parts = [child for child in self._children if child is not broker]
        stop(parts)
        counts = {"simulated": sum(sent.values())}
        for child in parts:
            counts |= _last_json(child)
        shown = ("simulated", "decoded", "accepted", "stored", "refused")
        click.echo("   ".join(f"{name} {counts.get(name, '?')}" for name in shown))
        whole = {counts.get(name) for name in shown[:-1]}
        # A single frame proves no address: stopped that early, nothing was to be published.
        early = all(number < 2 for number in sent.values())
        return 0 if early or (len(whole) == 1 and counts.get("refused") == 0) else 1

    def _check_children(self) -> None:
        for child in self._children:
            if child.code is not None:
                raise DemoError(f"{child.name} ended with code {child.code}:\n{child.last_lines()}")

    def _child(self, name: str) -> Child:
        return next(child for child in self._children if child.name == name)

    def _all_logs(self) -> str:
        return "\n".join(f"[{child.name}] {child.last_lines(3)}" for child in self._children)


def _last_json(child: Child) -> dict[str, Any]:  # counts by name
    """The counts that a part leaves as its last line."""
    lines = child.last_lines(1)
    try:
        found = json.loads(lines)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
