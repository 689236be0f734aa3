"""The shipped configuration and access list, on a real mosquitto: each role can do what it must, and nothing else."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from bridge.outlets import PseudoTerminal
from tests.broker.certificates import Authority
from tests.broker.conftest import PATIENCE, Broker, Ear, Run, free_port
from tests.needs import need

pytestmark = pytest.mark.broker

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "mosquitto"
CAPTURES: Final = Path(__file__).parents[1] / "captures"
METER: Final = "021861000001"
ROLES: Final = ("bridge", "store", "homeassistant", "reader")
CAVE: Final = "bridge-cave"
ADMIN: Final = "admin"  # of the test: who fills the topics

NO_COMMENT: Final = tuple(
    f"#{line}" for line in ("user bridge-cave", "topic deny linky/", "topic write linky/", "topic read linky/",
                            "topic read homeassistant/status", "topic readwrite homeassistant/device/",
                            "topic readwrite linky/bridge/cave/")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker as it is shipped."""

    port: int
    tls_port: int
    ca: Path
    folder: Path

    def password_file(self, role: str) -> Path:
        """A file as the owner makes it."""
        path = self.folder / f"{role}-password"
        path.touch(0o600)
        path.write_text(password(role))
        return path


def password(role: str) -> str:
    return f"secret of {role}"


@pytest.fixture
def guarded(tmp_path: Path, broker: Broker) -> Guarded:
    broker.stop()
    house, folder = Authority(tmp_path, "house"), tmp_path / "mosquitto"
    (folder / "certs").mkdir(parents=True)
    shown = house.sign("broker")
    for name, path in (("ca.pem", house.ca), ("broker.pem", shown.cert), ("broker.key", shown.key)):
        (folder / "certs" / name).write_bytes(path.read_bytes())
    users = folder / "ticbridge.passwd"
    for role in (*ROLES, CAVE, ADMIN):
        new = [] if users.exists() else ["-c"]
        subprocess.run(
            [need("mosquitto_passwd"), "-b", *new, str(users), role, password(role)], check=True, capture_output=True
        )
    rules = (SHIPPED / "ticbridge.acl").read_text().splitlines()
    rules = [line[1:] if line.startswith(NO_COMMENT) else line for line in rules]
    (folder / "ticbridge.acl").write_text("\n".join([*rules, f"user {ADMIN}", "topic readwrite #", ""]))
    number, text = free_port(), (SHIPPED / "ticbridge.conf").read_text()
    for shipped, here in (
        ("listener 1883 127.0.0.1\n", ""),  # the fixture's own
        ("listener 8883\n", f"listener {number} 127.0.0.1\n"),
        ("/etc/mosquitto/", f"{folder}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    # Else mosquitto, when root starts it, becomes a user that may not read this folder.
    broker.options = [*text.splitlines(), f"persistence_location {folder}/", "user root"]
    broker.start()
    return Guarded(broker.port, number, house.ca, tmp_path)


class Client:
    """A user on the broker, who is told by MQTT 5 what was refused."""

    def __init__(self, port: int, role: str) -> None:
        self.heard: set[str] = set()
        self._answers: dict[int, ReasonCode] = {}
        self._news = threading.Condition()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(role, password(role))
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._note(0, reason)
        self._client.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, reason)
        self._client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, reasons[0])
        self._client.on_message = lambda _c, _u, message: self.heard.add(message.topic)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert not self._answer(0).is_failure

    def _note(self, mid: int, reason: ReasonCode) -> None:
        with self._news:
            self._answers[mid] = reason
            self._news.notify_all()

    def _answer(self, mid: int) -> ReasonCode:
        with self._news:
            assert self._news.wait_for(lambda: mid in self._answers, PATIENCE)
            return self._answers[mid]

    def may_write(self, topic: str, payload: str = "1", *, retain: bool = False) -> bool:
        return not self._answer(self._client.publish(topic, payload, qos=1, retain=retain).mid).is_failure

    def hears(self, *filters: str) -> set[str]:
        """What it gets of what is retained there."""
        for asked in (*filters, "nothing/here"):  # what was asked before the last has come when the last is answered
            _, mid = self._client.subscribe(asked)
            assert mid is not None
            self._answer(mid)
        return set(self.heard)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def clients(guarded: Guarded) -> Iterator[dict[str, Client]]:
    made = {role: Client(guarded.port, role) for role in (*ROLES, CAVE, ADMIN)}
    yield made
    for client in made.values():
        client.close()


