"""config.yaml and environment to one frozen `Settings`.

Unknown keys are refused. `TICBRIDGE_MQTT__HOST=broker` overrides `mqtt.host`; `TICBRIDGE_METERS__0__SOURCE` the
first meter's source. Secrets come from a file, the environment or a systemd credential, never from config.yaml.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from bridge.mistakes import sentences
from bridge.tic.catalogue import BY_LABEL, BY_SLUG, Mode
from bridge.topics import ENTITIES, RESERVED, is_level

PREFIX: Final = "TICBRIDGE_"
PLACES: Final = (Path("config.yaml"), Path("/etc/ticbridge/config.yaml"))
CONFIG_VARIABLE: Final = "TICBRIDGE_CONFIG"  # the path itself, handed to processes that we start
MAX_FILE: Final = 1024 * 1024


class ConfigError(Exception):
    """The configuration is wrong; the text names key, value and expectation. Exit code 78."""


def _level(text: str) -> str:
    if not is_level(text):
        raise ValueError("expected letters, digits, - and _ only, at most 64")
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("expected a time zone such as Europe/Paris")
    return text


def _path(value: Any) -> Any:  # whatever YAML gave; pydantic checks what comes back
    return Path(value).expanduser() if isinstance(value, str) else value


def _quoted(value: Any) -> Any:  # as above
    if isinstance(value, int) and not isinstance(value, bool):
        # YAML reads 021861000001 as a number, in some versions even as an octal one.
        raise ValueError("expected text: put it between quotes")
    return value


_UNITS: Final = {"d": 1, "w": 7, "m": 30, "y": 365}
_AGE: Final = re.compile(r"([1-9][0-9]{0,3})([dwmy])|forever")


def _age(text: str) -> str:
    if not _AGE.fullmatch(text):
        raise ValueError("expected a time such as 7d, 4w, 6m, 2y, or forever")
    return text


def _age_of(text: str) -> timedelta | None:
    found = _AGE.fullmatch(text)
    return timedelta(days=int(found[1]) * _UNITS[found[2]]) if found and found[1] else None


Age = Annotated[str, AfterValidator(_age)]
Level = Annotated[str, BeforeValidator(_quoted), AfterValidator(_level)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


def _meter_name(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"expected another name: {' and '.join(RESERVED)} are topics of our own")
    if text.startswith("bridge_"):
        raise ValueError("expected another name: bridge_ begins those of bridges in Home Assistant")
    return text


def _spelled(value: Any) -> Any:  # as above
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _topic(text: str) -> str:
    if not text or len(text) > 200 or set(text) & set("+#\x00"):
        raise ValueError("expected a topic without + and #")
    return text


def _listen(text: str) -> str:
    found = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})", text)
    if not found or int(found[2]) > 65535:  # 0: any port that is free
        raise ValueError("expected host:port, such as 127.0.0.1:8000")
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("expected an address or a network, such as 127.0.0.1 or 172.17.0.0/16") from None


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", text):
        raise ValueError("expected an address such as https://linky.example.org")
    return text


def _all_or_list(value: Any) -> Any:  # as above
    if value != "all" and not isinstance(value, list):
        raise ValueError("expected all, or a list of fields")
    return value


def _canonical(slug: str) -> str:
    if slug not in BY_SLUG:
        raise ValueError("expected a field of `ticbridge labels`")
    if BY_SLUG[slug].same_as:
        raise ValueError(f"expected the canonical name, {BY_SLUG[slug].same_as}")
    return slug


_SPELLED: Final = re.compile(r"[!-`{-~]{1,16}")  # as a meter spells its labels: no blank, no small letter


def _kept(name: str) -> str:
    """A field of ours, or a label that the catalogue does not know."""
    if any(name in labels for labels in BY_LABEL.values()):
        raise ValueError("expected its name in `ticbridge labels`, in small letters")
    if name not in BY_SLUG and _SPELLED.fullmatch(name):
        return name
    return _canonical(name)


def _entity(key: str) -> str:
    return key if key in ENTITIES else _canonical(key)


def _pattern(text: str) -> str:
    if "{label}" not in text or not text.endswith("/config") or set(text) & set("+#"):
        raise ValueError("expected a discovery topic such as homeassistant/sensor/teleinfo/{meter}_{label}/config")
    return text


def _icon(text: str) -> str:
    if not re.fullmatch(r"mdi:[a-z0-9-]+", text):
        raise ValueError("expected an icon such as mdi:flash")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[a-z_]{1,32}", text):
        raise ValueError("expected a device class of Home Assistant, such as current")
    return text


Slug = Annotated[str, AfterValidator(_canonical)]
Kept = Annotated[str, AfterValidator(_kept)]
EntityKey = Annotated[str, AfterValidator(_entity)]


def _host_name() -> str:
    name = "".join(c if is_level(c) else "-" for c in socket.gethostname().partition(".")[0])[:64]
    return name or "bridge"


def _state_default(fallback: str) -> Path:
    """As a service systemd names the state directory; else the user's own."""
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given.partition(":")[0]) if given else Path(fallback).expanduser()


