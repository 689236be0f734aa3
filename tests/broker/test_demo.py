"""`ticbridge demo` as its user sees it."""

from __future__ import annotations

import re
import signal
import threading
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import urljoin

import pytest
import yaml

from tests.broker.conftest import PATIENCE, announce_home_assistant
from tests.demo import demo, welcome
from tests.needs import need

pytestmark = [pytest.mark.broker, pytest.mark.slow]

# A machine without mosquitto: nothing is found, wherever it is looked for.
WITHOUT_MOSQUITTO: Final = (
    "import shutil; shutil.which = lambda *_, **__: None; from ticbridge.__main__ import main; main()"
)
LAST_STEP: Final = "/welcome/?step=3"
COUNTS: Final = re.compile(r"simulated (\d+)   decoded (\d+)   accepted (\d+)   stored (\d+)   refused (\d+)")


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that still use the demo's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and "demo --port" not in command:
            found.append(command)
    return found


def equal_counts(output: str) -> tuple[int, int]:
    """(frames, refused) when every frame went the whole way."""
    found = COUNTS.search(output)
    assert found, output
    simulated, decoded, accepted, stored, refused = map(int, found.groups())
    assert simulated == decoded == accepted == stored
    return simulated, refused


def test_every_simulated_frame_is_stored_and_none_refused(tmp_path: Path) -> None:
    need("mosquitto")
    with demo(tmp_path, "--seconds", "4", "--speed", "5", "--meters", "2") as process:
        output, errors = process.communicate(timeout=240)
    frames, refused = equal_counts(output)
    assert (frames > 20, refused, process.returncode, errors) == (True, 0, 0, "")
    assert left_over(tmp_path) == []


def test_without_mosquitto_the_demo_brings_its_own_broker_and_says_so(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "4", launcher=["-c", WITHOUT_MOSQUITTO]) as process:
        said = welcome(process)
        output, _ = process.communicate(timeout=240)
    assert said["Broker"].startswith("amqtt, in Python")
    assert equal_counts(output)[1] == 0


@pytest.mark.alone
def test_the_printed_address_logs_in_once_and_ctrl_c_stops_everything_within_three_seconds(tmp_path: Path) -> None:
    need("mosquitto")
    with demo(tmp_path, "--mode", "historique", "--contract", "hchp") as process:
        address = welcome(process)["Page"].split()[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        page = browser.open(address, timeout=20).read().decode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open(address, timeout=20)
        refused.value.close()
        live = browser.open(address.partition("/enter/")[0] + "/live/", timeout=20)
        for line in live:  # a browser listens, and two frames have agreed on the meter
            if line.startswith(b"event: reading"):
                break
        began = monotonic()
        process.send_signal(signal.SIGINT)
        watchdog = threading.Timer(20, process.kill)
        watchdog.start()
        output, _ = process.communicate()
        watchdog.cancel()
        took = monotonic() - began
        live.close()
    assert "VA" in page
    assert refused.value.code == 410
    assert took < 3
    assert equal_counts(output)[1] == 0
    assert left_over(tmp_path) == []


@pytest.mark.long
def test_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    need("mosquitto")
    with demo(tmp_path) as process:
        welcome(process)
        assert left_over(tmp_path) != []
        process.kill()
        process.communicate()
    until, pause = monotonic() + 20, threading.Event()
    while left_over(tmp_path) and monotonic() < until:
        pause.wait(0.05)
    assert left_over(tmp_path) == []


def test_the_guided_start_tells_when_home_assistant_was_there(tmp_path: Path) -> None:
    need("mosquitto")
    with demo(tmp_path, "--mode", "historique", "--contract", "hchp") as process:
        address = welcome(process)["Page"].split()[0]
        port = yaml.safe_load((tmp_path / "demo/config.yaml").read_text())["mqtt"]["port"]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        browser.addheaders = [("Accept-Language", "en")]
        browser.open(address, timeout=60).close()
        before = browser.open(urljoin(address, LAST_STEP), timeout=60).read().decode()
        announce_home_assistant(port)
        until = monotonic() + PATIENCE
        while "Home Assistant was there on" not in (
            page := browser.open(urljoin(address, LAST_STEP), timeout=60).read().decode()
        ):
            assert monotonic() < until, page
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert "Home Assistant has not been heard yet" in before
