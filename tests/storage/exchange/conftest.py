"""Databases in files, and the commands on them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Place:
    """A folder with a configuration and a database of its own."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.database = folder / "db.sqlite3"
        self.url = url or f"sqlite:///{self.database}"
        (folder / "config.yaml").write_text(f"storage: {{database: '{self.url}'}}\nweb: {{listen: '127.0.0.1:0'}}\n")

    def popen(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("TICBRIDGE_", "DJANGO"))}
        environment |= {"TICBRIDGE_BRIDGE__STATE_DIR": str(self.folder / "state"), "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "ticbridge", *arguments], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Standard output and error of a command of ours."""
        process = self.popen(*arguments)
        out, said = process.communicate(timeout=120)
        assert process.returncode == code, said
        return out, said

    def ask(self, sql: str) -> list[Any]:
        """Rows of the database."""
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(sql).fetchall()

    def do(self, sql: str) -> None:
        """Change the database behind our back."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute(sql)


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Place:
    """An up-to-date SQLite database."""
    made = Place(tmp_path)
    shutil.copy(template, made.database)
    return made


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines to a file."""

    def write(*lines: str, name: str = "any.csv", encoding: str = "utf-8", end: str = "\r\n") -> Path:
        path = tmp_path / name
        path.write_bytes("".join(line + end for line in lines).encode(encoding))
        return path

    return write
