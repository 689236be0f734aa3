"""The watchdog by itself, on a real socket: fed while all pulses beat."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.notify import Notifier
from bridge.watchdog import Pulse, Watchdog


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Manager:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        said = []
        while True:
            try:
                said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


def notifier(folder: Path, **more: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "10000000", **more})


def test_it_is_fed_as_long_as_all_pulses_beat_or_rest(
    tmp_path: Path, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    reader, spool = Pulse("reader", clock), Pulse("spool", clock)
    status = ["2 meters"]
    watchdog = Watchdog(lambda: (reader, spool), lambda: status[0], notifier(tmp_path))
    reader.beat()
    spool.beat()
    watchdog.turn()
    assert manager.heard() == ["STATUS=2 meters", "WATCHDOG=1"]
    clock.now += 9
    spool.beat()
    watchdog.turn()
    assert manager.heard() == ["WATCHDOG=1"]
    clock.now += 2
    watchdog.turn()
    assert manager.heard() == ["STATUS=hangs: reader"]
    assert caplog.messages == ["Without a sign of life for 10 s: reader; systemd will start us again"]
    watchdog.turn()
    assert (manager.heard(), len(caplog.messages)) == ([], 1)
    reader.beat()
    watchdog.turn()
    assert manager.heard() == ["STATUS=2 meters", "WATCHDOG=1"]
    with reader.resting():
        clock.now += 1000
        spool.beat()
        watchdog.turn()
    assert manager.heard() == ["WATCHDOG=1"]
    assert reader.silent_for() == 0.0


def test_a_start_and_a_stop_are_said_once(tmp_path: Path, manager: Manager) -> None:
    with Watchdog(lambda: (), lambda: "waits", notifier(tmp_path)) as watchdog:
        watchdog.stop()
    assert manager.heard() == ["READY=1\nSTATUS=waits", "STOPPING=1"]


@pytest.mark.parametrize(
    ("given", "period"),
    [
        ({}, 10.0),
        ({"WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_PID": "1"}, None),  # it watches another process
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"NOTIFY_SOCKET": ""}, None),
    ],
)
def test_the_period_is_what_systemd_asks_of_this_process(
    given: dict[str, str], period: float | None, tmp_path: Path
) -> None:
    assert notifier(tmp_path, **given).period == period


def test_an_abstract_socket_is_spoken_to() -> None:
    manager = Manager("\0ticbridge-test-notify")
    Notifier({"NOTIFY_SOCKET": "@ticbridge-test-notify"}).feed()
    assert manager.heard() == ["WATCHDOG=1"]
    manager.close()


def test_without_a_manager_nothing_happens_and_one_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    watchdog = Watchdog(lambda: (), lambda: "waits", Notifier({}))
    watchdog.start()
    watchdog.stop()
    notifier(tmp_path).feed()
