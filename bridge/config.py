"""The sections of config.yaml: one frozen `Settings`.

Unknown keys are refused. `TICBRIDGE_MQTT__HOST=broker` overrides `mqtt.host`; `TICBRIDGE_METERS__0__SOURCE` the
first meter's source. Secrets come from a file, the environment or a systemd credential, never from config.yaml.
What a value may be is in `kinds.py`, how the file is read in `configfile.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bridge.configfile import ConfigError as ConfigError  # noqa: PLC0414  whoever reads the configuration catches it
from bridge.configfile import lay_over, read_yaml, refuse_passwords, secret_of
from bridge.kinds import (
    Age,
    AllOrList,
    DeviceClass,
    EntityKey,
    FilePath,
    Icon,
    Kept,
    Level,
    Listen,
    MailAddress,
    MeterName,
    Network,
    Pattern,
    Port,
    Seconds,
    Slug,
    Spelled,
    Topic,
    Url,
    Zone,
    age_of,
    database_default,
    host_name,
    own_state,
)
from bridge.mistakes import sentences
from bridge.tic.catalogue import Mode

PLACES: Final = (Path("config.yaml"), Path("/etc/ticbridge/config.yaml"))
CONFIG_VARIABLE: Final = "TICBRIDGE_CONFIG"  # the path itself, handed to processes that we start


class Section(BaseModel):
    """A part of config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, tree: Any) -> Any:  # whatever YAML gave
        """`mqtt:` with every key commented out reads as None."""
        if not isinstance(tree, dict):
            return tree
        return {key: value for key, value in tree.items() if value is not None or key not in cls.model_fields}


class BridgeSettings(Section):
    """`bridge:`"""

    id: Level = Field(default_factory=host_name)
    state_dir: FilePath = Field(default_factory=own_state)


class MeterSettings(Section):
    """One entry of `meters:`"""

    source: str = "auto"
    mode: Literal["auto", "historique", "standard"] = "auto"
    name: Annotated[str, Field(min_length=1, max_length=64)] = "Linky"
    id: MeterName | None = None
    timezone: Zone = "Europe/Paris"

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
    protocol: Annotated[Literal["auto", "5", "3.1.1"], Spelled] = "auto"
    base_topic: Level = "linky"
    keepalive: Annotated[int, Field(ge=5, le=3600)] = 30

    def secret(self) -> str | None:
        """The password, from wherever it is kept."""
        return secret_of("mqtt", self.password, self.password_file)


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
    fields: Annotated[Literal["all"] | list[Slug], AllOrList] = "all"
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
    icon: Icon | None = None
    device_class: DeviceClass | None = None
    enabled: bool | None = None


class HomeAssistantSettings(Section):
    """`homeassistant:`"""

    enabled: bool = True
    discovery_prefix: Level = "homeassistant"
    status_topic: Topic = "homeassistant/status"
    language: Literal["fr", "en"] = "fr"
    migrate_discovery: Pattern | None = None
    overrides: dict[EntityKey, EntitySettings | None] = {}  # None removes the entity
    url: Url | None = None
    token_file: FilePath | None = None
    token: SecretStr | None = None  # by the environment only

    def secret(self) -> str | None:
        """The token of an administrator, from wherever it is kept."""
        return secret_of("homeassistant", self.token, self.token_file, "token")


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
        return age_of(self.raw)

    @property
    def minute_age(self) -> timedelta | None:
        """How old minutes become; None is for ever."""
        return age_of(self.minute)


_MOST_FIELDS: Final = 256


class StorageSettings(Section):
    """`storage:`"""

    database: str = Field(default_factory=database_default)
    password_file: FilePath | None = None
    password: SecretStr | None = None  # by the environment only
    batch: BatchSettings = BatchSettings()
    keep: KeepSettings = KeepSettings()
    budget: ByteSize = ByteSize(1_000_000_000)
    fields: Annotated[Literal["all"] | Annotated[list[Kept], Field(max_length=_MOST_FIELDS)],
                      AllOrList] = []  # fmt: skip
    required: Annotated[list[Slug], Field(max_length=_MOST_FIELDS)] = []
    fixtures: FilePath | None = None  # a folder

    def secret(self) -> str | None:
        """The password of the database, from wherever it is kept; None: libpq's own places."""
        return secret_of("storage", self.password, self.password_file)


class WebSettings(Section):
    """`web:`"""

    listen: Listen = "127.0.0.1:8000"
    hosts: list[str] = []
    base_url: Url | None = None
    proxies: Annotated[list[Network], Field(max_length=100)] = []
    ingress: bool = False

    @model_validator(mode="after")
    def _ingress_has_a_proxy(self) -> Self:
        if self.ingress and not self.proxies:
            raise ValueError("ingress: needs the address of Home Assistant's Supervisor in proxies, 172.30.32.2")
        return self

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
        return age_of(self.keep)


class MailSettings(Section):
    """`mail:`"""

    host: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password_file: FilePath | None = None
    password: SecretStr | None = None  # by the environment only
    from_: MailAddress | None = Field(None, alias="from", validate_default=True)

    @field_validator("from_")
    @classmethod
    def _is_there(cls, given: str | None, others: ValidationInfo) -> str | None:
        if given is None and others.data.get("host") and "@" not in (others.data.get("username") or ""):
            raise ValueError("expected the address that messages come from, since there is a mail.host")
        return given

    @property
    def sender(self) -> str:
        """The address that messages come from."""
        return self.from_ or self.username or ""

    def secret(self) -> str | None:
        """The password, from wherever it is kept."""
        return secret_of("mail", self.password, self.password_file)


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
    mail: MailSettings = MailSettings()
    usage: UsageSettings = UsageSettings()
    log: LogSettings = LogSettings()


def standing() -> Path | None:
    """The first of `PLACES` where there is a file that this user can see: he may be in a folder that he may not."""
    return next((place for place in PLACES if os.access(place, os.F_OK)), None)


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration: `path`, else the first of `PLACES` that exists, else the defaults."""
    environment = os.environ if environment is None else environment
    if path is None:
        path = standing()
    origin = str(path) if path else "configuration"
    tree = read_yaml(path) if path else {}
    refuse_passwords(tree, origin)
    variables = lay_over(tree, environment)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(sentences(Settings, error, origin, variables))) from None