# topic -> who may write it, who may read it; the reader and Home Assistant may read whatever begins with linky/
TOPICS: Final[dict[str, tuple[set[str], set[str]]]] = {
    f"linky/{METER}/sinsts": ({"bridge", CAVE}, set()),
    f"linky/{METER}/status": ({"bridge", CAVE}, {"store"}),
    f"linky/{METER}/event": ({"bridge", CAVE}, set()),
    f"linky/{METER}/reading": ({"bridge", CAVE}, {"store"}),
    f"linky/{METER}/smaxsn/attributes": ({"bridge", CAVE}, set()),
    f"linky/{METER}/reading/ack": ({"store"}, {"bridge", CAVE}),
    f"linky/{METER}/reading/ack/x": (set(), set()),
    f"linky/{METER}/alert": ({"store"}, set()),
    "linky/other/sinsts": ({"bridge"}, set()),
    "linky/other/reading": ({"bridge"}, {"store"}),
    "linky/other/reading/ack": ({"store"}, {"bridge"}),
    "linky/other/alert": ({"store"}, set()),
    "linky/bridge/pi/status": ({"bridge"}, {"bridge", "store"}),
    "linky/bridge/pi/info": ({"bridge"}, {"bridge", "store"}),
    "linky/bridge/cave/status": ({"bridge", CAVE}, {"bridge", CAVE, "store"}),
    "linky/store/pi/status": ({"store"}, {"bridge", CAVE, "store"}),
    "linky": (set(), set()),
    "homeassistant/status": ({"homeassistant"}, {"bridge", CAVE}),
    f"homeassistant/device/linky_{METER}/config": ({"bridge", CAVE}, {"bridge", CAVE}),
    "homeassistant/device/linky_other/config": ({"bridge"}, {"bridge"}),
    "homeassistant/device/linky_bridge_cave/config": ({"bridge", CAVE}, {"bridge", CAVE}),
    "homeassistant/sensor/x/config": (set(), set()),
    "zigbee2mqtt/lamp/set": (set(), set()),
}  # fmt: skip


@pytest.mark.parametrize("role", [*ROLES, CAVE])
def test_a_role_writes_what_it_must_and_is_refused_the_rest(role: str, clients: dict[str, Client]) -> None:
    written = {topic for topic in TOPICS if clients[role].may_write(topic)}
    assert written == {topic for topic, (writers, _) in TOPICS.items() if role in writers}


def test_what_matters_most_in_words(clients: dict[str, Client]) -> None:
    ack = f"linky/{METER}/reading/ack"
    assert {role: clients[role].may_write(ack) for role in (*ROLES, CAVE)} == {
        "bridge": False,
        "store": True,
        "homeassistant": False,
        "reader": False,
        CAVE: False,
    }
    assert [topic for topic in TOPICS if clients["reader"].may_write(topic)] == []


@pytest.mark.parametrize("role", [*ROLES, CAVE])
def test_a_role_reads_what_it_must_and_nothing_else(role: str, clients: dict[str, Client]) -> None:
    for topic in TOPICS:
        assert clients[ADMIN].may_write(topic, retain=True)
    expected = {topic for topic, (_, readers) in TOPICS.items() if role in readers}
    if role in ("homeassistant", "reader"):
        expected |= {topic for topic in TOPICS if topic.partition("/")[0] == "linky"}
    if role == "homeassistant":
        expected |= {topic for topic in TOPICS if topic.startswith("homeassistant/")}
    assert clients[role].hears("#", "$SYS/#") == expected


def test_nobody_comes_in_without_a_password(guarded: Guarded) -> None:
    refused: list[bool] = []
    for login in (None, ("reader", "wrong"), ("nobody", "x")):
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(reason.is_failure)
        if login is not None:
            client.username_pw_set(*login)
        client.connect("127.0.0.1", guarded.port)
        while client.loop(1.0) == paho.MQTT_ERR_SUCCESS:
            pass
    assert refused == [True, True, True]


def test_the_whole_chain_runs_under_the_list(guarded: Guarded, run: Run, tmp_path: Path) -> None:
    """Bridge, store and page each as its own user over TLS; the reader sees the acknowledgements pass."""
    name = "hist_mono_tempo_demain_rouge"
    expected = json.loads((CAPTURES / f"{name}.json").read_text())
    meter, number, database = expected[0]["meter"], len(expected), tmp_path / "db.sqlite3"
    port, ear = PseudoTerminal(), Ear(guarded.port, ("reader", password("reader")))
    home = Ear(guarded.port, ("homeassistant", password("homeassistant")))

    def config(role: str) -> dict[str, Any]:  # a YAML tree
        return {
            "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
            "meters": [{"source": port.name, "mode": "historique"}],
            "mqtt": {
                "host": "localhost", "port": guarded.tls_port, "tls": {"ca": str(guarded.ca)},
                "username": role, "password_file": str(guarded.password_file(role)),
            },
            "storage": {"database": f"sqlite:///{database}", "batch": {"rows": 4, "seconds": 0.2}},
        }  # fmt: skip

    store = run(config("store"), "store")
    store_status = ear.wait_for_topic("linky/store/", "online")
    bridge = run(config("bridge"), "bridge")
    ear.wait_for("linky/bridge/pi/info", lambda payload: json.loads(payload)["meters"][0]["source_open"])
    assert port.write((CAPTURES / f"{name}.tic").read_bytes())
    ear.wait_for(f"linky/{meter}/reading/ack", lambda payload: json.loads(payload)["seq"] == number)
    ear.wait_for(f"linky/{meter}/papp")
    assert json.loads(home.wait_for(f"homeassistant/device/linky_{meter}/config"))["origin"]["name"] == "ticbridge"
    assert (bridge.stop(), store.stop()) == (0, 0)
    assert [line for line in (*bridge.said, *store.said) if "WARNING" in line or "ERROR" in line] == []
    for topic in (f"linky/{meter}/status", "linky/bridge/pi/status", store_status):
        ear.wait_for(topic, lambda payload: payload == "offline")
    for listening in (ear, home):
        listening.close()
    port.close()
    with sqlite3.connect(database) as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM storage_data")
    connection.close()
    assert rows == number


