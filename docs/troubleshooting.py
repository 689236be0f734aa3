"""The how-to pages of what can go wrong, from what `ticbridge check` says: the same table, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ticbridge.commands.check.finding import Case, Language, State
from ticbridge.commands.check.parts import MODULES, PARTS, cases

# What stands in the braces of a sentence, as an owner may see it. The same name always means the same thing.
_EXAMPLES: Final[Mapping[str, object]] = MappingProxyType({
    "port": "/dev/ttyUSB0", "group": "dialout", "holder": "minicom (1234)", "why": "...", "file": "...",
    "unit": "ticbridge-bridge", "console": "console=serial0", "speeds": "9600, 1200", "mode": "historique",
    "wanted": "standard", "quality": 80, "broker": "localhost:1883", "kept": 1000, "minutes": 25, "topic": "...",
    "base": "linky", "prefix": "homeassistant", "used": 900, "budget": 1000, "depth": 5000, "dropped": 12, "free": 150,
    "folder": "/var/lib/ticbridge", "least": 200, "kind": "nfs4", "key": "storage.database", "now": "1970-01-01",
    "seconds": 90, "way": "behind", "meter": "021861000001", "url": "http://homeassistant.local:8123", "code": 1,
    "times": 12,
})  # fmt: skip
_REMOTE: Final = MappingProxyType({"port": "socket://192.168.1.20:2000"})
_OF_CASE: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "port-unreachable": _REMOTE,
        "line-noise-remote": _REMOTE,
        "port-getty": {"port": "/dev/serial0", "holder": "agetty (612)"},
        "port-file-missing": {"port": "meter.tic"},
        "port-no-port": {"port": "/dev/input/mice"},
        "uart-off": {"file": "/boot/firmware/config.txt"},
        "uart-console": {"file": "/boot/firmware/cmdline.txt"},
        "uart-getty": {"unit": "serial-getty@ttyS0.service"},
        "broker-queue": {"file": "/etc/mosquitto/mosquitto.conf"},
        "database-none-yet": {"file": "/var/lib/ticbridge/db.sqlite3"},
        "disk-network": {"file": "/mnt/nas/db.sqlite3"},
        "ha-no-birth": {"topic": "homeassistant/status"},
        "slow": {"seconds": 5},
    }
)
_HEADS: Final[dict[Language, tuple[str, str, str]]] = {
    "en": ("`ticbridge check` says", "likely cause", "what to do"),
    "fr": ("`ticbridge check` dit", "cause probable", "que faire"),
}
_SIGNS: Final = MappingProxyType({State.FAILED: "✗", State.WARNING: "⚠"})
_ANY: Final[dict[Language, str]] = {"en": "Any part", "fr": "N'importe quelle partie"}


def english() -> str:
    """The tables of docs/how-to/troubleshooting.md."""
    return _tables("en")


def french() -> str:
    """And of its French twin."""
    return _tables("fr")


def _tables(language: Language) -> str:
    titles = {part.name: part.fr if language == "fr" else part.name for part in PARTS} | {"": _ANY[language]}
    tables = [_table(titles[name], cases(name), language) for name in MODULES]
    return "\n\n".join(table for table in tables if table)


def _table(title: str, found: list[Case], language: Language) -> str:
    rows = [_row(case, language) for case in found if case.state in _SIGNS]
    title = title[:1].upper() + title[1:]
    return "\n".join([f"## {title}", "", f"| {' | '.join(_HEADS[language])} |", "|---|---|---|", *rows]) if rows else ""


def _row(case: Case, language: Language) -> str:
    words = case(**{**_EXAMPLES, **_OF_CASE.get(case.name, {})}).words(language)
    cells = [f"{_SIGNS[case.state]} {words.sentence}", words.cause, words.todo]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