def _own_state() -> Path:
    return _state_default("~/.local/state/ticbridge")


def _database_default() -> str:
    return f"sqlite:///{_state_default('~/.local/share/ticbridge') / 'db.sqlite3'}"


class Section(BaseModel):
    """A part of config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, tree: Any) -> Any:  # as above
        """`mqtt:` with every key commented out reads as None."""
        if not isinstance(tree, dict):
            return tree
        return {key: value for key, value in tree.items() if value is not None or key not in cls.model_fields}


class BridgeSettings(Section):
    """`bridge:`"""

    id: Level = Field(default_factory=_host_name)
    state_dir: FilePath = Field(default_factory=_own_state)


class MeterSettings(Section):
    """One entry of `meters:`"""

    source: str = "auto"
    mode: Literal["auto", "historique", "standard"] = "auto"
    name: Annotated[str, Field(min_length=1, max_length=64)] = "Linky"
    id: Annotated[Level, AfterValidator(_meter_name)] | None = None
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/Paris"

    @property
    def tic_mode(self) -> Mode | None:
        """The configured mode; None is auto."""
        return None if self.mode == "auto" else Mode(self.mode)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the meter's clock follows."""
        return ZoneInfo(self.timezone)


class TlsSettings(Section):
    """`mqtt.tls:`"""

    ca: FilePath | None = None
    cert: FilePath | None = None
    key: FilePath | None = None


class MqttSettings(Section):
    """`mqtt:`"""

    host: Annotated[str, Field(min_length=1, max_length=255)] = "localhost"
    port: Port = 1883
    username: str | None = None
    password_file: FilePath | None = None
    password: SecretStr | None = None  # by the environment only
    tls: TlsSettings | None = None
    protocol: Annotated[Literal["auto", "5", "3.1.1"], BeforeValidator(_spelled)] = "auto"
    base_topic: Level = "linky"
    keepalive: Annotated[int, Field(ge=5, le=3600)] = 30

    def secret(self) -> str | None:
        """The password, from wherever it is kept."""
        return _secret("mqtt", self.password, self.password_file)


class FieldRule(Section):
    """One entry of `publish.overrides:`"""

    min_interval: Seconds | None = None
    heartbeat: Seconds | None = None
    jump: Annotated[float, Field(gt=0)] | None = None


class PublishSettings(Section):
    """`publish:`"""

    min_interval: Seconds = 5
    heartbeat: Seconds = 300
    jump: dict[Slug, Annotated[float, Field(gt=0)]] = Field(default_factory=lambda: {"sinsts": 200.0})
    overrides: dict[Slug, FieldRule] = Field(default_factory=dict)
    fields: Annotated[Literal["all"] | list[Slug], BeforeValidator(_all_or_list)] = "all"
    personal: bool = False
    retain: bool = True
    qos: Literal[0, 1] = 0


class ReadingSettings(Section):
    """`reading:`"""

    interval: Seconds = 0


