"""Everything to a file and into an empty database, as the how-to says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import PostgreSQL

ROOT = Path(__file__).resolve().parents[2]
FILL = """
from datetime import UTC, datetime
from storage.dirty import mark
from storage.models import *
at = datetime(2026, 11, 21, 10, 0, 0, 250_000, UTC)
for name in ("021861000001", "roof"):
    meter = Meter.objects.create(meter_id=name, name="Grange", mode="standard", timezone="Europe/Paris", raw_since=at)
    epoch = Epoch.objects.create(
        meter=meter, uuid="11111111-2222-4333-8444-555555555555", bridge="pi", handled=2, floor=1
    )
    Data.objects.create(meter=meter, epoch=epoch, seq=1, dateTime=at, date="H261121110000", stamp_utc=at, ltarf="HP é",
                        east=1, extra={"UMOY1": "230"})
    Data.objects.create(meter=meter, epoch=epoch, seq=2, dateTime=at)
    taken = Import.objects.create(meter=meter, epoch=epoch, layout="indexes", name="x.csv", sha256="0" * 64, begins=at)
    Rollup.objects.create(meter=meter, step=3600, start=at, origin=1, east=3, source=taken)
    Gap.objects.create(epoch=epoch, reason="stopped", begins=at, ends=at)
    DeadLetter.objects.create(topic="t", body=b"\\0x", reason="r", epoch=epoch, seq=9)
    Register.objects.create(meter=meter, name="east", since=at, at=at, value=1)
    mark({meter.pk: [at]})
Store.objects.create()
"""


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/other.sqlite3"
        return
    server = PostgreSQL()
    yield server.url
    server.close()


def commands(page: str) -> str:
    [found] = re.findall(r"<!-- a test runs this -->\n```sh\n(.*?)```", page, re.DOTALL)
    return str(found)


def run(script: str, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TICBRIDGE_", "DJANGO"))}
    environment |= {"TICBRIDGE_BRIDGE__STATE_DIR": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    shell = f'ticbridge() {{ "{sys.executable}" -m ticbridge "$@"; }}\n{script}'
    done = subprocess.run(
        ["bash", "-euc", shell], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_what_the_page_says_moves_everything(target: str, tmp_path: Path) -> None:
    said = [commands((ROOT / "docs/how-to" / name).read_text()) for name in ("data.md", "data.fr.md")]
    assert said[0] == said[1]
    (tmp_path / "config.yaml").write_text(f"storage: {{database: 'sqlite:///{tmp_path}/db.sqlite3'}}")
    (tmp_path / "other.yaml").write_text(f"storage: {{database: '{target}'}}")
    (tmp_path / "fill.py").write_text(FILL)
    run("ticbridge manage migrate\nticbridge manage shell < fill.py", tmp_path)
    run(said[0], tmp_path)
    run(said[0].splitlines()[0].replace("ticbridge", "ticbridge --config other.yaml").replace("everything", "again"),
        tmp_path)  # fmt: skip
    moved = (tmp_path / "again.jsonl").read_text()
    assert moved == (tmp_path / "everything.jsonl").read_text()
    assert moved.count("\n") == 2 * 11 + 1
    assert moved.count('"epoch": ["roof","11111111-2222-4333-8444-555555555555"]') == 5
