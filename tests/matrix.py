"""`make matrix`: the tests that need nothing but Python, with other versions of it and of Django.

Pythons that are not on this machine, and Djangos that a Python is too old for, are named and left out. `--debian` asks
the Python of a Debian that is unpacked for it (root, mmdebstrap, systemd-container), which sees a copy of this tree.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from tests.deploy.debian import copy_tree, debian, run_or_end

ROOT: Final = Path(__file__).resolve().parents[1]
ALONE: Final = "not slow and not broker and not alone and not faults and not browser and not real_homeassistant"
SINCE: Final = {"6.0": (3, 12), "6.1": (3, 12)}  # the first Python of a Django
_VERSION: Final = "import sys; print(*sys.version_info[:2])"
_REAL: Final = "import django, sys; print(sys.version.split()[0], django.__version__)"


def _try(python: str, django: str, arguments: tuple[str, ...]) -> bool:
    with tempfile.TemporaryDirectory(prefix="ticbridge-matrix-") as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        own = f"{folder}/bin/python"
        wanted = ["-e", f"{ROOT}[store,dev]", f"django=={django}.*"]  # the tree, not a copy
        subprocess.run([own, "-m", "pip", "install", "--quiet", *wanted], check=True)
        real = subprocess.run([own, "-c", _REAL], capture_output=True, text=True, check=True).stdout.split()
        tests = arguments or ("tests/bridge", "tests/homeassistant", "tests/storage")
        command = [own, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-m", ALONE, *tests]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = done.stdout.strip().splitlines()
        click.echo(f"Python {real[0]}, Django {real[1]}: {said[-1] if said else done.stderr[-500:]}")
        if done.returncode:
            click.echo("\n".join(line for line in said if line.startswith(("FAILED", "ERROR"))))
        return done.returncode == 0


def _in_debian(arguments: list[str]) -> int:
    """The same there."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-matrix-") as folder:
        root = Path(folder) / "root"
        debian(root, "python3,python3-venv,ca-certificates,procps,git,openssl")
        copy_tree(root / "src")
        inside = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--pipe",
            "-D",
            str(root),
            "--chdir=/src",
        ]
        run_or_end([*inside, "python3", "-m", "venv", "/opt/matrix"])
        run_or_end([*inside, "/opt/matrix/bin/pip", "install", "--quiet", "click"])
        return subprocess.run(
            [*inside, "/opt/matrix/bin/python", "-m", "tests.matrix", *arguments], check=False
        ).returncode


@click.command()
@click.option("--python", "pythons", default="python3.11 python3.12 python3.13")
@click.option("--django", "djangos", default="5.2 6.1")
@click.option("--debian", "in_debian", is_flag=True, help="In a Debian, with its own Python.")
@click.argument("tests", nargs=-1)
def main(pythons: str, djangos: str, tests: tuple[str, ...], *, in_debian: bool) -> None:
    """Each pair in turn; exit code 1 when one fails."""
    if in_debian:
        sys.exit(_in_debian(["--python", "python3", "--django", djangos, *tests]))
    good = True
    for python in pythons.split():
        if shutil.which(python) is None:
            click.echo(f"{python}: not on this machine")
            continue
        said = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=True).stdout.split()
        version = (int(said[0]), int(said[1]))
        for django in djangos.split():
            if version < SINCE.get(django, (0, 0)):
                click.echo(f"{python}, Django {django}: needs a newer Python")
            else:
                good = _try(python, django, tests) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
