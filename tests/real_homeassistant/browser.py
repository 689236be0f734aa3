"""A chromium without a window, told what to do by its own debugging protocol: what an owner sees of a page."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import threading
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.real_homeassistant.home import HomeAssistant, wait_until

_STARTS_WITHIN: Final = 60.0  # seconds
_SIZE: Final = (1600, 1400)
# All that stands on the page, through every shadow root: its text in order, and what Home Assistant shows instead of a
# card that it cannot draw.
_LOOK: Final = """
(() => {
  const texts = [], wrong = [];
  let cards = 0, busy = 0;
  const isShown = element => getComputedStyle(element).display !== "none";
  const walk = node => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        const text = child.textContent.replace(/\\s+/g, " ").trim();
        if (text) texts.push(text);
      } else if (child.nodeType === Node.ELEMENT_NODE) {
        const name = child.localName;
        if (["style", "script", "template", "title"].includes(name) || !isShown(child)) continue;
        if (/^hui-.*(error|warning)|^ha-error/.test(name)) wrong.push(name + ": " + (child.textContent || ""));
        if (name === "hui-card") cards += 1;
        if (/spinner|progress/.test(name)) busy += 1;
        if (child.shadowRoot) walk(child.shadowRoot);
        if (name === "slot") continue;
        walk(child);
      }
    }
  };
  const view = (function find(node) {
    for (const element of node.querySelectorAll("*")) {
      if (element.localName === "hui-view") return element;
      const found = element.shadowRoot && find(element.shadowRoot);
      if (found) return found;
    }
    return null;
  })(document);
  if (view) walk(view);
  return JSON.stringify({cards, busy, wrong, texts});
})()
"""


class Page:
    """What stands on a page."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.cards: int = said["cards"]
        self.busy: int = said["busy"]
        self.wrong: list[str] = said["wrong"]
        self.texts: list[str] = said["texts"]


class Browser:
    """One chromium, logged in as the owner of a Home Assistant."""

    def __init__(self, folder: Path, home: HomeAssistant, program: str) -> None:
        self._folder = folder
        self._home = home
        self._number = 0
        self._process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--no-proxy-server", "--lang=fr", "--hide-scrollbars", f"--window-size={_SIZE[0]},{_SIZE[1]}",
                f"--user-data-dir={folder / 'chromium'}", "--remote-debugging-port=0", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        self._said: list[str] = []
        self._where = threading.Event()
        self._reader = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        if not self._where.wait(_STARTS_WITHIN):
            pytest.fail(f"chromium did not start: {self._said}")
        [where] = [found[1] for line in self._said if (found := re.search(r"listening on (ws://\S+)", line))]
        self._socket: ClientConnection = connect(where, max_size=None, proxy=None, open_timeout=30)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        width, height = _SIZE
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._ask("Page.enable")
        remember = f"localStorage.hassTokens = {json.dumps(json.dumps(home.tokens()))};"
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=remember)

    def open(self, path: str) -> None:
        """Load a page of Home Assistant."""
        self._ask("Page.navigate", url=f"{self._home.url}{path}")

    def look(self) -> Page:
        """What is there now."""
        answer = self._ask("Runtime.evaluate", expression=_LOOK, returnByValue=True)
        return Page(json.loads(answer["result"]["value"]))

    def shown(self, path: str, *wanted: str, seconds: float = 60.0) -> Page:
        """The page once it is drawn: nothing turns any more, and all that is wanted stands there."""
        self.open(path)
        page = Page({"cards": 0, "busy": 0, "wrong": [], "texts": []})

        def is_drawn() -> bool:
            nonlocal page
            page = self.look()
            is_loading = page.busy or any(text.endswith("…") for text in page.texts)
            return page.cards > 0 and not is_loading and not set(wanted) - set(page.texts)

        wait_until(is_drawn, seconds, f"{path} with {wanted}", instead=lambda: vars(page))
        return page

    def picture(self, path: Path) -> None:
        """Keep what it looks like."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        self._socket.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(20)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _ask(self, method: str, **parameters: object) -> Any:  # JSON
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        until = monotonic() + 60
        while monotonic() < until:
            answer = json.loads(self._socket.recv(60))
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
        pytest.fail(f"chromium did not answer {method}")

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            self._said.append(line.rstrip())
            if "listening on ws://" in line:
                self._where.set()
