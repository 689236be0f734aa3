"""A real Home Assistant as its owner has it: started, given an account and the broker, asked by its own websocket."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect

from tests.broker.conftest import free_port
from tests.needs import need

HERE: Final = Path(__file__).parent
STARTS_WITHIN: Final = 180.0  # seconds
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# Where it shows each dashboard -> the file.
DASHBOARDS: Final = {
    f"linky-{path.name.removesuffix('.yaml').replace('.', '-').replace('_', '-')}": path.name
    for path in sorted((HERE.parents[1] / "homeassistant" / "dashboards").glob("*.yaml"))
}
LAB: Final = Path(os.environ.get("HA_LAB") or _CACHE / "ticbridge-homeassistant")
# Home Assistant's defaults, the recorder's above all; what it needs besides is said by its own pages.
_CONFIGURATION: Final = """\
homeassistant:
  name: test
  latitude: 48.85
  longitude: 2.35
  time_zone: Europe/Paris
  currency: EUR
  country: FR
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
system_log:
recorder:
history:
energy:
logbook:
automation: !include automations.yaml
lovelace:
  dashboards:
"""
# All that it asks at first but for the owner's account; its pages send a browser there until all is answered.
_ONBOARDING: Final = json.dumps(
    {"version": 4, "key": "onboarding", "data": {"done": ["core_config", "analytics", "integration"]}}
)
_DASHBOARD: Final = """\
    {path}:
      mode: yaml
      title: {path}
      filename: dashboards/{name}
