"""config.yaml and environment to one frozen `Settings`.

Unknown keys are refused. `TICBRIDGE_MQTT__HOST=broker` overrides `mqtt.host`; `TICBRIDGE_METERS__0__SOURCE` the
first meter's source. Secrets come from a file, the environment or a systemd credential, never from config.yaml.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from bridge.tic.catalogue import BY_SLUG, Mode
from bridge.topics import is_level

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
        # YAML reads 021861348497 as a number, in some versions even as an octal one.
        raise ValueError("expected text: put it between quotes")
    return value


Level = Annotated[str, BeforeValidator(_quoted), AfterValidator(_level)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


def _canonical(slug: str) -> str:
    if slug not in BY_SLUG:
        raise ValueError("expected a field of `ticbridge labels`")
    if BY_SLUG[slug].same_as:
        raise ValueError(f"expected the canonical name, {BY_SLUG[slug].same_as}")
    return slug


Slug = Annotated[str, AfterValidator(_canonical)]


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


class BridgeSettings(Section):
    """`bridge:`"""

    id: Level = Field(default_factory=_host_name)
    state_dir: FilePath = Field(default_factory=_own_state)


class MeterSettings(Section):
    """One entry of `meters:`"""

    source: str = "auto"
    mode: Literal["auto", "historique", "standard"] = "auto"
    name: Annotated[str, Field(min_length=1, max_length=64)] = "Linky"
    id: Level | None = None
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
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    base_topic: Level = "linky"
    keepalive: Annotated[int, Field(ge=5, le=3600)] = 30

    def secret(self) -> str | None:
        """The password, from wherever it is kept."""
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is not None:
            return read_secret(self.password_file, "mqtt.password_file")
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        credential = Path(credentials, "mqtt-password") if credentials else None
        return read_secret(credential, "mqtt-password") if credential and credential.exists() else None


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
    fields: Literal["all"] | list[Slug] = "all"
    personal: bool = False
    retain: bool = True
    qos: Literal[0, 1] = 0


class ReadingSettings(Section):
    """`reading:`"""

    interval: Seconds = 0


class HomeAssistantSettings(Section):
    """`homeassistant:`"""

    enabled: bool = True
    discovery_prefix: Level = "homeassistant"
    status_topic: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^+#\x00]+$")] = "homeassistant/status"
    language: Literal["fr", "en"] = "fr"


class BatchSettings(Section):
    """`storage.batch:`"""

    rows: Annotated[int, Field(ge=1, le=10_000)] = 500
    seconds: Annotated[float, Field(gt=0, le=600)] = 10


class StorageSettings(Section):
    """`storage:`"""

    database: str = Field(default_factory=_database_default)
    batch: BatchSettings = BatchSettings()


class WebSettings(Section):
    """`web:`"""

    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}$")] = "127.0.0.1:8000"
    hosts: list[str] = []
    base_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$")] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class LogSettings(Section):
    """`log:`"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """The whole of config.yaml."""

    bridge: BridgeSettings = Field(default_factory=BridgeSettings)
    meters: Annotated[list[MeterSettings], Field(min_length=1, max_length=1000)] = [MeterSettings()]
    mqtt: MqttSettings = MqttSettings()
    publish: PublishSettings = Field(default_factory=PublishSettings)
    reading: ReadingSettings = ReadingSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    storage: StorageSettings = Field(default_factory=StorageSettings)
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()


def read_secret(path: Path, key: str) -> str:
    """The secret in a file that only its owner may read."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error}); expected a file that holds the secret") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and "CREDENTIALS_DIRECTORY" not in os.environ:
        raise ConfigError(f"{key}: {path} can be read by others; expected mode 0600 (chmod 600 {path})")
    return text


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration: `path`, else the first of `PLACES` that exists, else the defaults."""
    environment = os.environ if environment is None else environment
    if path is None:
        path = next((place for place in PLACES if place.exists()), None)
    origin = str(path) if path else "configuration"
    tree = _read_yaml(path) if path else {}
    if isinstance(tree.get("mqtt"), dict) and "password" in tree["mqtt"]:
        raise ConfigError(f"{origin}: mqtt.password: expected mqtt.password_file, a file that only you can read")
    tree = _with_environment(tree, environment)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(origin, error))) from None


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
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML ({type(error).__name__}); expected `key: value`") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: {type(tree).__name__} at the top; expected sections such as `mqtt:`")
    # `mqtt:` with every key commented out reads as None and means "all defaults".
    return {key: {} if value is None else value for key, value in tree.items()}


def _with_environment(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The tree with `TICBRIDGE_SECTION__KEY` variables laid over it; their text is read as YAML, secrets as is."""
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        *parents, leaf = name.removeprefix(PREFIX).lower().split("__")
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
    return tree


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


def _sentences(origin: str, error: ValidationError) -> list[str]:
    """One line per mistake: key, value, expectation."""
    lines = []
    for item in error.errors(include_url=False):
        # pydantic adds the member of a union that it tried, "literal['all']": no key of ours looks like that.
        key = ".".join(str(part) for part in item["loc"] if "[" not in str(part))
        if item["type"] == "extra_forbidden":
            lines.append(f"{origin}: {key}: no such key; expected one of {', '.join(_siblings(item['loc']))}")
            continue
        shown = "(hidden)" if "password" in key else repr(item["input"])[:80]
        expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        expected = expected if expected.startswith("expected") else f"expected {expected}"
        lines.append(f"{origin}: {key}: {shown} will not do; {expected}")
    return list(dict.fromkeys(lines))


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand where an unknown one was found."""
    model: Any = Settings  # walks types, which have no common one
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else model
        model = _section_in(annotation) or model
    return sorted(name for name in model.model_fields if name != "password")


def _section_in(annotation: Any) -> type[Section] | None:  # as above
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
