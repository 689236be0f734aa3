"""The status register of a meter in mode standard, bit by bit in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bridge.derived.standard import REGISTER_PARTS
from bridge.tic.catalogue import BY_SLUG
from bridge.tic.values import StatusRegister
from storage.web.said import Said
from storage.web.shown import value_text
from storage.web.words import field_name

# What is so when nothing is the matter; of the others anything is usual.
_USUAL: Final[Mapping[str, Any]] = {
    "breaker": "closed", "terminal_cover": False, "overvoltage": False, "over_power": False, "clock_degraded": False,
    "plc": "registered", "plc_synchronised": True,
}  # fmt: skip
_DIGITS: Final = 8


class Part(NamedTuple):
    """A few bits. `usual` is empty where nothing is unusual."""

    key: str
    name: str
    text: str
    usual: str

    @property
    def is_odd(self) -> bool:
        return bool(self.usual) and self.text != self.usual


def register(said: Said) -> tuple[Part, ...]:
    """Its parts; none of a meter that sends no register."""
    raw = said.values.get("stge")
    try:
        whole = StatusRegister(int(raw, 16)) if isinstance(raw, str) and len(raw) == _DIGITS else None
    except ValueError:
        whole = None
    if whole is None:
        return ()
    return tuple(
        Part(part, field_name(BY_SLUG[part]), _text(said, part, value), _text(said, part, _USUAL.get(part)))
        for part in REGISTER_PARTS
        if (value := getattr(whole, part)) is not None
    )


def _text(said: Said, part: str, value: Any) -> str:  # a word, a fact or a number
    return "" if value is None else value_text(BY_SLUG[part], value, said.zone)
