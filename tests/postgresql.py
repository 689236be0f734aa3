"""A PostgreSQL of our own, never the machine's; `python -m tests.postgresql ARGUMENTS` is pytest on it.

What a test asks Django's connection is then asked there, in a database that pytest-django makes. One cluster serves the
whole run; it is gone at the end, however that comes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from tests.broker.conftest import free_port
from tests.needs import need

VARIABLE: Final = "TESTS_DATABASE"  # the URL that tests/conftest.py puts into the settings
GUARDED: Final = "guarded"  # the one role that must show its password; a test makes it
_PATIENCE: Final = 60.0


class PostgreSQL:
    """A cluster in a folder of its own, on the loopback address alone. Not `durable`: a power cut would break it.

    `network`: this machine's address in a network of tests, which it then also listens to.
    """

    def __init__(self, *, durable: bool = False, network: str = "") -> None:
        pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'ticbridge[postgresql]')")
        initdb = need_postgresql("initdb")
        self._programs = Path(initdb).parent
        self.folder = Path(tempfile.mkdtemp(prefix="ticbridge-postgresql-"))
        self._durable = durable
        self._addresses = f"127.0.0.1,{network}" if network else "127.0.0.1"
        self.port = free_port()
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        access = self.folder / "pg_hba.conf"
        others = f"host all all {network}/24 trust\n" if network else ""
        access.write_text(f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\n{others}{access.read_text()}")
        self.start()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h {self._addresses}"
        if not self._durable:
            options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        self._run("pg_ctl", "-D", str(self.folder), "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.folder), "-w", "-m", how, "stop")

    def close(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        program = str(self._programs / name)
        become = (
            ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.geteuid() == 0 else []
        )
        subprocess.run(
            [*become, program, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            timeout=_PATIENCE,
        )  # fmt: skip


def need_postgresql(name: str) -> str:
    """One of PostgreSQL's programs; Debian keeps them off the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(places[-1]) if places else need(name)


def main(arguments: list[str]) -> int:
    """Run pytest there; its exit code."""
    try:
        server = PostgreSQL()
    except pytest.skip.Exception as lacking:
        print(f"not run on PostgreSQL: {lacking}")  # noqa: T201  a tool's output
        return 0
    except pytest.fail.Exception as lacking:
        print(lacking, file=sys.stderr)  # noqa: T201  as above
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, env={**os.environ, VARIABLE: server.url}, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
