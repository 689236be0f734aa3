"""The part *Home Assistant*: a real server at its url. tests/broker/test_check.py has what the broker holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bridge.config import HomeAssistantSettings, MqttSettings, Settings
from tests.ticbridge.check.provoked import provoked
from ticbridge.commands.check import homeassistant
from ticbridge.commands.check.scene import Scene


class Page(BaseHTTPRequestHandler):
    """Answers with the code that its path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as above
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("code", [200, 401])
def test_a_page_that_answers(code: int, url: str) -> None:
    assert homeassistant.answers(f"{url}/{code}").case is homeassistant.ANSWERS


def test_a_page_that_is_broken(url: str) -> None:
    finding = homeassistant.answers(f"{url}/502")
    assert provoked("for real", "homeassistant.url of a server that answers 502", finding) == "ha-unreachable"


def test_a_page_that_is_not_there() -> None:
    finding = homeassistant.answers("http://127.0.0.1:1/")
    assert provoked("for real", "homeassistant.url where nobody listens", finding) == "ha-unreachable"


def test_without_home_assistant_it_is_not_looked_for() -> None:
    scene = Scene(Settings(homeassistant=HomeAssistantSettings(enabled=False)))
    assert [finding.case for finding in homeassistant.look(scene)] == [homeassistant.OFF]


def test_without_a_broker_its_page_is_looked_at_all_the_same(url: str) -> None:
    wanted = HomeAssistantSettings(url=f"{url}/200")
    scene = Scene(Settings(mqtt=MqttSettings(host="127.0.0.1", port=1), homeassistant=wanted))
    found = [finding.case for finding in homeassistant.look(scene)]
    scene.close()
    assert found == [homeassistant.UNLOOKED, homeassistant.ANSWERS]
