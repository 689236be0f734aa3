"""config.yaml and environment to settings; every mistake is one line with key, value and expectation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.config import (
    BridgeSettings,
    ConfigError,
    FieldRule,
    HomeAssistantSettings,
    LogSettings,
    MeterSettings,
    MqttSettings,
    PublishSettings,
    Section,
    Settings,
    TlsSettings,
    WebSettings,
    load,
)
from bridge.configfile import MAX_FILE, read_secret
from bridge.tic.catalogue import Mode
from bridge.topics import RESERVED

ROOT = Path(__file__).parents[2]

SECTIONS = "bridge, homeassistant, log, mail, meters, mqtt, publish, reading, spool, storage, usage, web, webhooks"
NO_PASSWORD = "no password may stand here; expected mqtt.password_file, the path of a file that only you can read"
CONTROL = "unacceptable character #x0007: special characters are not allowed"
DEFAULTS = {
    "meters": [{"source": "auto", "mode": "auto", "name": "Linky", "id": None, "timezone": "Europe/Paris"}],
    "mqtt": {
        "host": "localhost", "port": 1883, "username": None, "password_file": None, "password": None, "tls": None,
        "protocol": "auto", "base_topic": "linky", "keepalive": 30,
    },
    "publish": {
        "min_interval": 5.0, "heartbeat": 300.0, "jump": {"sinsts": 200.0}, "overrides": {}, "fields": "all",
        "personal": False, "retain": True, "qos": 0,
    },
    "reading": {"interval": 0.0},
    "spool": {"durability": "balanced", "max_frames": 600_000, "min_free_disk": 200_000_000, "release": "auto"},
    "homeassistant": {
        "enabled": True, "discovery_prefix": "homeassistant", "status_topic": "homeassistant/status", "language": "fr",
        "migrate_discovery": None, "overrides": {}, "url": None, "token_file": None, "token": None,
    },
    "web": {"listen": "127.0.0.1:8000", "hosts": [], "base_url": None, "proxies": [], "ingress": False},
    "usage": {"enabled": False, "log_data": False, "limit_only": False},
    "webhooks": {"enabled": False, "private": False, "keep": "7d"},
    "mail": {
        "host": None, "port": 587, "tls": "starttls", "username": None, "password_file": None, "password": None,
        "from": None,
    },
    "log": {"level": "info", "format": "text"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither systemd's directories nor the config.yaml of this checkout."""
    for name in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bridge.config.PLACES", (Path("config.yaml"),))


def settings(text: str = "", **environment: str) -> Settings:
    """The settings of a file and an environment."""
    path = Path("config.yaml")
    path.write_text(text, encoding="utf-8")
    return load(path, environment)


def mistake(text: str = "", **environment: str) -> str:
    """What is said about a wrong one."""
    with pytest.raises(ConfigError) as caught:
        settings(text, **environment)
    return str(caught.value)


# --- what is right -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "{}", "\n".join(f"{section}:" for section in Settings.model_fields)]
)
def test_what_is_left_out_has_its_default(text: str) -> None:
    told = settings(text).model_dump(by_alias=True)
    assert {key: value for key, value in told.items() if key not in ("bridge", "storage")} == DEFAULTS


def test_a_checkout_without_a_file_has_the_defaults() -> None:
    assert load(None, {}).model_dump() == settings().model_dump()


def test_the_file_beside_us_is_read() -> None:
    settings("mqtt: {host: broker}")
    assert load(None, {}).mqtt == MqttSettings(host="broker")


