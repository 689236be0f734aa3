"""The files that come with us and are no code: config.yaml with every option, the systemd units."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent


def _place(in_wheel: str, in_checkout: str) -> Path:
    wheel = _HERE / "files" / in_wheel
    return wheel if wheel.exists() else _HERE.parent / in_checkout


CONFIG: Final = _place("config.yaml", "config.yaml")
UNITS: Final = _place("systemd", "deploy/systemd")
