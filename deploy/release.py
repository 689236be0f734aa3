"""`make release`: wheel and sdist, the same bytes each time; what they need, and under which licences. All into dist/.

Everything is built twice from the files of the last commit and compared. The bill of materials (CycloneDX) and the list
of licences are those of an environment in which the wheel was just installed with all its extras.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

import click

ROOT: Final = Path(__file__).resolve().parent.parent
EXTRAS: Final = "store,postgresql,demo"
# What may stand beside MIT: permissive ones, EPL/EDL, MPL, LGPL.
FREE: Final = re.compile(
    r"MIT|BSD|Apache|ISC|Python Software Foundation|PSF|EPL|Eclipse|MPL|Mozilla|LGPL|Lesser General|Unlicense|0BSD|"
    r"Zope|ZPL|public domain",
    re.IGNORECASE,
)
STRICT: Final = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)


class ReleaseError(Exception):
    """Why there is no release, in a sentence."""


def _run(*command: str, environment: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  our own commands
    if done.returncode:
        raise ReleaseError(f"{Path(command[0]).name} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def build(place: Path) -> list[Path]:
    """Wheel and sdist of the last commit; its time is the time of all files in them."""
    source, out = place / "source", place / "out"
    source.mkdir(parents=True)
    archive = place / "source.tar"
    _run("git", "archive", "--output", str(archive), "HEAD")
    shutil.unpack_archive(archive, source)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _run("git", "log", "-1", "--format=%ct").strip()}
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), environment=environment, folder=source)
    return sorted(out.iterdir())


def reproduced(place: Path) -> list[Path]:
    """Built twice; the files, if both are the same. Raises `ReleaseError` otherwise."""
    first, second = (build(place / name) for name in ("first", "second"))
    if [_digest(path) for path in first] != [_digest(path) for path in second]:
        raise ReleaseError("two builds of one commit differ: something in them depends on the time or the folder")
    return first


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def installed(wheel: Path, place: Path) -> Path:
    """The packages of a fresh environment with the wheel and all it may need: its site-packages."""
    venv.create(place, with_pip=True)
    _run(str(place / "bin/python"), "-m", "pip", "install", "--quiet", f"{wheel}[{EXTRAS}]", folder=place)
    return next(place.glob("lib/python*/site-packages"))


def licence_of(package: Distribution) -> str:
    """As it says itself: an SPDX expression, else classifiers, else free text."""
    said = package.metadata.json
    if expression := said.get("license_expression"):
        return str(expression)
    classifiers = [str(c) for c in said.get("classifier", []) if str(c).startswith("License ::")]
    text = str(said.get("license") or "").strip().splitlines()
    return " / ".join(c.rpartition(" :: ")[2] for c in classifiers) or (text[0][:60] if text else "not said")


def licences(site: Path) -> list[tuple[str, str, str]]:
    """(package, version, licence) of everything installed. Raises `ReleaseError` for one that is not free enough."""
    rows = sorted(
        (package.metadata["Name"], package.version, licence_of(package))
        for package in distributions(path=[str(site)])
        if package.metadata["Name"].lower() not in ("pip", "setuptools")
    )
    wrong = [f"{name} ({licence})" for name, _, licence in rows if STRICT.search(licence) or not FREE.search(licence)]
    if wrong:
        raise ReleaseError(f"look at the licence of {', '.join(wrong)}")
    return rows


def main() -> None:
    """Write dist/."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    with tempfile.TemporaryDirectory(prefix="ticbridge-release-") as folder:
        place = Path(folder)
        built = [Path(shutil.copy(path, dist)) for path in reproduced(place)]
        wheel = next(path for path in built if path.suffix == ".whl")
        site = installed(wheel, place / "environment")
        rows = licences(site)
        bill = dist / f"{wheel.name.split('-py3')[0]}.cdx.json"
        _run(
            str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--output-reproducible",
            "--output-file", str(bill), str(place / "environment"),
        )  # fmt: skip
    parts = len(json.loads(bill.read_text())["components"])
    listed = "".join(f"{name}\t{version}\t{licence}\n" for name, version, licence in rows)
    (dist / "licences.tsv").write_text(listed)
    sums = "".join(f"{_digest(path)}  {path.name}\n" for path in sorted(dist.iterdir()))
    (dist / "SHA256SUMS").write_text(sums)
    click.echo(
        sums + f"built twice, the same; {parts} packages in the bill of materials, {len(rows)} licences, all free"
    )


if __name__ == "__main__":
    try:
        main()
    except ReleaseError as problem:
        sys.exit(f"ticbridge: {problem}")
