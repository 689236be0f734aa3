"""What runs in a house of the fault suite: our programs and mosquitto, all real and all killable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Final

import pytest
import yaml

from tests.broker.conftest import free_port
from tests.faults.relay import wait_for_port
from tests.needs import need

PATIENCE: Final = 60.0
_HERE: Final = Path(__file__).parent
_TREE: Final = _HERE.parent.parent


class Program:
    """`ticbridge`, started by the wrapper, which may tamper with it; killed and started again as often as wanted."""

    def __init__(self, name: str, folder: Path, config: dict[str, Any]) -> None:  # a YAML tree
        self.name = name
        self.config = config
        self.tampering: dict[str, Any] = {}  # for the next start; see the wrapper
        self.environment: dict[str, str] = {}
        self.prefix: list[str] = []  # a program that starts ours, such as setpriv
        self.arguments: list[str] = []
        self.starts = 0
        self.said: list[str] = []
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._news = threading.Condition()
        self._reader: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        self.starts += 1
        path = self._folder / f"{self.name}.yaml"
        path.write_text(yaml.safe_dump(self.config))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")}
        environment |= {"PYTHONPATH": str(_TREE), "TAMPERING": json.dumps(self.tampering), **self.environment}
        command = self.name.rstrip("0123456789")
        self._process = subprocess.Popen(
            [*self.prefix, sys.executable, str(_HERE / "wrapper.py"), "--config", str(path), command, *self.arguments],
            env=environment, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self.said.append(line.rstrip())
                    self._news.notify_all()

    def wait_for(self, text: str, after: int = 0, seconds: float = PATIENCE) -> str:
        """The first line that holds `text`, of those after the first `after`."""

        def found() -> list[str]:
            return [line for line in self.said[after:] if text in line]

        with self._news:
            if not self._news.wait_for(found, seconds):
                pytest.fail(f"{self.name} never said {text!r}; it said: {self.said[-20:]}")
            return found()[0]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it, and wait until it is gone; its exit code."""
        if self.is_running:
            assert self._process is not None
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        assert self._process is not None
        assert self._reader is not None
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            self.wait_for("most recent call first")
            self._process.kill()
            self._process.wait()
            self._reader.join(PATIENCE)
            pytest.fail("\n".join([f"{self.name} did not stop; it said:", *self.said[-150:]]))
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)


class Broker:
    """mosquitto with persistence, on a port that it keeps over its lives."""

    def __init__(self, folder: Path) -> None:
        self._program = need("mosquitto")
        self._folder = folder
        self.port = free_port()
        self.options: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true",
            f"persistence_location {self._folder}/", *self.options,
        ]  # fmt: skip
        if os.geteuid() == 0:  # else mosquitto becomes a user who may not write in our folder
            lines.append("user root")
        config.write_text("\n".join([*lines, ""]))
        with (self._folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([self._program, "-c", str(config)], stdout=log, stderr=log)
        if not wait_for_port(self.port, PATIENCE):
            pytest.fail((self._folder / "mosquitto.log").read_text())

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.wait()

    def wait(self) -> None:
        """Until it is dead."""
        assert self.process is not None
        self.process.wait(PATIENCE)
        self.process = None

    def wipe(self) -> None:
        """Lose all that it ever kept. It must not run."""
        assert self.process is None
        (self._folder / "mosquitto.db").unlink(missing_ok=True)

    def reload(self) -> None:
        """Read the access list again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        self.end(signal.SIGKILL)
