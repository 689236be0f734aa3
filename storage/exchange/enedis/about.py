"""What a file says of a table beside it: whose it is, what it measures, in which unit, which way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from storage.exchange.enedis.blocks import Direction
from storage.exchange.enedis.cells import Row, key
from storage.exchange.errors import ExchangeError

PREAMBLE: Final = frozenset(("identifiant prm", "type de donnees"))
UNITS: Final[dict[str, tuple[str, Decimal]]] = {
    "w": ("power", Decimal(1)), "kw": ("power", Decimal(1000)), "wh": ("energy", Decimal(1)),
    "kwh": ("energy", Decimal(1000)), "va": ("apparent power", Decimal(1)), "kva": ("apparent power", Decimal(1000)),
}  # fmt: skip
_PRM: Final = re.compile(r"\d{14}", re.ASCII)
_WAYS: Final = (
    (Direction.DRAWN, re.compile(r"\b(consommation|cons|soutirage|soutiree?|consommee?)\b")),
    (Direction.INJECTED, re.compile(r"\b(production|prod|injection|injectee?)\b")),
)
_PROSE: Final = 60  # characters; longer texts explain, and name both ways
_OTHER_PHYSICS: Final = re.compile(r"reacti|tension|cosinus")


@dataclass
class About:
    """Filled row by row; each thing remembers where it was said."""

    title: str = ""
    said: dict[str, tuple[str, Row]] = field(default_factory=dict)
    prm: str = ""
    ways: dict[Direction, str] = field(default_factory=dict)  # where it was said first

    def __post_init__(self) -> None:
        self._note_way(self.title, f"the name of sheet {self.title!r}")

    def preamble(self, names: Row, values: Row) -> None:
        """A row of names and the row of what they are."""
        for column, name in enumerate(names.keys):
            cell = values.cell(column)
            if name and cell is not None and str(cell).strip():
                self.say(name, str(cell).strip(), values)

    def say(self, name: str, text: str, row: Row) -> None:
        """One thing and its value."""
        self.said[name] = (text, row)
        if name in ("identifiant prm", "prm"):
            self._note_prm(text, row)
        elif name in ("grandeur metier", "type de donnees"):
            self._note_way(text, row.where)
        elif name == "grandeur physique" and _OTHER_PHYSICS.search(key(text)):
            raise row.refuse(f"{text!r} is no active energy or power")

    def note(self, row: Row) -> None:
        """A line above a workbook's table."""
        texts = [str(cell) for cell in row.cells if cell is not None]
        if row.keys and any(name.startswith(("point reference mesure", "prm", "identifiant prm")) for name in row.keys):
            for found in filter(_PRM.fullmatch, (text.strip() for text in texts)):
                self._note_prm(found, row)
        for text in texts:
            if len(text) <= _PROSE:
                self._note_way(text, row.where)

    def _note_prm(self, text: str, row: Row) -> None:
        if not _PRM.fullmatch(text):
            raise row.refuse(f"{text!r} is no PRM; expected 14 digits")
        if self.prm and self.prm != text:
            raise row.refuse("another PRM than above")
        self.prm = text

    def _note_way(self, text: str, where: str) -> None:
        found = [way for way, words in _WAYS if words.search(key(text))]
        if len(found) == 1:
            self.ways.setdefault(found[0], where)

    def text(self, name: str) -> str:
        """What was said, as a name; empty when nothing was."""
        return key(self.said[name][0]) if name in self.said else ""

    def direction(self, row: Row, expected: Direction | None) -> Direction:
        """Which way; what the file says in two ways, or other than the owner, is refused."""
        if len(self.ways) == 2:
            one, other = (f"{way.value} ({where})" for way, where in self.ways.items())
            raise row.refuse(f"is it {one} or {other}?")
        said = next(iter(self.ways), None)
        if said is None and expected is None:
            raise row.refuse("it does not say whether it is consumption or production; say --as")
        if said is not None and expected not in (None, said):
            raise ExchangeError(f"{self.ways[said]}: this is {said.value}, not {expected.value if expected else ''}")
        return said or expected or Direction.DRAWN

    def unit(self, row: Row, header: str = "") -> tuple[str, Decimal]:
        """(kind, factor to W, Wh or VA) from a header such as "Valeur (en kWh)", else from the preamble."""
        found = re.search(r"\((?:en )?([a-z]+)\)|(?<= en )([a-z]+)$", header)
        name = (found[1] or found[2]) if found else self.text("unite")
        if name not in UNITS:
            where = self.said["unite"][1] if not found and "unite" in self.said else row
            raise where.refuse(f"the unit {name!r} is not known; expected one of W, kW, Wh, kWh, VA, kVA")
        return UNITS[name]

    def step(self) -> int | None:
        """Seconds of a step, where it is said."""
        for name in ("pas en minutes", "pas"):
            if name in self.said:
                text, row = self.said[name]
                found = re.fullmatch(r"(?:PT)?(\d{1,4})(?:M| ?min(?:utes)?)?", text)
                if not found:
                    raise row.refuse(f"{text!r} is no length of a step; expected minutes")
                return int(found[1]) * 60
        return None


def suppliers(rows: Iterator[Row]) -> Iterator[Row]:
    """Pass rows on; a layout of a supplier is named and refused."""
    for row in rows:
        text = " ".join(row.keys)
        name = None
        if re.search(r"recapitulatif de (ma|mes) |puissance atteinte \(w\)|date de releve.*index releve", text):
            name = "EDF's (mes-puissances-atteintes-30min and its like)"
        elif "periode de consommation" in row.keys:
            name = "Octopus Energy's (suivi_conso)"
        elif re.search(r"\beuros?\b|\beur\b|ttc", text) and len(row.cells) > 1 and len(text) < 1000:
            name = "a supplier's, with prices"
        if name is not None:
            raise row.refuse(
                f"this layout is {name}; files of suppliers are not taken in: download the same from Enedis "
                "(mon-compte-particulier.enedis.fr)"
            )
        yield row
