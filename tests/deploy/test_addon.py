"""Home Assistant's add-on: its options become our configuration. The Supervisor is a stand-in: an HTTP server."""

from __future__ import annotations

import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from bridge.config import load

ADDON = Path(__file__).parents[2] / "deploy/homeassistant-addon"
MQTT = {"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "s3cr3t-of-the-broker", "ssl": False}


@pytest.fixture
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("addon_run", ADDON / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ADDON / "config.yaml").read_text())
    return found


def test_the_options_as_shipped_are_a_configuration_of_ours(run: ModuleType, tmp_path: Path) -> None:
    path = run.write(shipped()["options"], MQTT, tmp_path)
    settings = load(path, {})
    assert (settings.mqtt.host, settings.mqtt.username) == ("core-mosquitto", "addons")
    assert settings.mqtt.secret() == "s3cr3t-of-the-broker"
    assert "s3cr3t" not in path.read_text()
    assert (tmp_path / "mqtt-password").stat().st_mode & 0o777 == 0o600
    assert (settings.web.ingress, str(settings.web.proxies[0])) == (True, "172.30.32.2/32")


def test_every_option_reaches_the_configuration(run: ModuleType, tmp_path: Path) -> None:
    options = {
        "language": "en", "min_interval": 30, "log_level": "debug", "reading_interval": 10, "keep_raw": "30d",
        "meters": [{"source": "socket://10.0.0.1:2000", "mode": "historique", "name": "House"}],
    }  # fmt: skip
    assert set(options) == set(shipped()["schema"])
    settings = load(run.write(options, {**MQTT, "username": "", "password": ""}, tmp_path), {})
    assert (settings.homeassistant.language, settings.log.level, settings.reading.interval) == ("en", "debug", 10)
    assert (settings.publish.min_interval, settings.storage.keep.raw) == (30, "30d")
    assert (settings.meters[0].source, settings.meters[0].name) == ("socket://10.0.0.1:2000", "House")
    assert settings.mqtt.username is None


def test_each_option_is_explained_in_both_languages() -> None:
    for language in ("en", "fr"):
        told = yaml.safe_load((ADDON / f"translations/{language}.yaml").read_text())["configuration"]
        assert set(told) == set(shipped()["schema"])


class Supervisor(BaseHTTPRequestHandler):
    """What the add-on asks of it."""

    def do_GET(self) -> None:
        known = self.path == "/services/mqtt" and self.headers["Authorization"] == "Bearer token"
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"result": "ok", "data": MQTT} if known else {"result": "error"}).encode())

    def log_message(self, *_: Any) -> None:
        pass


def test_the_broker_is_asked_of_the_supervisor(run: ModuleType) -> None:
    with HTTPServer(("127.0.0.1", 0), Supervisor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert run.broker(url, "token") == MQTT
        with pytest.raises(OSError, match="400"):
            run.broker(url, "another")
        server.shutdown()
