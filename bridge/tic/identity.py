"""Who made a meter, when, and of which type: the parts of its address (ADCO, ADSC).

Source: Euridis identifier list V3.04A, March 2019. The address is `CC AA TT NNNNNN`: maker, year, type, number.
An unknown code is no error: the number of makers and types grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_MAKERS: Final[Mapping[str, str]] = MappingProxyType({
    "01": "Crouzet / Monetel", "02": "Sagemcom", "03": "Itron (Schlumberger, Actaris)", "04": "Landis+Gyr",
    "05": "Sauter / Zellweger", "06": "Itron", "07": "MAEC", "08": "Chauvin Arnoux / Enerdis", "10": "SEVME",
    "11": "Honeywell (Magnol, Elster)", "18": "Schneider", "27": "Iskraemeco", "30": "Michaud",
    "34": "Honeywell (Elster)", "36": "AEC", "39": "ZIV", "70": "Landis+Gyr", "81": "Sagemcom", "82": "Landis+Gyr",
    "83": "Honeywell (Elster)", "84": "Sagemcom", "85": "Itron",
})  # fmt: skip

# type -> (model, phases, generation); phases 0 is "told by the labels"
_TYPES: Final[Mapping[str, tuple[str, int, str]]] = MappingProxyType({
    "60": ("Linky", 1, "G1"), "62": ("Linky", 1, "G1"), "63": ("Linky", 3, "G1"),
    "67": ("Linky", 1, "pilote"), "68": ("Linky", 3, "pilote"),
    "65": ("Linky", 1, "essai"), "70": ("Linky", 1, "essai"), "71": ("Linky", 3, "essai"),
    "61": ("Linky", 1, "G3"), "64": ("Linky", 1, "G3"), "75": ("Linky", 1, "G3"), "76": ("Linky", 3, "G3"),
    **dict.fromkeys(("01", "05", "15", "20", "22", "23", "25", "28", "29"), ("CBEMM", 1, "")),
    **dict.fromkeys(("09", "21", "26", "27", "30", "31", "32"), ("CBETM", 3, "")),
    **dict.fromkeys(("06", "10", "33"), ("CJE", 3, "")),
    **dict.fromkeys(("07", "12", "34"), ("ICE", 3, "")),
    "36": ("PME-PMI", 3, ""), "86": ("SEI", 0, ""), "87": ("SEI", 0, ""),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """What an address tells. Empty text and 0 are "not known"."""

    maker: str
    year: int
    code: str  # the type's two digits
    model: str
    phases: int
    generation: str


def identify(address: str) -> Identity | None:
    """The parts of a 12-digit address; None for anything else."""
    if len(address) != 12 or not (address.isascii() and address.isdigit()):
        return None
    model, phases, generation = _TYPES.get(address[4:6], ("", 0, ""))
    return Identity(_MAKERS.get(address[:2], ""), 2000 + int(address[2:4]), address[4:6], model, phases, generation)
