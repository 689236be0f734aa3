"""`ticbridge check` against a real mosquitto: what it refuses, with a word or without; and runs beside a bridge."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from bridge.config import HomeAssistantSettings, MqttSettings, Settings, TlsSettings
from bridge.outlets import PseudoTerminal, frames, send
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from tests.broker.certificates import Authority
from tests.broker.conftest import Broker, Ear, Run, free_port
from tests.needs import need
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.runs import PATIENT, finding_of
from ticbridge.commands.check import broker as check_broker
from ticbridge.commands.check import rights
from ticbridge.commands.check.finding import Finding
from ticbridge.commands.check.machine import Machine
from ticbridge.commands.check.scene import Scene

pytestmark = pytest.mark.broker


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.close()


def scene(scenes: list[Scene], port: int, *, host: str = "127.0.0.1", enabled: bool = True, **mqtt: Any) -> Scene:
    settings = Settings(
        mqtt=MqttSettings(host=host, port=port, **mqtt), homeassistant=HomeAssistantSettings(enabled=enabled)
    )
    scenes.append(Scene(settings))
    return scenes[-1]


def of_broker(scene: Scene) -> Finding:
    """What is found about the connection."""
    return check_broker.judge(scene.visit.where, scene.visit.trouble)


# --- getting in ----------------------------------------------------------------------------------


def test_a_broker_that_lets_us_in(broker: Broker, scenes: list[Scene]) -> None:
    here = scene(scenes, broker.port)
    assert of_broker(here).case is check_broker.ANSWERS
    assert [finding.case for finding in rights.look(here)] == [rights.FULL]


def test_a_broker_that_is_not_running(scenes: list[Scene]) -> None:
    here = scene(scenes, free_port())
    assert provoked("for real", "nobody listens on mqtt.port", of_broker(here)) == "broker-refused"
    assert [finding.case for finding in rights.look(here)] == [rights.UNLOOKED]


def test_a_name_that_is_none(scenes: list[Scene]) -> None:
    finding = of_broker(scene(scenes, 1883, host="broker..invalid"))
    assert provoked("for real", "mqtt.host: broker..invalid", finding) == "broker-unknown"


def test_a_broker_that_never_answers(scenes: list[Scene]) -> None:
    """A queue of connections that is full: what more comes is dropped, as a firewall does."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", free_port()))
        deaf.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        finding = of_broker(scene(scenes, deaf.getsockname()[1]))
    assert provoked("for real", "a server whose queue of connections is full", finding) == "broker-silent"


def test_something_else_on_the_port(scenes: list[Scene]) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        finding = of_broker(scene(scenes, server.getsockname()[1]))
        server.shutdown(socket.SHUT_RDWR)
        thread.join(20)
    assert provoked("for real", "a server that ends each connection", finding) == "broker-mute"


def test_no_way_to_the_broker(scenes: list[Scene]) -> None:
    finding = of_broker(scene(scenes, 1883, host="255.255.255.255"))
    assert provoked("for real", "mqtt.host: 255.255.255.255, which is no machine", finding) == "broker-unreachable"


