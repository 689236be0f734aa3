"""Words of the meter to codes of price periods. Suppliers choose those of LTARF: what is not known stays unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import Final

# PTEC of mode historique, without its trailing dots.
_PTEC: Final = {
    "TH": "base", "HC": "hc", "HP": "hp", "HN": "hn", "PM": "pm",
    "HCJB": "bleu_hc", "HCJW": "blanc_hc", "HCJR": "rouge_hc",
    "HPJB": "bleu_hp", "HPJW": "blanc_hp", "HPJR": "rouge_hp",
}  # fmt: skip
WORDS: Final[Mapping[str, str]] = MappingProxyType({code: word for word, code in _PTEC.items()})
_HOURS: Final = {
    "hc": ("HC", "HEURE CREUSE", "HEURES CREUSES"),
    "hp": ("HP", "HEURE PLEINE", "HEURES PLEINES"),
}
_COLOURS: Final = {"bleu": ("BLEU", "BLEUE"), "blanc": ("BLANC", "BLANCHE"), "rouge": ("ROUGE",)}


def _words() -> Mapping[str, str]:
    words = dict(_PTEC)
    words |= dict.fromkeys(("BASE", "TOUTES HEURES"), "base")
    words |= dict.fromkeys(("HEURE NORMALE", "HEURES NORMALES"), "hn")
    words |= dict.fromkeys(("POINTE MOBILE", "HEURE DE POINTE MOBILE", "HEURES DE POINTE MOBILE"), "pm")
    for hours, spellings in _HOURS.items():
        words |= dict.fromkeys(spellings, hours)
        for colour, names in _COLOURS.items():
            for spelling, day, name in product(spellings, ("", "JOUR ", "JOURS "), names):
                words[f"{spelling} {day}{name}"] = f"{colour}_{hours}"
    return MappingProxyType(words)


_MEANINGS: Final = _words()


def meaning(label: str) -> str:
    """The period that LTARF or PTEC names; empty where that is not certain."""
    folded = re.sub(r"\s+", " ", label).strip().upper().rstrip(". ")
    return _MEANINGS.get(folded, "")