def test_every_option_can_be_given() -> None:
    given = settings("""
        bridge: {id: cave, state_dir: /var/lib/x}
        meters:
          - {source: /dev/ttyUSB0, mode: standard, name: Maison, id: "021861000001", timezone: Indian/Reunion}
          - {source: "sim:tempo", mode: historique}
        mqtt: {host: broker, port: 8883, protocol: 5, tls: {ca: ~/ca.pem}}
        publish:
          min_interval: 1
          jump: {irms1: 5}
          overrides: {sinsts: {min_interval: 0, jump: 50}, ltarf: {heartbeat: 60}}
          fields: [sinsts, east, tempo_today]
        homeassistant: {enabled: false, language: en, status_topic: ha/alive}
        web: {listen: "[::1]:80", hosts: [linky.local], base_url: https://linky.example.org/tic}
        log: {level: debug, format: json}
    """)
    assert (given.bridge.id, given.bridge.state_dir) == ("cave", Path("/var/lib/x"))
    assert given.meters == [
        MeterSettings(
            source="/dev/ttyUSB0", mode="standard", name="Maison", id="021861000001", timezone="Indian/Reunion"
        ),
        MeterSettings(source="sim:tempo", mode="historique"),
    ]
    assert [(meter.tic_mode, meter.zone) for meter in given.meters] == [
        (Mode.STANDARD, ZoneInfo("Indian/Reunion")),
        (Mode.HISTORIQUE, ZoneInfo("Europe/Paris")),
    ]
    assert given.mqtt == MqttSettings(
        host="broker", port=8883, protocol="5", tls=TlsSettings(ca=Path("~/ca.pem").expanduser())
    )
    assert given.publish == PublishSettings(
        min_interval=1,
        jump={"irms1": 5},
        overrides={"sinsts": FieldRule(min_interval=0, jump=50), "ltarf": FieldRule(heartbeat=60)},
        fields=["sinsts", "east", "tempo_today"],
    )
    assert given.homeassistant == HomeAssistantSettings(enabled=False, language="en", status_topic="ha/alive")
    assert given.web.address == ("::1", 80)
    assert given.log == LogSettings(level="debug", format="json")


def test_a_mode_of_auto_is_told_by_the_frames() -> None:
    assert MeterSettings().tic_mode is None


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::]:80", ("::", 80)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_to_listen_on_is_host_and_port(listen: str, address: tuple[str, int]) -> None:
    assert WebSettings(listen=listen).address == address


def test_as_a_service_state_and_database_live_where_systemd_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/ticbridge:/var/lib/other")
    given = settings()
    assert (given.bridge.state_dir, given.storage.database) == (
        Path("/var/lib/ticbridge"),
        "sqlite:////var/lib/ticbridge/db.sqlite3",
    )


def test_a_users_own_run_keeps_state_and_database_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    given = settings()
    assert (given.bridge.state_dir, given.storage.database) == (
        Path("/home/anna/.local/state/ticbridge"),
        "sqlite:////home/anna/.local/share/ticbridge/db.sqlite3",
    )


