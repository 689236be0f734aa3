"""The web process: says where it listens, and stops at once."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import pytest

from bridge.config import Settings
from bridge.watchdog import Pulse
from storage.web import server
from storage.web.server import serve
from tests.broker.conftest import free_port
from tests.storage.scratch import Scratch

STOP: Final = 3.0  # seconds: what a stop may take (design.md section 3)
LISTENERS: Final = 5


class NoApplication:
    """Never asked for anything here."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody asked")

    def close(self) -> None:
        raise AssertionError("nothing was open")

    def pulses(self) -> Iterator[Pulse]:
        raise AssertionError("nobody started it")

    def status(self) -> str:
        raise AssertionError("nobody started it")


def listen_on(text: str) -> Settings:
    return Settings.model_validate({"web": {"listen": text}})


@pytest.mark.django_db
def test_a_busy_port_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        code = serve(listen_on(place), NoApplication())
    said = capsys.readouterr()
    assert (code, said.out, said.err) == (
        1,
        "",
        f"ticbridge: web.listen: {place} is in use: does another web process run? Else choose another port\n",
    )


def test_a_place_that_is_not_ours_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code = serve(listen_on("192.0.2.1:8000"), NoApplication())
    assert (code, capsys.readouterr().err) == (
        1,
        "ticbridge: web.listen: 192.0.2.1:8000 is no address of this machine: is it right? 127.0.0.1 always is one\n",
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "no"), "is not allowed to this user"),
        (socket.gaierror(-2, "unknown"), "is no address of this machine"),
        (OSError(24, "Too many open files"), "cannot be listened on (Too many open files)"),
    ],
)
def test_each_refusal_has_its_sentence(error: OSError, words: str) -> None:
    assert words in server._sentence("x:80", error)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("0.0.0.0", "http://localhost:8000/"),
        ("::", "http://localhost:8000/"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert server._address(host, 8000) == address


# --- as a process ----------------------------------------------------------------------------------


@dataclass
class Web:
    """`ticbridge web`, and what it printed first."""

    process: subprocess.Popen[str]
    address: str
    first_account: str


@pytest.fixture
def mute_broker() -> Iterator[int]:
    """The port of a broker that accepts connections and says nothing: the slowest to say goodbye to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def web(tmp_path: Path, mute_broker: int, scratch: Scratch) -> Iterator[Web]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TICBRIDGE_")} | {
        "TICBRIDGE_BRIDGE__STATE_DIR": str(tmp_path),
        "TICBRIDGE_STORAGE__DATABASE": scratch.url,
        "TICBRIDGE_MQTT__HOST": "127.0.0.1",
        "TICBRIDGE_MQTT__PORT": str(mute_broker),
        "TICBRIDGE_WEB__LISTEN": f"127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "ticbridge"]
    scratch.migrate()
    process = subprocess.Popen(
        [*command, "web"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().removeprefix("ticbridge web: ").strip()
        yield Web(process, address, process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def make_account(web: Web) -> str:
    """Go the way of a new owner; the cookie that he gets."""
    link = web.first_account.rpartition(": ")[2].strip()
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with browser.open(link) as answer:
        form = answer.read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token is not None
    fields = {"username": "anne", "password1": "correct horse battery", "password2": "correct horse battery"}
    sent = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
    with browser.open(link, sent) as answer:
        assert answer.url == web.address
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def open_stream(web: Web, cookie: str) -> IO[bytes]:
    request = urllib.request.Request(web.address + "live/", headers={"Cookie": cookie})
    stream: IO[bytes] = urllib.request.urlopen(request, timeout=10)
    assert stream.readline() == b"retry: 2000\n"
    return stream


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_at_once_although_browsers_listen(web: Web, number: signal.Signals) -> None:
    cookie = make_account(web)
    streams = [open_stream(web, cookie) for _ in range(LISTENERS)]
    web.process.send_signal(number)
    out, err = web.process.communicate(timeout=STOP)
    for stream in streams:
        stream.close()
    assert (web.process.returncode, out, "Traceback" in err) == (0, "", False)


@pytest.mark.slow
def test_pages_that_listen_take_no_connection_from_those_that_ask(web: Web, scratch: Scratch) -> None:
    cookie = make_account(web)
    streams = [open_stream(web, cookie) for _ in range(12)]  # more than there are connections
    request = urllib.request.Request(web.address, headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    if not scratch.is_sqlite:
        [(number,)] = scratch.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ticbridge web'")
        assert 1 <= number <= 8
    for stream in streams:
        stream.close()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.sqlite  # whose lock holds a whole database
def test_a_stop_does_not_wait_for_the_database(web: Web, scratch: Scratch) -> None:
    cookie = make_account(web)
    token = re.search(r"csrftoken=(\w+)", cookie)
    assert token is not None
    place = urllib.parse.urlsplit(web.address)
    head = ("POST /logout/ HTTP/1.1", f"Host: {place.netloc}", f"Cookie: {cookie}", f"X-CSRFToken: {token[1]}")
    with closing(sqlite3.connect(scratch.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=0.5) as waiting:
            waiting.sendall("\r\n".join([*head, "Content-Length: 0", "", ""]).encode())
            with pytest.raises(TimeoutError):
                waiting.recv(1)  # it needs the database, and does not get it
            web.process.send_signal(signal.SIGTERM)
            _, err = web.process.communicate(timeout=STOP)
    assert (web.process.returncode, "was given up" in err, "Traceback" in err) == (0, True, False)
