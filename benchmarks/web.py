"""What the pages weigh and what their process takes, before a year of one meter: `python -m benchmarks.web`.

It runs as an owner installs it (extra `store`): what only developers have is hidden from it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from http.cookiejar import CookieJar
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from packaging.requirements import Requirement

from benchmarks.processes import Program, until
from benchmarks.table import Row
from ticbridge.commands.broker import free_port

_PLAN: Final = "tempo?mode=standard&phases=1&seed=1"
_METER: Final = "042161000001"
_PATIENCE: Final = 120.0
PAGES: Final = (
    "/", f"/curve/?meter={_METER}&minutes=1440", "/history/", "/history/?by=month", "/history/?by=year", "/costs/",
    "/costs/?year=2026", "/costs/contracts/", "/tempo/", "/meter/", "/alerts/", "/data/", "/settings/",
    "/settings/contract/", "/settings/users/", "/settings/tokens/", "/settings/webhooks/", "/welcome/?step=2",
)  # fmt: skip
_HIDE: Final = """
import sys
sys.modules.update(dict.fromkeys({names!r}))
"""


def rows() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "sitecustomize.py").write_text(_HIDE.format(names=sorted(_only_developers())))
        address = f"http://127.0.0.1:{free_port()}"
        login = _seed(place)
        program = Program(
            "web", free_port(), environment={"PYTHONPATH": os.pathsep.join([folder, str(Path.cwd())])},
            storage={"database": f"sqlite:///{place}/db.sqlite3"}, bridge={"id": "bench", "state_dir": folder},
            web={"listen": address.removeprefix("http://")},
        )  # fmt: skip
        try:
            return list(_measure(program, address, login))
        finally:
            program.close()


def _only_developers() -> set[str]:
    """Modules of distributions that the extra `store` does not bring, with what they bring themselves."""
    wanted, asked = {"ticbridge"}, [("ticbridge", "store")]
    while asked:
        name, extra = asked.pop()
        for text in requires(name) or ():
            one = Requirement(text)
            if one.name not in wanted and (one.marker is None or one.marker.evaluate({"extra": extra})):
                wanted.add(one.name)
                asked.append((one.name, next(iter(one.extras), "")))
    owned = {_plain(name) for name in wanted}
    return {
        module for module, names in packages_distributions().items()
        if not any(_plain(name) in owned for name in names) and module not in ("sitecustomize", "pip", "setuptools")
    }  # fmt: skip


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _seed(place: Path) -> str:
    """A year; the path of a login link."""
    environment = os.environ | {
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{place}/db.sqlite3", "TICBRIDGE_BRIDGE__STATE_DIR": str(place),
        "PYTHONPATH": str(Path.cwd()),
    }  # fmt: skip
    command = [sys.executable, "-m", "ticbridge", "manage", "seed_demo", "--days", "365", _PLAN]
    done = subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True)  # noqa: S603  our own
    return done.stdout.split()[-1]


def _measure(program: Program, address: str, login: str) -> Iterator[Row]:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.addheaders = [("Accept-Encoding", "gzip"), ("Accept-Language", "fr")]
    until(lambda: _answers(address))
    started = program.memory()
    browser.open(urljoin(address, login), timeout=_PATIENCE).close()
    for path in PAGES:
        browser.open(address + path, timeout=_PATIENCE).read()
    yield Row("web: resident memory at its start", 110, 80, started, "MB")
    yield Row("web: after all pages were opened, a year of one meter", 110, 80, program.memory(), "MB")
    yield Row("page Now, first load, gzipped", 150, 80, _weight(browser, address) / 1000, "kB")


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=5).close()  # noqa: S310  our own process
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _weight(browser: urllib.request.OpenerDirector, address: str) -> int:
    """Bytes of a page, its styles and scripts, and the modules that these import."""
    import gzip  # noqa: PLC0415  for this row alone

    first = browser.open(address + "/", timeout=_PATIENCE).read()
    text = gzip.decompress(first).decode() if first[:2] == b"\x1f\x8b" else first.decode()
    total, seen = len(first), set[str]()
    asked = [urljoin(address, path) for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', text)]
    while asked:
        where = asked.pop()
        if where in seen:
            continue
        seen.add(where)
        body = browser.open(where, timeout=_PATIENCE).read()
        total += len(body)
        if where.endswith(".js"):
            plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            asked += [urljoin(where, path) for path in re.findall(r'from "(\.[^"]+)"', plain.decode())]
    return total


def main(_: Sequence[str] = ()) -> None:
    """Print them."""
    for row in rows():
        print(row)  # noqa: T201  a tool's output


if __name__ == "__main__":
    main()