@pytest.mark.parametrize(
    ("host", "bridge"),
    [
        ("raspberrypi", "raspberrypi"),
        ("pi.home.lan", "pi"),
        ("caché-é", "cach---"),
        ("", "bridge"),
        ("x" * 90, "x" * 64),
    ],
)
def test_a_bridge_is_named_after_its_host(host: str, bridge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert settings().bridge.id == bridge


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings().mqtt.host = "other"  # type: ignore[misc]  # what the test is about


# --- the environment -----------------------------------------------------------------------------


def test_a_variable_overrides_the_file() -> None:
    given = settings(
        "mqtt: {host: file, port: 1}",
        TICBRIDGE_MQTT__HOST="broker",
        TICBRIDGE_MQTT__USERNAME="42",
        TICBRIDGE_MQTT__PASSWORD="0123",
        TICBRIDGE_PUBLISH__JUMP__SINSTS="50",
        TICBRIDGE_PUBLISH__FIELDS="[sinsts, east]",
        TICBRIDGE_HOMEASSISTANT__ENABLED="false",
        TICBRIDGE_CONFIG="/elsewhere",
        OTHER__VARIABLE="x",
    )
    assert given.mqtt.secret() == "0123"
    assert given.mqtt.model_copy(update={"password": None}) == MqttSettings(host="broker", port=1, username="42")
    assert given.publish == PublishSettings(jump={"sinsts": 50}, fields=["sinsts", "east"])
    assert given.homeassistant.enabled is False


def test_a_variable_reaches_a_meter_by_its_number() -> None:
    given = settings(
        "meters: [{source: a, name: One}]",
        TICBRIDGE_METERS__0__SOURCE="sim:tempo",
        TICBRIDGE_METERS__1__SOURCE="sim:base",
        TICBRIDGE_METERS__1__ID="0123",
    )
    assert given.meters == [
        MeterSettings(source="sim:tempo", name="One"),
        MeterSettings(source="sim:base", id="0123"),
    ]


def test_a_variable_makes_the_first_meter_where_the_file_has_none() -> None:
    assert settings("meters:", TICBRIDGE_METERS__0__SOURCE="sim:tempo").meters == [MeterSettings(source="sim:tempo")]


def test_an_empty_variable_is_the_default() -> None:
    assert settings("mqtt: {host: file}", TICBRIDGE_MQTT__HOST="").mqtt == MqttSettings()


@pytest.mark.parametrize(
    ("text", "variable", "value", "said"),
    [
        ("", "MQTT__PORT", "abc", "mqtt.port: 'abc' will not do; expected a whole number"),
        ("", "MQTT__PORT", "a: [", "mqtt.port: 'a: [' will not do; expected a whole number"),
        ("", "LOG__LEVLE", "info", "log.levle: no such key; expected one of format, level"),
        ("", "LOGS__LEVEL", "info", f"logs: no such key; expected one of {SECTIONS}"),
        ("meters: [{}]", "METERS__3__ID", "x", "no such entry; expected the number of a meter, from 0"),
        ("meters: [{}]", "METERS__FIRST__ID", "x", "no such entry; expected the number of a meter, from 0"),
        ("mqtt: {host: x}", "MQTT__HOST__NAME", "x", "no such key; expected a key of config.yaml"),
        ("mqtt: {host: x}", "MQTT__HOST__FIRST__NAME", "x", "no such key; expected a key of config.yaml"),
    ],
)
def test_a_wrong_variable_is_named(text: str, variable: str, value: str, said: str) -> None:
    assert mistake(text, **{f"TICBRIDGE_{variable}": value}) == f"TICBRIDGE_{variable}: {said}"


def test_a_mistake_of_the_file_is_not_laid_to_a_variable() -> None:
    said = mistake("mqtt: {port: 0}", TICBRIDGE_MQTT__HOST="x")
    assert said == "config.yaml: mqtt.port: 0 will not do; expected 1 or more"


# --- secrets -------------------------------------------------------------------------------------


def secret_file(text: str | bytes, mode: int = 0o600) -> Path:
    path = Path("secret").absolute()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_a_password_comes_from_a_file_that_only_its_owner_reads() -> None:
    assert settings(f"mqtt: {{password_file: {secret_file('s3cret')}}}").mqtt.secret() == "s3cret"


def test_without_a_password_there_is_none() -> None:
    assert settings().mqtt.secret() is None


def test_the_variable_wins_over_the_file() -> None:
    given = settings(f"mqtt: {{password_file: {secret_file('file')}}}", TICBRIDGE_MQTT__PASSWORD="variable")
    assert given.mqtt.secret() == "variable"


def test_systemd_may_hand_the_password_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path.cwd()))
    assert settings().mqtt.secret() is None
    secret_file("s3cret", 0o440).rename("mqtt-password")  # as systemd makes them
    assert settings().mqtt.secret() == "s3cret"