def test_a_program_of_the_wrong_role_is_told_so(guarded: Guarded, run: Run, tmp_path: Path) -> None:
    config = {
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        "meters": [{"source": "sim:base"}],
        "mqtt": {
            "host": "127.0.0.1", "port": guarded.port, "username": "reader",
            "password_file": str(guarded.password_file("reader")),
        },
    }  # fmt: skip
    bridge = run(config, "bridge")
    assert bridge.wait_for("refuses what we publish").endswith("(Not authorized): check its access list")
    assert bridge.stop() == 0
    assert [line for line in bridge.said if "Traceback" in line] == []


def test_the_shipped_configuration_goes_beside_debians_own(guarded: Guarded, broker: Broker, tmp_path: Path) -> None:
    """What /etc/mosquitto/mosquitto.conf of Debian says, and ours in its conf.d: neither says a thing twice."""
    broker.stop()
    shipped, _, ours = "\n".join(broker.options).partition("# Programs on this machine")
    assert "listener" not in shipped
    conf_d = tmp_path / "conf.d"
    conf_d.mkdir()
    kept = [line for line in ours.splitlines()[1:] if not line.startswith(("persistence_location", "user "))]
    (conf_d / "ticbridge.conf").write_text("\n".join(kept) + "\n")
    broker.options = [
        "user root", f"pid_file {tmp_path}/mosquitto.pid", "persistence true", f"persistence_location {tmp_path}/",
        f"log_dest file {tmp_path}/debian.log", f"include_dir {conf_d}",
    ]  # fmt: skip
    broker.start()
    client = Client(guarded.port, "reader")
    assert not client.may_write(f"linky/{METER}/sinsts")
    client.close()


# --- the how-to ----------------------------------------------------------------------------------

PAGES: Final = tuple(Path(__file__).parents[2] / "docs" / "how-to" / name for name in ("broker.md", "broker.fr.md"))


def commands(page: Path) -> list[str]:
    """The blocks of shell of a page, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return ["\n".join(line for line in block.splitlines() if not line.startswith("#")) for block in blocks]


def test_both_languages_give_the_same_commands() -> None:
    assert commands(PAGES[0]) == commands(PAGES[1])


def test_the_certificates_of_the_how_to_open_a_broker(broker: Broker, run: Run, tmp_path: Path) -> None:
    [block] = [block for block in commands(PAGES[0]) if "openssl" in block]
    need("openssl")
    folder = tmp_path / "made"
    folder.mkdir()
    subprocess.run(["sh", "-euc", block], cwd=folder, check=True, capture_output=True)
    broker.stop()
    broker.options = [f"cafile {folder}/ca.pem", f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key",
                      "require_certificate true", "allow_anonymous true", "user root"]  # fmt: skip
    broker.start()
    tls = {"ca": f"{folder}/ca.pem", "cert": f"{folder}/bridge.pem", "key": f"{folder}/bridge.key"}
    config = {
        "bridge": {"id": "pi", "state_dir": str(tmp_path / "state")},
        "meters": [{"source": "sim:base"}],
        "mqtt": {"host": "localhost", "port": broker.port, "tls": tls},
    }
    bridge = run(config, "bridge")
    bridge.wait_for("Connected to the broker")
    assert bridge.stop() == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_how_to_names_each_role_and_each_option_that_is_shipped(page: Path) -> None:
    text = page.read_text()
    assert [role for role in ROLES if f"| `{role}`" not in text] == []
    kept = [line for line in (SHIPPED / "ticbridge.conf").read_text().splitlines()
            if line.startswith(("max_", "persistence", "autosave"))]  # fmt: skip
    assert len(kept) == 5
    assert [line for line in kept if f"| `{line}` |" not in text] == []