def test_a_certificate_of_another_authority(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    broker.stop()
    house, other = Authority(tmp_path, "house"), Authority(tmp_path, "other")
    shown = house.sign("broker")
    broker.options += [f"cafile {house.ca}", f"certfile {shown.cert}", f"keyfile {shown.key}", "user root"]
    broker.start()
    finding = of_broker(scene(scenes, broker.port, tls=TlsSettings(ca=other.ca)))
    assert provoked("for real", "mqtt.tls.ca of another authority than the broker's", finding) == "broker-tls"


def test_a_certificate_that_is_not_there(scenes: list[Scene], tmp_path: Path) -> None:
    finding = of_broker(scene(scenes, 8883, tls=TlsSettings(ca=tmp_path / "ca.pem")))
    assert provoked("for real", "mqtt.tls.ca names a file that is not there", finding) == "broker-ours"


# --- what one may ------------------------------------------------------------------------------


class Guarded:
    """A broker with an access list and one user, `us`."""

    def __init__(self, broker: Broker, folder: Path, *rules: str) -> None:
        broker.stop()
        users = folder / "users"
        subprocess.run(
            [need("mosquitto_passwd"), "-b", "-c", str(users), "us", "secret"], check=True, capture_output=True
        )
        (folder / "rules").write_text("\n".join(["user us", *rules, ""]))
        broker.options = ["allow_anonymous false", f"password_file {users}", f"acl_file {folder}/rules", "user root"]
        broker.start()
        self.port = broker.port

    def judged(self, scenes: list[Scene], **mqtt: Any) -> Finding:
        [finding] = rights.look(scene(scenes, self.port, username="us", password="secret", **mqtt))
        return finding


def test_a_login_that_is_refused(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    guarded = Guarded(broker, tmp_path, "topic readwrite #")
    finding = of_broker(scene(scenes, guarded.port, username="us", password="wrong"))
    assert provoked("for real", "a wrong password", finding) == "broker-login"
    assert of_broker(scene(scenes, guarded.port)).case is check_broker.LOGIN


def test_publishing_is_refused(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    finding = Guarded(broker, tmp_path, "topic read #").judged(scenes)
    assert provoked("for real", "mosquitto's acl_file: topic read #", finding) == "rights-no-writing"


def test_publishing_and_reading_are_refused_without_a_word(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    """MQTT 3.1.1 has no word for it: the broker acknowledges, and drops."""
    guarded = Guarded(broker, tmp_path, "topic read nothing/of/ours")
    finding = guarded.judged(scenes, protocol="3.1.1")
    assert provoked("for real", "mosquitto's acl_file forbids all of ours, MQTT 3.1.1", finding) == "rights-no-reading"


def test_reading_is_refused_without_a_word(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    finding = Guarded(broker, tmp_path, "topic write #").judged(scenes)
    assert provoked("for real", "mosquitto's acl_file: topic write #", finding) == "rights-no-reading"


def test_discovery_is_refused(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    guarded = Guarded(broker, tmp_path, "topic readwrite linky/#")
    done = "mosquitto's acl_file: topic readwrite linky/#, and nothing of homeassistant/"
    assert provoked("for real", done, guarded.judged(scenes)) == "rights-no-discovery"
    assert guarded.judged(scenes, base_topic="linky").case is rights.NO_DISCOVERY
    [without] = rights.look(scene(scenes, guarded.port, username="us", password="secret", enabled=False))
    assert without.case is rights.FULL


def test_the_stores_own_login(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    rules = ("topic write linky/+/reading/ack", "topic read linky/+/reading", "topic readwrite linky/store/+/status")
    finding = Guarded(broker, tmp_path, *rules).judged(scenes)
    assert provoked("for real", "the lines of the user store in mosquitto's acl_file", finding) == "rights-store-only"


def test_the_bridges_login_as_it_is_shipped(broker: Broker, scenes: list[Scene], tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "deploy" / "mosquitto" / "ticbridge.acl").read_text()
    rules = shipped.partition("user bridge\n")[2].partition("\n\n")[0].splitlines()
    guarded = Guarded(broker, tmp_path, *rules)
    assert [guarded.judged(scenes, protocol=version).case for version in ("5", "3.1.1")] == [
        rights.FULL,
        rights.UNPROVEN,
    ]
    [finding] = rights.look(scene(scenes, guarded.port, username="us", password="secret", enabled=False))
    done = "the lines of the user bridge, with homeassistant.enabled: false and nobody else there"
    assert provoked("for real", done, finding) == "rights-unproven"


# --- what it keeps -------------------------------------------------------------------------------


def test_a_broker_that_keeps_little(broker: Broker) -> None:
    broker.stop()
    broker.options += ["max_queued_messages 500"]
    broker.start()
    [finding] = check_broker.judge_queue(Machine(), broker.port)
    assert provoked("for real", "a mosquitto started with max_queued_messages 500", finding) == "broker-queue"
    broker.stop()
    broker.options += ["max_queued_messages 100000"]
    broker.start()
    assert list(check_broker.judge_queue(Machine(), broker.port)) == []


def test_what_debians_folder_includes_counts(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "mosquitto"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "mosquitto.conf").write_text("# Debian's\npersistence true\ninclude_dir /etc/mosquitto/conf.d\n")
    machine = Machine(tmp_path)
    [finding] = check_broker.judge_queue(machine, 1883)
    done = "Debian's mosquitto.conf with an empty conf.d"
    assert provoked("stand-in", done, finding) == "broker-queue"
    (folder / "conf.d" / "a.conf").write_text("listener 1884\nmax_queued_messages 20000\n")
    assert [list(check_broker.judge_queue(machine, port)) for port in (1883, 1884)] == [[], []]
    (folder / "conf.d" / "b.conf").write_text("max_queued_messages 2000\n")
    [finding] = check_broker.judge_queue(machine, 1884)
    assert (finding.facts["kept"], finding.facts["file"]) == (2000, "/etc/mosquitto/conf.d/b.conf")


# --- whole runs ----------------------------------------------------------------------------------

_METER: Final = Plan(mode=Mode.STANDARD).meter_id


class House:
    """A meter on a pseudo-terminal, a bridge and a store that run, and checks beside them."""

    def __init__(self, broker: Broker, run: Run, folder: Path) -> None:
        self._run = run
        self.port = PseudoTerminal()
        self.stopping = threading.Event()
        self._meter = threading.Thread(
            target=send, args=(self.port, frames(Plan(mode=Mode.STANDARD)), 1.0, self.stopping), daemon=True
        )
        self.config: dict[str, Any] = {
            "bridge": {"id": "pi", "state_dir": str(folder / "state")},
            "meters": [{"source": self.port.name, "mode": "standard"}],
            "mqtt": {"host": "127.0.0.1", "port": broker.port},
            "homeassistant": {"language": "en"},
            "storage": {"database": f"sqlite:///{folder / 'db.sqlite3'}", "batch": {"rows": 5, "seconds": 0.2}},
        }

    def start(self, *programs: str) -> None:
        for program in programs:
            self._run(self.config, program)
        self._meter.start()

    def check(self) -> dict[str, dict[str, str]]:
        """case -> what is said of it."""
        text, _ = self._run(self.config, "check", "--json", *PATIENT)._process.communicate(timeout=120)
        return {item["case"]: item for item in json.loads(text)}

    def stop(self) -> None:
        self.stopping.set()
        self._meter.join(20)
        self.port.close()


@pytest.fixture
def house(broker: Broker, run: Run, tmp_path: Path) -> Iterator[House]:
    made = House(broker, run, tmp_path)
    yield made
    made.stop()


@pytest.mark.slow
def test_a_check_beside_running_services_finds_them_well_and_leaves_nothing(
    house: House, ear: Ear, tmp_path: Path
) -> None:
    house.start("store", "bridge")
    ear.wait_for(f"linky/{_METER}/reading/ack")
    ear.wait_for("linky/bridge/pi/info", lambda text: json.loads(text)["meters"][0]["online"])
    ear.say("homeassistant/status", "online")
    before = {topic for topic in ear.last() if "check" in topic}
    state = sorted(path.name for path in (tmp_path / "state").iterdir())
    found = house.check()
    assert {case for case, item in found.items() if item["state"] == "failed"} == set()
    assert {"port-ours", "line-bridge-good", "broker-answers", "rights-full", "database-fresh", "ha-told"} <= set(found)
    assert found["line-bridge-good"]["sentence"].endswith("100 % of its groups are good")
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == state
    late = Ear(int(house.config["mqtt"]["port"]))
    late.wait_for("linky/bridge/pi/status")
    assert {topic for topic in late.last() if "check" in topic} == before == set()
    late.close()
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as connection:
        [(dead,)] = connection.execute("SELECT count(*) FROM storage_deadletter")
    assert dead == 0


@pytest.mark.slow
def test_without_a_store_and_without_home_assistant(house: House, ear: Ear) -> None:
    house.start("bridge")
    ear.wait_for("linky/bridge/pi/info", lambda text: json.loads(text)["meters"][0]["online"])
    ear.say(f"homeassistant/device/linky_{_METER}/config", "")
    found = house.check()
    away = found["store-away"]
    assert (away["part"], away["state"]) == ("database", "warning")
    for case, done in (
        ("store-away", "a bridge that runs, and no store"),
        ("ha-no-birth", "a bridge that runs, and no Home Assistant"),
        ("ha-not-told", "the meter's discovery is deleted from the broker"),
        ("database-none-yet", "no store ever ran"),
    ):
        assert provoked("for real", done, finding_of(found[case])) == case


@pytest.mark.slow
def test_a_first_check_finds_the_meter_by_itself(house: House, template: Path, tmp_path: Path) -> None:
    """Before anything ran: it opens the port, and makes nothing."""
    house.start()
    found = house.check()
    assert found["line-good"]["sentence"].startswith(f"{house.port.name} speaks standard at 9600 baud")
    assert found["clock-as-meter"]["state"] == "ok"
    assert found["ha-not-run"]["state"] == "skipped"
    assert [path.name for path in tmp_path.iterdir() if path.name in ("state", "db.sqlite3")] == []
    shutil.copy(template, tmp_path / "db.sqlite3")
    assert house.check()["database-empty"]["state"] == "warning"