class SpoolSettings(Section):
    """`spool:`"""

    durability: Literal["strict", "balanced", "sparing"] = "balanced"
    max_frames: Annotated[int, Field(ge=100, le=100_000_000)] = 600_000
    min_free_disk: ByteSize = ByteSize(200_000_000)
    release: Literal["auto", "stored", "puback"] = "auto"


class EntitySettings(Section):
    """One entry of `homeassistant.overrides:`"""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    icon: Annotated[str, AfterValidator(_icon)] | None = None
    device_class: Annotated[str, AfterValidator(_word)] | None = None
    enabled: bool | None = None


class HomeAssistantSettings(Section):
    """`homeassistant:`"""

    enabled: bool = True
    discovery_prefix: Level = "homeassistant"
    status_topic: Annotated[str, AfterValidator(_topic)] = "homeassistant/status"
    language: Literal["fr", "en"] = "fr"
    migrate_discovery: Annotated[str, AfterValidator(_pattern)] | None = None
    overrides: dict[EntityKey, EntitySettings | None] = {}  # None removes the entity


class BatchSettings(Section):
    """`storage.batch:`"""

    rows: Annotated[int, Field(ge=1, le=10_000)] = 500
    seconds: Annotated[float, Field(gt=0, le=600)] = 10


class KeepSettings(Section):
    """`storage.keep:`"""

    raw: Age = "7d"
    minute: Age = "2y"

    @property
    def raw_age(self) -> timedelta | None:
        """How old single readings become; None is for ever."""
        return _age_of(self.raw)

    @property
    def minute_age(self) -> timedelta | None:
        """How old minutes become; None is for ever."""
        return _age_of(self.minute)


_MOST_FIELDS: Final = 256


class StorageSettings(Section):
    """`storage:`"""

    database: str = Field(default_factory=_database_default)
    password_file: FilePath | None = None
    password: SecretStr | None = None  # by the environment only
    batch: BatchSettings = BatchSettings()
    keep: KeepSettings = KeepSettings()
    budget: ByteSize = ByteSize(1_000_000_000)
    fields: Annotated[Literal["all"] | Annotated[list[Kept], Field(max_length=_MOST_FIELDS)],
                      BeforeValidator(_all_or_list)] = []  # fmt: skip
    required: Annotated[list[Slug], Field(max_length=_MOST_FIELDS)] = []
    fixtures: FilePath | None = None  # a folder

    def secret(self) -> str | None:
        """The password of the database, from wherever it is kept; None: libpq's own places."""
        return _secret("storage", self.password, self.password_file)


class WebSettings(Section):
    """`web:`"""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8000"
    hosts: list[str] = []
    base_url: Annotated[str, AfterValidator(_url)] | None = None
    proxies: Annotated[list[Annotated[str, AfterValidator(_network)]], Field(max_length=100)] = []

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class WebhooksSettings(Section):
    """`webhooks:`"""

    enabled: bool = False
    private: bool = False
    keep: Age = "7d"

    @property
    def keep_age(self) -> timedelta | None:
        """How long what was delivered is kept; None is for ever."""
        return _age_of(self.keep)


class UsageSettings(Section):
    """`usage:`"""

    enabled: bool = False
    log_data: bool = False
    limit_only: bool = False


class LogSettings(Section):
    """`log:`"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


def _distinct(meters: list[MeterSettings]) -> list[MeterSettings]:
    """Two readers of one port would fight for it; two meters of one name would write each other's topics."""
    for key, values in (("source", [m.source for m in meters]), ("id", [m.id for m in meters if m.id is not None])):
        twice = next((value for n, value in enumerate(values) if value in values[:n]), None)
        if twice is not None:
            raise ValueError(f"expected each {key} once; {twice!r} stands twice")
    return meters


class Settings(Section):
    """The whole of config.yaml."""

    bridge: BridgeSettings = Field(default_factory=BridgeSettings)
    meters: Annotated[list[MeterSettings], Field(min_length=1, max_length=1000), AfterValidator(_distinct)] = [
        MeterSettings()
    ]
    mqtt: MqttSettings = MqttSettings()
    publish: PublishSettings = Field(default_factory=PublishSettings)
    reading: ReadingSettings = ReadingSettings()
    spool: SpoolSettings = SpoolSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    storage: StorageSettings = Field(default_factory=StorageSettings)
    web: WebSettings = WebSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    usage: UsageSettings = UsageSettings()
    log: LogSettings = LogSettings()


