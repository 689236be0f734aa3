"""The page Now while the house lives: it keeps up, says when it does not, finds its server again, and nothing jumps."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from time import time
from typing import IO, Final

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect

from bridge.config import load
from bridge.envelope import Envelope
from tests.broker.conftest import free_port
from tests.browser.conftest import PATIENCE, House, Visit
from tests.demo import outside

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LISTENERS: Final = 50
STOP: Final = 3.0  # s that a stop may take (design.md section 3)
NOTICED: Final = 10_000  # ms until old numbers look old
WATCH: Final = """
    window.seen = [];
    new MutationObserver(() => seen.push([Date.now() / 1000, document.querySelector("[data-cell=power]").textContent]))
        .observe(document.querySelector("[data-cell=power]"), {childList: true, characterData: true, subtree: true});
"""
READINGS: Final = """(count) => new Promise((resolve) => {
    const source = new EventSource("/live/");
    source.addEventListener("reading", () => { count -= 1; if (count < 0) { source.close(); resolve(); } });
})"""
SHIFTS: Final = """
    window.shifts = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shifts += one.value; }))
        .observe({type: "layout-shift", buffered: true});
"""


def process_of(house: House, part: str) -> int:
    """The number of the house's bridge, store or web."""
    wanted = f"{house.folder}/config.yaml\0{part}\0".encode()
    found = [int(place.parent.name) for place in Path("/proc").glob("[0-9]*/cmdline") if _ends_with(place, wanted)]
    [number] = found
    return number


def _ends_with(place: Path, wanted: bytes) -> bool:
    try:
        return place.read_bytes().endswith(wanted)
    except OSError:
        return False  # it ended meanwhile


@contextmanager
def web(house: House, port: int) -> Iterator[subprocess.Popen[str]]:
    """Another web process of the house, that a test may end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ticbridge", "--config", str(house.folder / "config.yaml"), "web"],
        cwd=house.folder, env={**outside(), "TICBRIDGE_WEB__LISTEN": f"127.0.0.1:{port}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any(line.startswith("ticbridge web: http") for line in process.stdout)  # it serves from then on
        yield process
    finally:
        process.kill()
        process.communicate()


def login_at(house: House, port: int) -> str:
    """The way in by another web process."""
    return re.sub(r"//[^/]*", f"//127.0.0.1:{port}", house.login_link(), count=1)


def is_live(page: Page) -> None:
    expect(page.locator("[data-pill]")).to_have_attribute("data-state", "live", timeout=PATIENCE)


def published(house: House, count: int) -> list[tuple[float, int]]:
    """When the next readings were received from the broker, and their power."""
    mqtt = load(house.folder / "config.yaml").mqtt
    found: list[tuple[float, int]] = []

    def hear(client: Client, _: object, message: MQTTMessage) -> None:
        power = Envelope.model_validate_json(message.payload).values["sinsts"]
        assert isinstance(power, int)
        found.append((time(), power))
        if len(found) == count:
            client.disconnect()

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = hear
    client.connect(mqtt.host, mqtt.port)
    client.subscribe(f"{mqtt.base_topic}/+/reading")
    client.loop_forever()
    return found


def test_a_reading_is_on_the_page_within_a_second(visit: Visit, house: House) -> None:
    page = visit().open("/")
    is_live(page)
    page.evaluate(WATCH)
    said = published(house, 12)
    page.wait_for_timeout(1000)  # what the last of them may take
    seen: list[tuple[float, str]] = page.evaluate("seen")
    changes = [(at, power) for (_, before), (at, power) in pairwise(said) if power != before]
    assert changes, said
    in_time = [any(at <= when < at + 1 and text == f"{power:,}" for when, text in seen) for at, power in changes]
    assert sum(in_time) >= len(changes) - 1, (changes, seen)  # a busy machine may be late once


def test_old_numbers_look_old_and_young_again(visit: Visit, house: House) -> None:
    page = visit().open("/")
    is_live(page)
    bridge = process_of(house, "bridge")
    os.kill(bridge, signal.SIGSTOP)  # as if the cable was out
    try:
        stale = page.locator("[data-pill]:not([data-state=live])")
        stale.wait_for(timeout=NOTICED)
        assert re.fullmatch(r"\d+ s ago", page.locator("[data-pill-text]").inner_text())
        muted = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--muted')")
        assert muted == "#51606d"
        assert page.locator(".power").evaluate("place => getComputedStyle(place).color") == "rgb(81, 96, 109)"
    finally:
        os.kill(bridge, signal.SIGCONT)
    is_live(page)


def test_the_page_finds_a_server_that_was_started_again(visit: Visit, house: House) -> None:
    port = free_port()
    visitor = visit()
    page = visitor.page
    with web(house, port):
        page.goto(login_at(house, port))
        is_live(page)
    page.locator("[data-pill]:not([data-state=live])").wait_for(timeout=NOTICED)
    with web(house, port):
        is_live(page)
        page.goto("about:blank")
    visitor.faults.clear()  # the browser complains of a server that is away, as it should


def test_nothing_jumps_when_values_arrive(visit: Visit) -> None:
    visitor = visit()
    visitor.page.add_init_script(SHIFTS)
    page = visitor.open("/")
    page.evaluate(READINGS, 4)
    assert page.evaluate("shifts") < 0.01


def test_the_curve_switches_between_minutes_and_a_day(visit: Visit) -> None:
    page = visit().open("/")
    with page.expect_response(re.compile("minutes=1440")) as answer:
        page.get_by_role("link", name="24 hours").click()
    found = answer.value.json()
    assert found["end"] - found["start"] in (86_399, 86_400)
    assert 2 < len(found["t"]) <= 2000
    assert page.url.endswith("?minutes=1440")
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")


def test_fifty_pages_hear_each_reading_and_do_not_hold_up_the_stop(house: House) -> None:
    port = free_port()
    with web(house, port) as process:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        browser.open(login_at(house, port))
        live = f"http://127.0.0.1:{port}/live/"
        streams: list[IO[bytes]] = [browser.open(live, timeout=PATIENCE / 1000) for _ in range(LISTENERS)]
        heard = [next(line for line in stream if line.startswith(b"event: reading")) for stream in streams]
        size = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        assert size is not None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP)
        for stream in streams:
            stream.close()
    print(f"web process with {LISTENERS} listeners: {int(size[1]) / 1024:.0f} MB")  # noqa: T201  a figure to note
    assert (len(heard), process.returncode) == (LISTENERS, 0)
    assert int(size[1]) < 160 * 1024
