"""A real chromium before a whole house that has lived for a year: meter, broker, bridge, store and web.

They run by themselves (`-m browser`): playwright keeps an event loop in the thread, which Django's models refuse.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.demo import demo, outside, welcome
from tests.needs import need

YEAR: Final = 366  # days
PLAN: Final = "tempo?mode=standard&phases=1&seed=1"  # what `demo` simulates unless told otherwise
PHONE: Final = ViewportSize(width=360, height=740)
DESKTOP: Final = ViewportSize(width=1280, height=800)
PATIENCE: Final = 30_000  # ms; a busy machine is no failure

Theme = Literal["light", "dark"]


class House(NamedTuple):
    """A demo that runs, and how to be its owner."""

    url: str
    folder: Path

    def manage(self, *arguments: str) -> str:
        """What one of Django's commands prints."""
        done = subprocess.run(
            [sys.executable, "-m", "ticbridge", "--config", str(self.folder / "config.yaml"), "manage", *arguments],
            cwd=self.folder, env=outside(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def login_link(self, user: str = "demo") -> str:
        return self.manage("login_link", user).split()[-1]


def _seed(folder: Path) -> None:
    """A year, where the demo finds it; it leaves a meter alone that has readings."""
    folder.mkdir()
    environment = {
        **outside(), "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{folder}/db.sqlite3",
        "TICBRIDGE_BRIDGE__STATE_DIR": str(folder),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "ticbridge", "manage", "seed_demo", "--days", str(YEAR), PLAN],
        cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    need("mosquitto")
    place = tmp_path_factory.mktemp("house")
    _seed(place / "demo")
    with demo(place) as process:
        address = welcome(process)["Page"].split()[0]
        yield House(urljoin(address, "/"), place / "demo")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = need("chromium")
    with (
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])) as browser,
    ):
        yield browser


@dataclass
class Visitor:
    """A browser that is logged in. What a page asks of another host or complains of is kept, and fails the test."""

    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go there, and wait until the page is drawn."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None, path
        assert answer.ok, f"{path}: {answer.status}"
        return self.page

    def axe(self) -> list[str]:
        """What axe-core finds wrong on the page that is open: one line for each violation and place."""
        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]

    def fits(self) -> bool:
        """Whether nothing sticks out to the side."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        return wide


class Visit:
    """Makes visitors: each has its own cookies."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser = browser
        self._house = house
        self._state: dict[str, Any] = {}
        self.visitors: list[Visitor] = []

    def __call__(
        self, *, size: ViewportSize = DESKTOP, language: str = "en", theme: Theme = "light", user: str = "demo"
    ) -> Visitor:
        context = self._browser.new_context(
            base_url=self._house.url, viewport=size, locale=language, color_scheme=theme, reduced_motion="reduce",
            storage_state=self._login(user), has_touch=size is PHONE,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(context, context.new_page())
        home = urlsplit(self._house.url).netloc
        context.on(
            "request",
            lambda request: visitor.faults.append(f"asked {request.url}")
            if urlsplit(request.url).netloc not in (home, "") else None,
        )  # fmt: skip
        visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
        visitor.page.on(
            "console", lambda said: visitor.faults.append(said.text) if said.type in ("error", "warning") else None
        )
        self.visitors.append(visitor)
        return visitor

    def _login(self, user: str) -> Any:  # playwright's own type, of cookies
        if user not in self._state:
            with closing(self._browser.new_context(base_url=self._house.url)) as context:
                context.new_page().goto(self._house.login_link(user))
                self._state[user] = json.loads(json.dumps(context.storage_state()))
        return self._state[user]


@pytest.fixture(scope="session")
def _visits(chromium: Browser, house: House) -> Visit:
    return Visit(chromium, house)


@pytest.fixture
def visit(_visits: Visit) -> Iterator[Visit]:
    """`visit(size=PHONE, language="fr", theme="dark")`; afterwards no page may have complained."""
    yield _visits
    visitors, _visits.visitors = _visits.visitors, []
    for visitor in visitors:
        visitor.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []
