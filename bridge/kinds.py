"""What the values of config.yaml may be, and their defaults that depend on the machine."""

from __future__ import annotations

import os
import re
import socket
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from bridge.tic.catalogue import BY_LABEL, BY_SLUG
from bridge.topics import ENTITIES, RESERVED, is_level


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


def _quoted(value: Any) -> Any:  # whatever YAML gave
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


def age_of(text: str) -> timedelta | None:
    """How long it is; None is for ever."""
    found = _AGE.fullmatch(text)
    return timedelta(days=int(found[1]) * _UNITS[found[2]]) if found and found[1] else None


def _meter_name(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"expected another name: {' and '.join(RESERVED)} are topics of our own")
    if text.startswith("bridge_"):
        raise ValueError("expected another name: bridge_ begins those of bridges in Home Assistant")
    return text


def _spelled(value: Any) -> Any:  # whatever YAML gave
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


def _mail_address(text: str) -> str:
    if len(text) > 254 or not re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", text):
        raise ValueError("expected an e-mail address such as linky@example.org")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", text):
        raise ValueError("expected an address such as https://linky.example.org")
    return text


def _all_or_list(value: Any) -> Any:  # whatever YAML gave
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


Age = Annotated[str, AfterValidator(_age)]
Level = Annotated[str, BeforeValidator(_quoted), AfterValidator(_level)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Slug = Annotated[str, AfterValidator(_canonical)]
Kept = Annotated[str, AfterValidator(_kept)]
EntityKey = Annotated[str, AfterValidator(_entity)]
MeterName = Annotated[Level, AfterValidator(_meter_name)]
Zone = Annotated[str, AfterValidator(_zone)]
Spelled = BeforeValidator(_spelled)  # a number stands for its text
Topic = Annotated[str, AfterValidator(_topic)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Listen = Annotated[str, AfterValidator(_listen)]
Network = Annotated[str, AfterValidator(_network)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Url = Annotated[str, AfterValidator(_url)]
AllOrList = BeforeValidator(_all_or_list)
Icon = Annotated[str, AfterValidator(_icon)]
DeviceClass = Annotated[str, AfterValidator(_word)]


def host_name() -> str:
    """The machine's, as far as it can stand in a topic."""
    name = "".join(c if is_level(c) else "-" for c in socket.gethostname().partition(".")[0])[:64]
    return name or "bridge"


def _state_default(fallback: str) -> Path:
    """As a service systemd names the state directory; else the user's own."""
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given.partition(":")[0]) if given else Path(fallback).expanduser()


def own_state() -> Path:
    """Where the bridge keeps what outlives it."""
    return _state_default("~/.local/state/ticbridge")


def database_default() -> str:
    """SQLite, beside that."""
    return f"sqlite:///{_state_default('~/.local/share/ticbridge') / 'db.sqlite3'}"
