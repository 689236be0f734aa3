"""Each service beside a real broker: it is ready, it feeds its watchdog, and no longer when a thread hangs."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import pytest
import yaml

from bridge.simulated.meter import Contract, Plan, SimulatedMeter
from tests.bridge.terminal import Terminal
from tests.broker.conftest import Broker, free_port
from tests.systemd import PATIENCE, Service, Stopped

pytestmark = [pytest.mark.broker, pytest.mark.slow]

WATCHDOG: Final = 4.0  # seconds; the shortest in which a turn of each thread has its place on a busy machine
THREADS: Final = {
    "bridge": ("reader", "mqtt", "paho-mqtt-client", "hand-over", "MainThread"),
    "store": ("mqtt", "paho-mqtt-client", "MainThread"),
    "web": ("mqtt", "paho-mqtt-client", "MainThread"),
}


def write_config(folder: Path, broker: Broker, source: str) -> Path:
    path = folder / "config.yaml"
    tree = {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": source}],
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "storage": {"database": f"sqlite:///{folder}/db.sqlite3"},
        "web": {"listen": f"127.0.0.1:{free_port()}"},
    }
    path.write_text(yaml.safe_dump(tree))
    return path


def start(name: str, folder: Path, config: Path, database: Path | None = None) -> Service:
    if database is not None:
        shutil.copy(database, folder / "db.sqlite3")
    return Service(folder, config, [name], WATCHDOG)


@pytest.mark.parametrize("name", THREADS)
def test_a_service_is_ready_fed_and_says_what_it_does(
    name: str, tmp_path: Path, broker: Broker, template: Path
) -> None:
    with start(name, tmp_path, write_config(tmp_path, broker, "sim:base"), template) as service:
        ready = service.wait_for(lambda text: True)
        assert ready.startswith("READY=1\nSTATUS=")
        if not ready.endswith(", broker connected"):  # it may be both at once
            service.wait_for(lambda text: text.startswith("STATUS=") and text.endswith(", broker connected"))
        service.feeds(3)
        broker.stop()  # which is waited for, not started again for
        service.wait_for(lambda text: text.endswith(", broker not connected"))
        service.feeds(8)
        service.process.terminate()
        service.wait_for(lambda text: text == "STOPPING=1")
        assert service.process.wait(30) == 0


# The first thread of each service in every run, the others in the long one.
EACH_THREAD: Final = [
    pytest.param(name, thread, marks=[pytest.mark.long] if number else [])
    for name, threads in THREADS.items()
    for number, thread in enumerate(threads)
]


@pytest.mark.parametrize(("name", "thread"), EACH_THREAD)
def test_a_thread_that_hangs_starves_the_watchdog(
    name: str, thread: str, tmp_path: Path, broker: Broker, template: Path
) -> None:
    with start(name, tmp_path, write_config(tmp_path, broker, "sim:base"), template) as service:
        service.wait_for(lambda text: text.endswith(", broker connected"))
        service.feeds(2)
        with Stopped(service.thread(thread)):
            assert service.starves(2 * WATCHDOG)
        assert service.process.poll() is None
        service.feeds(2)  # it turns again


def test_a_meter_that_is_unplugged_is_off_line_and_no_reason_to_start_again(tmp_path: Path, broker: Broker) -> None:
    terminal, now = Terminal.plugged(), datetime.now(UTC)
    meter = SimulatedMeter(Plan(Contract.BASE), now)
    with start("bridge", tmp_path, write_config(tmp_path, broker, terminal.name)) as service:
        until = monotonic() + PATIENCE
        while not any("STATUS=1 meter," in text for text in service.heard):
            assert monotonic() < until, (service.heard, service.log.read_text())
            terminal.write(meter.frame(now))
            now += timedelta(seconds=2)
            service.hear(0.3)
        pid = service.process.pid
        terminal.unplug()
        service.wait_for(lambda text: "STATUS=0 of 1 meter," in text)
        service.feeds(13)  # four in a period: three periods and more
        assert (service.process.poll(), service.process.pid) == (None, pid)
        service.process.terminate()
        assert service.process.wait(30) == 0