"""
_OURS: Final = re.compile(
    "mqtt|sensor|recorder|energy|statistic|automation|blueprint|lovelace|dashboard|frontend|template", re.IGNORECASE
)
_READY_MADE: Final = HERE.parents[1] / "homeassistant"
_FLAWED: Final = re.compile(r"^\d{4}-\d\d-\d\d \S+ (WARNING|ERROR|CRITICAL) ")
_DATED: Final = re.compile(r"^\d{4}-\d\d-\d\d ")


def wait_until(
    true: Callable[[], object], seconds: float, what: str, step: float = 0.5, instead: Callable[[], object] = str
) -> float:
    """Wait for something to be true; how many seconds that took. `instead` tells what there is when it never was."""
    began = monotonic()
    pause = threading.Event()
    while not true():
        if monotonic() - began > seconds:
            pytest.fail(f"not within {seconds:g} s: {what} {instead()}")
        pause.wait(step)
    return monotonic() - began


class HomeAssistant:
    """Its process, and what an owner can ask it."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        if not (LAB / "root/opt/ha/bin/hass").exists():
            pytest.fail(f"there is no Home Assistant in {LAB}: `make test-ha` builds it")
        self._setpriv = need("setpriv")
        self._folder = folder / "homeassistant"
        self._folder.mkdir()
        self._port = free_port()
        self._broker_port = broker_port
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        self._logs: list[str] = []
        configuration = _CONFIGURATION.format(port=self._port)
        for part in ("dashboards", "blueprints"):  # copied as docs/how-to/home-assistant.md says
            shutil.copytree(_READY_MADE / part, self._folder / part)
        for path, name in DASHBOARDS.items():
            configuration += _DASHBOARD.format(path=path, name=name)
        (self._folder / "configuration.yaml").write_text(configuration)
        (self._folder / "automations.yaml").write_text("[]\n")
        (self._folder / ".storage").mkdir()
        (self._folder / ".storage" / "onboarding").write_text(_ONBOARDING)

    # --- its life --------------------------------------------------------------------------------

    def start(self, late: timedelta = timedelta()) -> None:
        """Start it; at the first time, move in. Its clock is late by so much: a stop of hours takes no hours."""
        environment = {"HA_LAB": str(LAB), "HA_CONFIG": str(self._folder), "PATH": os.environ["PATH"]}
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [
                    self._setpriv, "--pdeathsig", "TERM", str(HERE / "inside.sh"), *_clock(late),
                    "hass", "--config", "/config", "--skip-pip", "--log-no-color", "--log-file", "/config/test.log",
                ],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        wait_until(self._answers, STARTS_WITHIN, "Home Assistant answers")
        if not self._token:
            self._move_in()
        wait_until(lambda: self.call("get_config")["state"] == "RUNNING", STARTS_WITHIN, "Home Assistant runs")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it, and keep what it said."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._logs.append(self._log())
        (self._folder / "test.log").unlink(missing_ok=True)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"Home Assistant died: {(self._folder / 'output').read_text()[-2000:]}")
        try:
            self._request("/api/onboarding" if not self._token else "/api/")
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True

    def _request(self, path: str, data: dict[str, Any] | None = None, *, form: bool = False) -> Any:  # JSON
        body = None if data is None else (urlencode(data) if form else json.dumps(data)).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", body, {"Content-Type": kind})
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)

    def _move_in(self) -> None:
        """An account, a token that outlives a restart, the broker: each by the call that the pages make."""
        client = f"http://127.0.0.1:{self._port}/"
        owner = {"client_id": client, "name": "Owner", "username": "owner", "password": "owner", "language": "en"}
        code = self._request("/api/onboarding/users", owner)["auth_code"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        self._token = self._request("/auth/token", grant, form=True)["access_token"]
        self._token = self.call("auth/long_lived_access_token", client_name="tests", lifespan=30)
        # Newer ones give a port from the YAML five minutes, then go back to the old one unless somebody approves.
        self.try_call("http/config/promote")
        flow = self._request("/api/config/config_entries/flow", {"handler": "mqtt"})
        broker = {**_filled_in(flow["data_schema"]), "broker": "127.0.0.1", "port": self._broker_port}
        done = self._request(f"/api/config/config_entries/flow/{flow['flow_id']}", broker)
        assert done["type"] == "create_entry", done

    # --- questions -------------------------------------------------------------------------------

    def try_call(self, kind: str, **fields: object) -> dict[str, Any]:
        """The whole answer to a websocket command, be it a refusal."""
        url = f"ws://127.0.0.1:{self._port}/api/websocket"
        with connect(url, max_size=None, proxy=None, open_timeout=120) as socket:
            socket.recv(120)
            socket.send(json.dumps({"type": "auth", "access_token": self._token}))
            welcome = json.loads(socket.recv(120))
            assert welcome["type"] == "auth_ok", welcome
            socket.send(json.dumps({"id": 1, "type": kind, **fields}))
            answer: dict[str, Any] = json.loads(socket.recv(120))
            return answer

    def call(self, kind: str, **fields: object) -> Any:  # as above
        """The result of a websocket command."""
        answer = self.try_call(kind, **fields)
        assert answer["success"], answer
        return answer["result"]

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self._port}"

    def tokens(self) -> dict[str, object]:
        """What its page keeps of an owner who is logged in."""
        return {
            "hassUrl": self.url, "clientId": f"{self.url}/", "access_token": self._token, "refresh_token": "",
            "token_type": "Bearer", "expires_in": 10**8, "expires": 10**14,
        }  # fmt: skip

    def automate(self, name: str, blueprint: str, **inputs: object) -> str:
        """Make an automation of a blueprint as the page does; its entity."""
        made = {"alias": name, "use_blueprint": {"path": f"ticbridge/{blueprint}.yaml", "input": inputs}}
        assert self._request(f"/api/config/automation/config/{name}", made) == {"result": "ok"}
        wait_until(lambda: f"automation.{name}" in self.states(), 30, f"{name} is there")
        return f"automation.{name}"

    def states(self) -> dict[str, dict[str, Any]]:
        """entity id -> state, as the page shows it."""
        return {state["entity_id"]: state for state in self.call("get_states")}

    def entities(self, meter: str) -> dict[str, dict[str, Any]]:
        """What the registry knows of a meter's entities, disabled ones too, by the part of the unique id after it."""
        rows = [row for row in self.call("config/entity_registry/list") if row["platform"] == "mqtt"]
        whole = self.call("config/entity_registry/get_entries", entity_ids=[row["entity_id"] for row in rows])
        prefix = f"linky_{meter}_"
        return {
            row["unique_id"].removeprefix(prefix): row for row in whole.values() if row["unique_id"].startswith(prefix)
        }

    def shown(self, meter: str) -> dict[str, str]:
        """Key -> state, of a meter's enabled entities."""
        states = self.states()
        return {
            key: states[row["entity_id"]]["state"] if row["entity_id"] in states else "(none)"
            for key, row in self.entities(meter).items()
            if row["disabled_by"] is None
        }

    def devices(self) -> list[dict[str, Any]]:
        """The device registry."""
        devices: list[dict[str, Any]] = self.call("config/device_registry/list")
        return devices

    def issues(self) -> list[dict[str, Any]]:
        """What the owner is asked to repair."""
        issues: list[dict[str, Any]] = self.call("repairs/list_issues")["issues"]
        return issues

    def statistics(self, ids: Sequence[str], since: str) -> dict[str, list[dict[str, Any]]]:
        """Five-minute rows by statistic: hourly ones are copies of their last."""
        rows: dict[str, list[dict[str, Any]]] = self.call(
            "recorder/statistics_during_period",
            start_time=since, statistic_ids=list(ids), period="5minute", types=["state", "sum", "change"],
            units={"energy": "Wh"},
        )  # fmt: skip
        return rows

    def hours(self, ids: Sequence[str], since: str, until: str) -> dict[str, list[dict[str, Any]]]:
        """Hourly rows by statistic."""
        rows: dict[str, list[dict[str, Any]]] = self.call(
            "recorder/statistics_during_period",
            start_time=since, end_time=until, statistic_ids=list(ids), period="hour",
            types=["state", "sum", "change"], units={"energy": "Wh"},
        )  # fmt: skip
        return rows

    @property
    def token(self) -> str:
        """The long-lived one that its owner made."""
        return self._token

    def token_of(self, username: str, password: str) -> str:
        """The one that another account gets by logging in as its page does."""
        client = f"http://127.0.0.1:{self._port}/"
        asked = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        flow = self._request("/auth/login_flow", asked)["flow_id"]
        login = {"client_id": client, "username": username, "password": password}
        code = self._request(f"/auth/login_flow/{flow}", login)["result"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        token: str = self._request("/auth/token", grant, form=True)["access_token"]
        return token

    def complaints(self, allowed: Sequence[str] = ()) -> list[str]:
        """Warnings and errors of the log that concern us, since the first start, without those that are `allowed`."""
        found: list[str] = []
        inside = False
        for line in "\n".join([*self._logs, self._log()]).splitlines():
            if _DATED.match(line):
                inside = bool(_FLAWED.match(line)) and bool(_OURS.search(line))
                if inside:
                    found.append(line)
            elif inside:
                found[-1] += f"\n{line}"
        return [line for line in found if not any(text in line for text in allowed)]

    def recorded(self, entity_ids: Sequence[str], since: float, until: float) -> dict[str, int]:
        """Rows that the recorder wrote, by entity, between two times of the wall clock."""
        marks = ",".join("?" * len(entity_ids))
        rows = self._query(
            "SELECT m.entity_id, count(*) FROM states s JOIN states_meta m USING (metadata_id)"
            f" WHERE m.entity_id IN ({marks}) AND s.last_updated_ts BETWEEN ? AND ? GROUP BY 1",
            [*entity_ids, since, until],
        )
        return dict(rows)

    def first_number(self, entity_id: str) -> int:
        """The first number that the recorder kept of an index."""
        rows = self._query(
            "SELECT s.state FROM states s JOIN states_meta m USING (metadata_id)"
            " WHERE m.entity_id = ? AND s.state GLOB '[0-9]*' ORDER BY s.last_updated_ts LIMIT 1",
            [entity_id],
        )
        return int(rows[0][0])

    def _query(self, text: str, values: Sequence[object]) -> list[Any]:  # rows of any columns
        database = sqlite3.connect(f"file:{self._folder / 'home-assistant_v2.db'}?mode=ro", uri=True)
        try:
            return database.execute(text, values).fetchall()
        finally:
            database.close()

    def _log(self) -> str:
        path = self._folder / "test.log"  # each start begins a new one
        return path.read_text(errors="replace") if path.exists() else ""


def _clock(late: timedelta) -> list[str]:
    """What to start a program by, so that its clock is late; its monotonic one stays as it is."""
    if not late:
        return []
    found = sorted((LAB / "root/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.fail(f"there is no libfaketime in {LAB}: `make test-ha` installs it")
    library = found[0].relative_to(LAB / "root")
    seconds = round(late.total_seconds())
    return ["env", f"LD_PRELOAD=/{library}", f"FAKETIME=-{seconds}", "FAKETIME_DONT_FAKE_MONOTONIC=1"]


def _filled_in(form: list[dict[str, Any]]) -> dict[str, object]:
    """What a form must be told, as the page shows it at first: defaults, and boxes not ticked."""
    filled: dict[str, object] = {}
    for part in form:
        if part.get("type") == "expandable":
            filled[part["name"]] = _filled_in(part["schema"])
        elif part.get("required"):
            choices = part.get("selector", {}).get("select", {}).get("options", [False])
            filled[part["name"]] = part.get("default", choices[0])
    return filled