def _secret(section: str, password: SecretStr | None, file: Path | None) -> str | None:
    if password is not None:
        return password.get_secret_value()
    if file is not None:
        return read_secret(file, f"{section}.password_file")
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(credentials, f"{section}-password") if credentials else None
    return read_secret(credential, f"{section}-password") if credential and credential.exists() else None


def read_secret(path: Path, key: str) -> str:
    """The secret in a file that only its owner may read."""
    expected = "expected a file that holds the secret"
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error.strerror}); {expected}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text in UTF-8; {expected}") from None
    refuse_shared(path, mode, key)
    if not text:
        raise ConfigError(f"{key}: {path} is empty; {expected}")
    return text


def refuse_shared(path: Path, mode: int, key: str) -> None:
    """Refuse a secret that others may read. systemd makes its credentials readable as it needs, in a folder of ours."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and path.resolve().is_relative_to(Path(credentials).resolve()):
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key}: {path} can be read by others; expected mode 0600 (chmod 600 {path})")


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration: `path`, else the first of `PLACES` that exists, else the defaults."""
    environment = os.environ if environment is None else environment
    if path is None:
        path = next((place for place in PLACES if place.exists()), None)
    origin = str(path) if path else "configuration"
    tree = _read_yaml(path) if path else {}
    _refuse_passwords(tree, origin)
    variables = _lay_over(tree, environment)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(sentences(Settings, error, origin, variables))) from None


def _refuse_passwords(tree: dict[str, Any], origin: str) -> None:
    """The file may be read by others, kept in a repository, shown to who helps."""
    for section in ("mqtt", "storage"):
        keys = tree.get(section)
        if not isinstance(keys, dict):
            continue
        found = "password" if "password" in keys else None
        if re.match(r"\w+://[^/@]*:[^@]+@", str(keys.get("database", ""))):
            found = "database"
        if found is not None:
            raise ConfigError(
                f"{origin}: {section}.{found}: no password may stand here; expected {section}.password_file, "
                "the path of a file that only you can read"
            )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"{path}: larger than {MAX_FILE} bytes; expected a configuration file")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a configuration file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8; expected a configuration file") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not YAML ({error.problem}); expected `key: value`") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({str(error).splitlines()[0]}); expected `key: value`") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; expected sections such as `mqtt:`") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        found = "a list" if isinstance(tree, list) else repr(tree)[:80]
        raise ConfigError(f"{path}: {found} at the top; expected sections such as `mqtt:`")
    return tree


def _lay_over(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Lay `TICBRIDGE_SECTION__KEY` variables over the tree; their text is read as YAML, secrets as is.

    Gives the variable that each key came from.
    """
    variables = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        *parents, leaf = path = name.removeprefix(PREFIX).lower().split("__")
        node: Any = tree  # a YAML tree: mappings, lists and scalars
        for part in parents:
            node = _child(node, part, name)
        text = environment[name]
        try:
            value = text if leaf in _TEXTS else yaml.safe_load(text)
        except yaml.YAMLError:
            value = text
        if not isinstance(node, dict):
            raise ConfigError(f"{name}: no such key; expected a key of config.yaml")
        node[leaf] = value
        variables[".".join(path)] = name
    return variables


_TEXTS: Final = frozenset({"password", "username", "id", "protocol", "name"})


def _child(node: Any, part: str, name: str) -> Any:  # as above
    if isinstance(node, list):
        if not part.isdigit() or int(part) > len(node):
            raise ConfigError(f"{name}: no such entry; expected the number of a meter, from 0")
        if int(part) == len(node):
            node.append({})
        return node[int(part)]
    if not isinstance(node, dict):
        raise ConfigError(f"{name}: no such key; expected a key of config.yaml")
    if node.get(part) is None:
        node[part] = [] if part == "meters" else {}
    return node[part]
