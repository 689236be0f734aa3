"""A real mosquitto on a port of its own, our own programs as real processes, and an ear on the broker."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final

import paho.mqtt.client as paho
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from tests.needs import need

PATIENCE: Final = 60.0  # a busy machine is no failure


# Below those that a system gives to connections, so that a server which is away for a while finds its own again; the
# workers of a parallel run have a range each.
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS: Final = itertools.islice(
    itertools.cycle(range(10_000 + _WORKER % 20 * 1000, 11_000 + _WORKER % 20 * 1000)), os.getpid() % 1000, None
)


def free_port() -> int:
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a cycle does not end")


class Broker:
    """mosquitto, with a configuration that a test may change between two starts."""

    def __init__(self, folder: Path) -> None:
        self._program = need("mosquitto")
        self._folder = folder
        self.port = free_port()
        self.options = ["allow_anonymous true"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *self.options, ""]))
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(config)], stdout=log, stderr=log)
        until = monotonic() + PATIENCE
        pause = threading.Event()
        while monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            pause.wait(0.02)
        pytest.fail((self._folder / "mosquitto.log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path)
    running.start()
    yield running
    running.stop()


def announce_home_assistant(port: int) -> None:
    """Say what Home Assistant says when it has started."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish("homeassistant/status", "online", qos=1).wait_for_publish(PATIENCE)
    client.disconnect()
    client.loop_stop()


class Ear:
    """Everything that was published, and a way to wait for something."""

    def __init__(self, port: int, login: tuple[str, str] | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self._news = threading.Condition()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        if login is not None:
            self._client.username_pw_set(*login)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self.heard.append((message.topic, bytes(message.payload).decode()))
            self._news.notify_all()

    def wait_for(self, topic: str, wanted: Callable[[str], bool] = lambda _: True, patience: float = PATIENCE) -> str:
        """The first payload on `topic` that is wanted, already heard or yet to come."""

        def found() -> list[str]:
            return [payload for t, payload in self.heard if t == topic and wanted(payload)]

        with self._news:
            if not self._news.wait_for(found, patience):
                pytest.fail(f"nothing wanted came on {topic}; heard {sorted({t for t, _ in self.heard})}")
            return found()[0]

    def wait_for_topic(self, start: str, payload: str) -> str:
        """The first topic that begins so and says this."""

        def found() -> list[str]:
            return [topic for topic, said in self.heard if topic.startswith(start) and said == payload]

        with self._news:
            if not self._news.wait_for(found, PATIENCE):
                pytest.fail(f"nothing under {start} said {payload}; heard {sorted({t for t, _ in self.heard})}")
            return found()[0]

    def publish(self, topic: str, payload: str) -> None:
        """Publish it as a bridge does its readings."""
        self._client.publish(topic, payload, qos=1)

    def say(self, topic: str, payload: str) -> None:
        """Publish it, retained."""
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(PATIENCE)

    def last(self) -> dict[str, str]:
        """topic -> its newest payload."""
        with self._news:
            return dict(self.heard)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    listening = Ear(broker.port)
    yield listening
    listening.close()


class Program:
    """`ticbridge` as a process of its own; its standard error is read line by line."""

    def __init__(self, folder: Path, config: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")} | dict(variables or {})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ticbridge", "--config", str(config), *arguments],
            env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self._news = threading.Condition()
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                self.said.append(line.rstrip())
                self._news.notify_all()

    def wait_for(self, text: str) -> str:
        """The first line that holds `text`."""

        def found() -> list[str]:
            return [line for line in self.said if text in line]

        with self._news:
            if not self._news.wait_for(found, PATIENCE):
                pytest.fail(f"{text!r} was not said; said: {self.said}")
            return found()[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            pytest.fail(f"it did not stop; said: {self.said}")
        self._reader.join(PATIENCE)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdout.close()
        self._process.stderr.close()
        return code

    def output(self) -> str:
        """Its standard output, to the end."""
        assert self._process.stdout is not None
        text = self._process.stdout.read()
        assert self.wait() == 0, self.said
        return text

    def counts(self) -> dict[str, int]:
        """The counts that it leaves as its last line."""
        counts: dict[str, int] = json.loads(self.said[-1])
        return counts


Run = Callable[..., Program]


@pytest.fixture
def run(tmp_path: Path, template: Path) -> Iterator[Run]:
    """Start `ticbridge` with a configuration, and variables: `run({"mqtt": {...}}, "bridge", NAME="value")`.

    The SQLite file of a store that is not there yet is one that is up to date.
    """
    started: list[Program] = []

    def start(config: dict[str, Any], *arguments: str, **variables: str) -> Program:  # a YAML tree
        database = Path(config.get("storage", {}).get("database", "").removeprefix("sqlite:///"))
        if arguments[0] == "store" and database.is_absolute() and not database.exists():
            shutil.copy(template, database)
        path = tmp_path / f"config{len(started)}.yaml"
        path.write_text(yaml.safe_dump(config))
        program = Program(tmp_path, path, *arguments, variables=variables)
        started.append(program)
        return program

    yield start
    for program in started:
        if program._process.poll() is None:
            program.stop(signal.SIGKILL)