def test_a_file_beside_systemds_credentials_is_still_its_owners_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("credentials").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path("credentials").absolute()))
    path = secret_file("x", 0o644)
    for given in (path, Path("credentials/../secret").absolute()):
        with pytest.raises(ConfigError) as caught:
            read_secret(given, "mqtt.password_file")
        said = f"mqtt.password_file: {given} can be read by others; expected mode 0600 (chmod 600 {given})"
        assert str(caught.value) == said
    assert read_secret(path.rename("credentials/password"), "mqtt.password_file") == "x"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: secret_file("x", 0o644), "can be read by others; expected mode 0600 (chmod 600 {path})"),
        (lambda: secret_file("x", 0o640), "can be read by others; expected mode 0600 (chmod 600 {path})"),
        (lambda: secret_file(""), "is empty; expected a file that holds the secret"),
        (lambda: secret_file(b"\xff"), "is not text in UTF-8; expected a file that holds the secret"),
        (
            lambda: Path("nowhere").absolute(),
            "cannot be read (No such file or directory); expected a file that holds the secret",
        ),
        (Path.cwd, "cannot be read (Is a directory); expected a file that holds the secret"),
    ],
)
def test_a_secret_that_is_no_secret_is_refused(make: Any, said: str) -> None:
    path = make()
    with pytest.raises(ConfigError) as caught:
        read_secret(path, "mqtt.password_file")
    assert str(caught.value) == f"mqtt.password_file: {path} {said.format(path=path)}"


def test_no_message_shows_a_password() -> None:
    said = [
        mistake("mqtt: {password: hunter2}"),
        mistake("mqtt: {password: [hunter2]}"),
        mistake("mqtt: {password_file: [hunter2]}"),
        mistake("", TICBRIDGE_MQTT__PASSWORD__X="hunter2"),
    ]
    assert said == [
        f"config.yaml: mqtt.password: {NO_PASSWORD}",
        f"config.yaml: mqtt.password: {NO_PASSWORD}",
        "config.yaml: mqtt.password_file: (hidden) will not do; expected a path",
        "TICBRIDGE_MQTT__PASSWORD__X: mqtt.password: (hidden) will not do; expected text",
    ]
    assert "hunter2" not in repr(settings("", TICBRIDGE_MQTT__PASSWORD="hunter2"))


# --- values that cannot be -----------------------------------------------------------------------

