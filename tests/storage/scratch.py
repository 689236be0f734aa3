"""A database of its own for a test that migrates, on the engine of this run; our commands do it, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from tests.postgresql import VARIABLE

Rows = list[tuple[Any, ...]]  # of any columns
_TREE: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Scratch:
    """`query` and `write` go around Django."""

    url: str
    folder: Path

    def manage(
        self,
        *arguments: str,
        program: tuple[str, ...] = ("-m", "ticbridge", "manage"),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Done:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TICBRIDGE_")}
        kept |= {
            "PYTHONPATH": str(_TREE),
            "TICBRIDGE_STORAGE__DATABASE": self.url,
            "TICBRIDGE_BRIDGE__STATE_DIR": str(self.folder),
            **environment,
        }
        command = [sys.executable, *program, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=kept, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def migrate(self, *target: str) -> None:
        done = self.manage("migrate", "--verbosity=0", *target)
        assert (done.code, done.said) == (0, ""), done.said

    def query(self, statement: str, *parameters: Any) -> Rows:  # of any type
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(self._placed(statement), parameters)
            rows: Rows = [tuple(row) for row in cursor.fetchall()]
            return rows

    def write(self, statement: str, rows: Rows) -> None:
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.executemany(self._placed(statement), rows)
            connection.commit()

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def objects(self) -> set[str]:
        """Names of tables, views, indexes and triggers."""
        names = "SELECT name FROM sqlite_master"
        if not self.is_sqlite:
            names = (
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'v', 'i')"
                " UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            )
        return {str(name) for (name,) in self.query(names)}

    def _connect(self) -> Any:  # two libraries, one protocol (PEP 249)
        if self.is_sqlite:
            import sqlite3  # noqa: PLC0415  one of the two

            return sqlite3.connect(self.file)
        import psycopg  # noqa: PLC0415  as above

        return psycopg.connect(self.url)

    def _placed(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")


@dataclass(frozen=True)
class Done:
    """A process that ended."""

    code: int
    out: str
    said: str


def scratch_database(folder: Path) -> Iterator[Scratch]:
    """Empty; gone afterwards."""
    server = os.environ.get(VARIABLE)
    if server is None:
        yield Scratch(f"sqlite:///{folder / 'scratch.sqlite3'}", folder)
        return
    import psycopg  # noqa: PLC0415  as above

    name = f"scratch_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield Scratch(urlsplit(server)._replace(path=f"/{name}").geturl(), folder)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
