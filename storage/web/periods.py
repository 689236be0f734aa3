"""The colours of price periods, as tokens of tokens.css, and the order in which they are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from storage.tariffs.costs import INJECTED, SUBSCRIPTION, UNKNOWN

_DAYS: Final = ("bleu", "blanc", "rouge")
MARKS: Final[Mapping[str, str]] = {
    "base": "base", "hc": "off-peak", "hp": "peak", "hn": "off-peak", "pm": "peak",
    **{f"{day}_{hours}": mark for day in _DAYS for hours, mark in (("hc", f"{day}-hc"), ("hp", day))},
    INJECTED: "injected", SUBSCRIPTION: "hatch", UNKNOWN: "muted",
}  # fmt: skip
_ORDER: Final = {code: place for place, code in enumerate(MARKS)}


def mark(code: str) -> str:
    """Of a period; `other` for one that only its offer knows."""
    return MARKS.get(code, "other")


def place(code: str) -> int:
    """What to sort by: those that only an offer knows come last."""
    return _ORDER.get(code, len(_ORDER))