ANOTHER_NAME = "expected another name: bridge and store are topics of our own"
A_PATTERN = "expected a discovery topic such as homeassistant/sensor/teleinfo/{meter}_{label}/config"
CANONICAL = "expected the canonical name, sinsts"
A_FIELD = "expected a field of `ticbridge labels`"
EAST = "homeassistant.overrides.east"
AN_ICON = "expected an icon such as mdi:flash"
A_CLASS = "expected a device class of Home Assistant, such as current"
A_BRIDGES_NAME = "expected another name: bridge_ begins those of bridges in Home Assistant"
A_TOPIC = "expected a topic without + and #"
A_ZONE = "expected a time zone such as Europe/Paris"
A_URL = "expected an address such as https://linky.example.org"
A_LEVEL = "expected letters, digits, - and _ only, at most 64"
AN_ADDRESS = "expected host:port, such as 127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mqtt: 5", "mqtt: 5 will not do; expected keys and values below it"),
        ("mqtt: {base_topic: a/b}", f"mqtt.base_topic: 'a/b' will not do; {A_LEVEL}"),
        ("mqtt: {protocol: 4}", "mqtt.protocol: '4' will not do; expected 'auto', '5' or '3.1.1'"),
        ("meters: [{id: a b}]", f"meters.0.id: 'a b' will not do; {A_LEVEL}"),
        # YAML reads these digits as an octal number
        ("meters: [{id: 021061340437}]", "meters.0.id: 2294661407 will not do; expected text: put it between quotes"),
        ("bridge: {id: 7}", "bridge.id: 7 will not do; expected text: put it between quotes"),
        ("meters: [{id: store}]", f"meters.0.id: 'store' will not do; {ANOTHER_NAME}"),
        ("meters: [{source: a}, {source: a}]",
         "meters: [{'source': 'a'}, {'source': 'a'}] will not do; expected each source once; 'a' stands twice"),
        ("meters: [{source: a, id: x}, {source: b, id: x}]",
         ("meters: [{'source': 'a', 'id': 'x'}, {'source': 'b', 'id': 'x'}] will not do; expected each id once; "
         "'x' stands twice")),
        ("homeassistant: {migrate_discovery: teleinfo}",
         f"homeassistant.migrate_discovery: 'teleinfo' will not do; {A_PATTERN}"),
        ("homeassistant: {overrides: {papp: null}}", f"homeassistant.overrides.papp: 'papp' will not do; {CANONICAL}"),
        ("homeassistant: {overrides: {watts: null}}", f"homeassistant.overrides.watts: 'watts' will not do; {A_FIELD}"),
        ("homeassistant: {overrides: {east: {icon: bolt}}}", f"{EAST}.icon: 'bolt' will not do; {AN_ICON}"),
        ("homeassistant: {overrides: {east: {name: ''}}}",
         f"{EAST}.name: '' will not do; expected at least 1 character"),
        ("homeassistant: {overrides: {east: {device_class: W/h}}}",
         f"{EAST}.device_class: 'W/h' will not do; {A_CLASS}"),
        ("homeassistant: {overrides: {east: {enabled: maybe}}}",
         f"{EAST}.enabled: 'maybe' will not do; expected true or false"),
        ("homeassistant: {overrides: {east: {unit: kWh}}}",
         f"{EAST}.unit: no such key; expected one of device_class, enabled, icon, name"),
        ("meters: [{id: bridge_pi}]", f"meters.0.id: 'bridge_pi' will not do; {A_BRIDGES_NAME}"),
        ("meters: [{timezone: Mars}]", f"meters.0.timezone: 'Mars' will not do; {A_ZONE}"),
        ("publish: {jump: {papp: 9}}", "publish.jump.papp: 'papp' will not do; expected the canonical name, sinsts"),
        ("publish: {jump: {x: 9}}", "publish.jump.x: 'x' will not do; expected a field of `ticbridge labels`"),
        ("publish: {fields: some}", "publish.fields: 'some' will not do; expected all, or a list of fields"),
        ("homeassistant: {status_topic: a/+}", f"homeassistant.status_topic: 'a/+' will not do; {A_TOPIC}"),
        ("web: {listen: '8000'}", f"web.listen: '8000' will not do; {AN_ADDRESS}"),
        ("web: {listen: 'localhost:99999'}", f"web.listen: 'localhost:99999' will not do; {AN_ADDRESS}"),
        ("web: {base_url: localhost}", f"web.base_url: 'localhost' will not do; {A_URL}"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_told_with_what_can(text: str, said: str) -> None:
    assert mistake(text) == f"config.yaml: {said}"


# --- files that are none --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "config.yaml: a list at the top; expected sections such as `mqtt:`"),
        ("mqtt", "config.yaml: 'mqtt' at the top; expected sections such as `mqtt:`"),
        (
            "mqtt:\n\thost: x",
            "config.yaml, line 2: not YAML (found character '\\t' that cannot start any token); expected `key: value`",
        ),
        (
            "mqtt: {host: x",
            "config.yaml, line 1: not YAML (expected ',' or '}', but got '<stream end>'); expected `key: value`",
        ),
        ("{[1]: 2}", "config.yaml, line 1: not YAML (found unhashable key); expected `key: value`"),
        (
            "mqtt: \x07",
            f"config.yaml: not YAML ({CONTROL}); expected `key: value`",
        ),
        ("[" * 1000, "config.yaml: nested too deeply; expected sections such as `mqtt:`"),
        ("# " + "x" * MAX_FILE, f"config.yaml: larger than {MAX_FILE} bytes; expected a configuration file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_configuration_says_why(text: str, said: str) -> None:
    assert mistake(text) == said


def test_a_file_that_is_not_text_says_so() -> None:
    Path("config.yaml").write_bytes(b"mqtt: \xff")
    with pytest.raises(ConfigError) as caught:
        load(Path("config.yaml"), {})
    assert str(caught.value) == "config.yaml: not text in UTF-8; expected a configuration file"


@pytest.mark.parametrize(("path", "why"), [("nowhere.yaml", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_says_so(path: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path(path), {})
    assert str(caught.value) == f"{path}: cannot be read ({why}); expected a configuration file"


# --- names that become levels of topics ----------------------------------------------------------

# option -> the model and field that keep it
LEVELS: dict[str, tuple[str, Callable[[str], Section]]] = {
    "mqtt: {{base_topic: {}}}": ("mqtt.base_topic", lambda name: MqttSettings(base_topic=name)),
    "bridge: {{id: {}}}": ("bridge.id", lambda name: BridgeSettings(id=name)),
    "meters: [{{id: {}}}]": ("meters.0.id", lambda name: MeterSettings(id=name)),
    "homeassistant: {{discovery_prefix: {}}}": (
        "homeassistant.discovery_prefix",
        lambda name: HomeAssistantSettings(discovery_prefix=name),
    ),
}
NO_LEVELS = ("", "a/b", "/", "+", "#", "a+", "$SYS", "a b", " a", "a.b", "cavé", "x" * 65, "a\n", "a\x00", "\u0661")


@pytest.mark.parametrize("option", LEVELS)
@pytest.mark.parametrize("name", NO_LEVELS)
def test_a_name_that_is_no_level_of_a_topic_is_refused(option: str, name: str) -> None:
    key, _ = LEVELS[option]
    assert mistake(option.format(json.dumps(name))) == f"config.yaml: {key}: {name!r:.80} will not do; {A_LEVEL}"


@pytest.mark.parametrize("option", LEVELS)
@pytest.mark.parametrize("name", ["a", "Cave-2_b", "021861000001", "x" * 64])
def test_a_name_that_is_a_level_is_taken(option: str, name: str) -> None:
    assert settings(option.format(json.dumps(name)))


@hypothesis.given(
    st.sampled_from(sorted(LEVELS)), st.text(max_size=66) | st.from_regex(r"[A-Za-z0-9_-]{0,66}\n?", fullmatch=True)
)
def test_a_name_is_taken_just_when_it_is_a_level(option: str, name: str) -> None:
    hypothesis.assume(option != "meters: [{{id: {}}}]" or not (name in RESERVED or name.startswith("bridge_")))
    _, make = LEVELS[option]
    if re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        assert make(name)
    else:
        with pytest.raises(ValidationError):
            make(name)


def test_a_variable_is_no_way_around() -> None:
    assert mistake(TICBRIDGE_MQTT__BASE_TOPIC="linky/#") == (
        f"TICBRIDGE_MQTT__BASE_TOPIC: mqtt.base_topic: 'linky/#' will not do; {A_LEVEL}"
    )


@pytest.mark.parametrize(
    ("given", "age"),
    [("7d", 7), ("4w", 28), ("6m", 180), ("2y", 730), ("forever", None)],
)
def test_how_long_readings_are_kept(given: str, age: int | None) -> None:
    keep = settings(f"storage: {{keep: {{raw: {given}, minute: {given}}}}}").storage.keep
    assert keep.raw_age == keep.minute_age == (timedelta(days=age) if age else None)


@pytest.mark.parametrize("given", ["7", "0d", "7 days", "-1d", "12345d"])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    assert "storage.keep.raw" in mistake(f'storage: {{keep: {{raw: "{given}"}}}}')


@pytest.mark.parametrize(
    ("yaml", "key"),
    [
        ("mqtt: {password: hunter2}", "mqtt.password"),
        ("mail: {password: hunter2}", "mail.password"),
        ("storage: {password: hunter2}", "storage.password"),
        ("storage: {database: 'postgresql://bob:hunter2@db/linky'}", "storage.database"),
        ("homeassistant: {token: hunter2}", "homeassistant.token"),
    ],
)
def test_no_password_may_stand_in_the_file(yaml: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    section = key.partition(".")[0]
    word = "token" if section == "homeassistant" else "password"
    assert str(caught.value) == (
        f"{path}: {key}: no {word} may stand here; expected {section}.{word}_file, "
        "the path of a file that only you can read"
    )


def test_the_environment_may_hold_an_address_with_its_password(tmp_path: Path) -> None:
    url = "postgresql://bob:hunter2@db/linky"
    path = tmp_path / "config.yaml"
    path.write_text("storage: {database: 'postgresql://bob@db/linky'}")
    assert load(path, {"TICBRIDGE_STORAGE__DATABASE": url}).storage.database == url


def test_the_databases_password_is_read_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    path = tmp_path / "config.yaml"
    path.write_text(f"storage: {{password_file: {secret}}}")
    assert load(path, {}).storage.secret() == "hunter2"
    assert load(path, {"TICBRIDGE_STORAGE__PASSWORD": "0123"}).storage.secret() == "0123"
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match=r"^storage\.password_file: .* can be read by others"):
        load(path, {}).storage.secret()


# --- mail ----------------------------------------------------------------------------------------


def test_mail_comes_from_an_address() -> None:
    given = settings("mail: {host: smtp.example.org, username: me@example.org}").mail
    assert (given.port, given.tls, given.sender) == (587, "starttls", "me@example.org")
    assert settings("mail: {host: smtp.example.org, from: linky@example.org}").mail.sender == "linky@example.org"
    assert settings("", TICBRIDGE_MAIL__FROM="linky@example.org").mail.sender == "linky@example.org"
    assert mistake("mail: {host: smtp.example.org, username: me}", TICBRIDGE_MAIL__PASSWORD="hunter2") == (
        "config.yaml: mail.from: None will not do; expected the address that messages come from, since there is a "
        "mail.host"
    )
    assert mistake("mail: {from: me}") == (
        "config.yaml: mail.from: 'me' will not do; expected an e-mail address such as linky@example.org"
    )
    assert mistake("mail: {form: me@example.org}") == (
        "config.yaml: mail.form: no such key; expected one of from, host, password_file, port, tls, username"
    )


def test_home_assistants_token_is_read_from_its_file_or_the_environment() -> None:
    given = f"homeassistant: {{url: 'http://ha:8123', token_file: {secret_file('s3cret')}}}"
    assert settings(given).homeassistant.secret() == "s3cret"
    assert settings(given, TICBRIDGE_HOMEASSISTANT__TOKEN="0123").homeassistant.secret() == "0123"
    assert mistake("homeassistant: {token_file: [hunter2]}") == (
        "config.yaml: homeassistant.token_file: (hidden) will not do; expected a path"
    )
    assert "token," not in mistake("homeassistant: {x: 1}"), "no key of the file"


def test_the_mail_servers_password_is_read_from_its_file() -> None:
    assert settings(f"mail: {{password_file: {secret_file('s3cret')}}}").mail.secret() == "s3cret"


def test_in_a_folder_that_one_may_not_enter_the_services_configuration_is_found(tmp_path: Path) -> None:
    """`sudo -u ticbridge ticbridge ...`, typed in the owner's home."""
    code = f"""
import os
from pathlib import Path
from ticbridge.__main__ import open_rooms; open_rooms()
from bridge import config
os.chdir({str(tmp_path)!r})
os.chmod(".", 0)
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
config.PLACES = (config.PLACES[0], Path("/etc/passwd"))
print(config.standing())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    tmp_path.chmod(0o700)
    assert (done.stdout, done.stderr) == ("/etc/passwd\n", "")
