"""The wheel, installed as a user installs it: alone in a clean environment, beside a package named homeassistant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = '__version__ = "the real one"\n'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel, its own dependencies, and a stand-in homeassistant."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    interpreter = folder / "bin" / "python"
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "homeassistant").mkdir()
    (site / "homeassistant" / "__init__.py").write_text(STAND_IN)
    run([str(interpreter), "-m", "pip", "install", "--quiet", f"{wheel}[store]"], folder)
    assert (site / "homeassistant" / "__init__.py").read_text() == STAND_IN
    return interpreter


def run(command: list[str], folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TICBRIDGE_", "PYTHON", "DJANGO", "COV_"))}
    environment["TICBRIDGE_BRIDGE__STATE_DIR"] = str(folder / "state")
    environment["TICBRIDGE_STORAGE__DATABASE"] = f"sqlite:///{folder}/db.sqlite3"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_wheel_holds_one_top_level_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"ticbridge"}


def test_the_wheel_holds_what_is_not_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(Path("ticbridge", path.relative_to(ROOT)))
        for pattern in (
            "storage/**/*.html",
            "storage/**/*.css",
            "storage/**/*.js",
            "storage/**/migrations/*.py",
            "storage/**/*.yaml",
            "homeassistant/**/*.yaml",
        )
        for path in ROOT.glob(pattern)
    }
    expected.add("ticbridge/storage/locale/fr/LC_MESSAGES/django.mo")
    assert expected - names == set()


def test_the_real_homeassistant_is_neither_shadowed_nor_overwritten(python: Path, tmp_path: Path) -> None:
    assert (
        run([str(python), "-c", "import homeassistant; print(homeassistant.__version__)"], tmp_path) == "the real one\n"
    )


def test_inside_ticbridge_the_rooms_are_ours_and_imported_once(python: Path, tmp_path: Path) -> None:
    code = (
        "import sys, ticbridge.__main__ as m; m.open_rooms(); import homeassistant.discovery, bridge.tic.decode; "
        "print(homeassistant.discovery.__file__); "
        "print([n for n in sys.modules if n.startswith(('ticbridge.bridge', 'ticbridge.home', 'ticbridge.storage'))])"
    )
    where, twice = run([str(python), "-c", code], tmp_path).splitlines()
    assert where.endswith("/ticbridge/homeassistant/discovery.py")
    assert twice == "[]"


def test_help_opens(python: Path, tmp_path: Path) -> None:
    assert "Usage: ticbridge" in run([str(python.with_name("ticbridge")), "--help"], tmp_path)


def test_decode_decodes(python: Path, tmp_path: Path) -> None:
    capture = ROOT / "tests" / "captures" / "std_tri_tempo_producer.tic"
    output = run([str(python.with_name("ticbridge")), "decode", str(capture), "--json"], tmp_path)
    assert [json.loads(line) for line in output.splitlines()] == json.loads(capture.with_suffix(".json").read_text())


def test_django_finds_nothing_wrong(python: Path, tmp_path: Path) -> None:
    output = run([str(python.with_name("ticbridge")), "manage", "check"], tmp_path)
    assert output == "System check identified no issues (0 silenced).\n"
    run([str(python.with_name("ticbridge")), "manage", "migrate", "--verbosity", "0"], tmp_path)
    assert (tmp_path / "db.sqlite3").exists()
