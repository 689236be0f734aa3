"""Small files in each layout, as Enedis writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl

PARIS = ZoneInfo("Europe/Paris")
PRM = "21404200000042"
NAMES = "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite"


def preamble(
    kind: str = "Courbe de charge", way: str = "Consommation", unit: str = "W", step: str | None = None, prm: str = PRM
) -> list[str]:
    physics = "Puissance maximale atteinte" if kind.startswith("Puissance") else "Energie active"
    values = f"{prm};{kind};01/11/2026;03/11/2026;{physics};{way};Comptage Brut;{unit}"
    return [NAMES, values] if step is None else [f"{NAMES};Pas en minutes", f"{values};{step}"]


def stamps(first: str, number: int, minutes: int) -> Iterator[datetime]:
    """Instants, on the clock of Paris."""
    at = datetime.fromisoformat(first).astimezone(UTC)
    return ((at + n * timedelta(minutes=minutes)).astimezone(PARIS) for n in range(number))


def curve(first: str, values: Sequence[object], minutes: int = 30, **said: str) -> list[str]:
    """A CSV load curve; None is an empty value."""
    pairs = zip(stamps(first, len(values), minutes), values, strict=True)
    rows = [f"{at.isoformat()};{'' if value is None else value}" for at, value in pairs]
    return [*preamble(**said), "Horodate;Valeur", *rows]


def indexes(*rows: str, way: str = "Consommation") -> list[str]:
    registers = ";".join([*(f"EAS F{n}" for n in range(1, 11)), *(f"EAS D{n}" for n in range(1, 5)), "EAS T"])
    return [*preamble("Index", way, "Wh"), f"Horodate;Type de releve;{registers}", *rows]


def index_row(at: str, hc: int, hp: int, total: int) -> str:
    return f"{at};Arrêté quotidien;{hc};{hp};;;;;;;;;{hc + 5};{hp + 6};;;{total}"


_CALENDAR_NAMES = (
    "Periode;Identifiant calendrier fournisseur;Libelle calendrier fournisseur;Identifiant classe temporelle 1;"
    "Libelle classe temporelle 1;Cadran classe temporelle 1;"
)
_CALENDAR_ROW = (
    "Du 2021-04-12T00:00:00+01:00 au;AA000000;Option Heures Creuses + Week-End;HC;Heures Creuses;EAS F1;"
    "HP;Heures Pleines;EAS F2;"
)
CALENDAR = (_CALENDAR_NAMES, _CALENDAR_ROW)


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook with a cover, and tables that begin in column B below a few empty lines."""
    book = openpyxl.Workbook()
    cover = book.worksheets[0]
    cover.title = "Page d'accueil"
    cover["B6"] = "Les données de consommation et de production de ce fichier sont celles de votre compteur"
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, 8):
            for column, value in enumerate(row, 2):
                sheet.cell(row=number, column=column, value=value)
    book.save(path)
    return path


def daily(rows: Sequence[Sequence[object]], header: str = "Valeur (en kWh)") -> list[Sequence[object]]:
    return [
        ("Point Référence Mesure (PRM) : ", PRM), ("Type de comptage : ", "Linky"),
        ("Date de début : ", "01/11/2026"), (), ("Date", header), *rows,
    ]  # fmt: skip
