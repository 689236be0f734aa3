"""The add-on's start: the options of its page and the Supervisor's broker become a config.yaml; then `ticbridge up`."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DATA: Final = Path("/data")
SUPERVISOR: Final = "http://supervisor"
SUPERVISORS_ADDRESS: Final = "172.30.32.2"


def broker(url: str, token: str) -> dict[str, Any]:  # host, port, username, password: as the Supervisor says it
    """The broker that the Supervisor has for its add-ons. Raises `OSError` if there is none."""
    request = urllib.request.Request(f"{url}/services/mqtt", headers={"Authorization": f"Bearer {token}"})  # noqa: S310  http, to the Supervisor
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  as above
        found: dict[str, Any] = json.load(answer)["data"]
    return found


def configuration(options: Mapping[str, Any], mqtt: Mapping[str, Any], data: Path) -> dict[str, Any]:
    """config.yaml as a tree. `options`: as the schema in the add-on's config.yaml has them."""
    tree: dict[str, Any] = {
        "bridge": {"id": "homeassistant", "state_dir": str(data)},
        "meters": list(options["meters"]),
        "mqtt": {"host": mqtt["host"], "port": int(mqtt["port"])},
        "publish": {"min_interval": options["min_interval"]},
        "homeassistant": {"language": options["language"]},
        "storage": {"database": f"sqlite:///{data}/db.sqlite3"},
        "web": {"listen": "0.0.0.0:8000", "ingress": True, "proxies": [SUPERVISORS_ADDRESS]},
        "log": {"level": options["log_level"]},
    }
    if mqtt.get("username"):
        tree["mqtt"] |= {"username": mqtt["username"], "password_file": str(data / "mqtt-password")}
    if "reading_interval" in options:
        tree["reading"] = {"interval": options["reading_interval"]}
    if "keep_raw" in options:
        tree["storage"]["keep"] = {"raw": options["keep_raw"]}
    return tree


def write(options: Mapping[str, Any], mqtt: Mapping[str, Any], data: Path) -> Path:
    """Write config.yaml and the password's file, which only their owner can read; the path of the first."""
    secret = data / "mqtt-password"
    secret.touch(mode=0o600)
    secret.chmod(0o600)
    secret.write_text(str(mqtt.get("password") or ""))
    path = data / "config.yaml"
    path.write_text(json.dumps(configuration(options, mqtt, data), indent=2))  # JSON is YAML
    return path


def main() -> None:
    """Never comes back."""
    options = json.loads((DATA / "options.json").read_text())
    try:
        mqtt = broker(SUPERVISOR, os.environ["SUPERVISOR_TOKEN"])
    except (OSError, urllib.error.URLError, KeyError, ValueError) as error:
        sys.exit(f"ticbridge: Home Assistant has no broker for add-ons ({error}): install the add-on Mosquitto broker")
    path = write(options, mqtt, DATA)
    os.execvp("ticbridge", ["ticbridge", "--config", str(path), "up"])  # noqa: S606, S607  our own command


if __name__ == "__main__":
    main()
