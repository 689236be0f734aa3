"""Each layout, recognised by its content; and what is refused, with the line."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from storage.exchange.enedis import sheets as sheets_module
from storage.exchange.enedis.blocks import Block, Curve, Days, Direction, Indexes, Layout, Peaks
from storage.exchange.enedis.layouts import read_blocks
from storage.exchange.errors import ExchangeError
from tests.storage.exchange.enedis.samples import (
    CALENDAR,
    NAMES,
    PARIS,
    PRM,
    curve,
    daily,
    index_row,
    indexes,
    preamble,
    stamps,
    workbook,
)  # fmt: skip

Write = Callable[..., Path]
DRAWN, INJECTED = Direction.DRAWN, Direction.INJECTED
MIDNIGHT = datetime(2026, 10, 31, 23, tzinfo=UTC)  # of 1 November in Paris


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def read(path: Path, expected: Direction | None = None) -> list[Block]:
    return read_blocks(path, PARIS, expected)


# --- CSV -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_load_curve_dates_its_steps_by_their_end(encoding: str, end: str, csv_file: Write) -> None:
    lines = curve("2026-11-01T00:30+01:00", [600, "1000,5", None, 400])
    path = csv_file(*lines, "énergie", name="x.bin", encoding=encoding, end=end)
    points = [(at(0), Fraction(300)), (at(0.5), Fraction(2001, 4)), (at(1.5), Fraction(200))]
    assert read(path) == [Block(Layout.CURVE, "line 3", PRM, DRAWN, Curve(1800, points, stamps_end=True), gaps=1)]


def test_a_load_curve_that_begins_at_midnight_dates_its_steps_by_their_beginning(csv_file: Write) -> None:
    path = csv_file(*curve("2026-11-01T00:00+01:00", [None, 60, 120], 10, way="Production", step="10"))
    points = [(at(1 / 6), Fraction(10)), (at(2 / 6), Fraction(20))]
    assert read(path) == [Block(Layout.CURVE, "line 3", PRM, INJECTED, Curve(600, points), gaps=1)]


def test_a_load_curve_with_blank_lines_an_empty_step_and_the_newest_first(csv_file: Write) -> None:
    lines = curve("2026-11-01T01:00+01:00", [100, 200, 300], 60, unit="Wh", step="")
    path = csv_file(*lines[:2], "", lines[2], *reversed(lines[3:]), "")
    points = [(at(n), Fraction(100 * (n + 1))) for n in range(3)]
    assert read(path)[0].content == Curve(3600, points, stamps_end=True)


def test_indexes_with_the_contracts_periods_and_a_second_block(csv_file: Write) -> None:
    path = csv_file(
        *indexes(
            index_row("2026-11-01T00:00:00+01:00", 1000, 2000, 3000),
            "2026-11-02T00:00:00+01:00;Arrêté quotidien" + ";" * 15,
            index_row("2026-11-03T00:00:00+01:00", 1100, 2200, 3300),
        ),
        *CALENDAR,
        *preamble("Puissance maximale quotidienne", unit="VA"), "Horodate;Valeur",
        "2026-11-01T00:00:00+01:00;4520", "2026-11-02T00:00:00+01:00;",
    )  # fmt: skip
    day = timedelta(days=1)
    points = [
        (MIDNIGHT + n * day, {"easf01": hc, "easf02": hp, "easd01": hc + 5, "easd02": hp + 6, "east": total})
        for n, hc, hp, total in ((0, 1000, 2000, 3000), (2, 1100, 2200, 3300))
    ]
    periods = {"EAS F1": "Heures Creuses", "EAS F2": "Heures Pleines"}
    assert read(path) == [
        Block(Layout.INDEXES, "line 3", PRM, DRAWN, Indexes(points, periods), gaps=1),
        Block(Layout.PEAKS, "line 11", PRM, DRAWN, Peaks([(date(2026, 11, 1), 4520)]), gaps=1),
    ]


def test_a_producers_indexes_are_what_is_injected(csv_file: Write) -> None:
    path = csv_file(*indexes(index_row("2026-11-01T00:00:00+01:00", 1, 2, 3000), way="Production"))
    assert read(path)[0].content == Indexes([(MIDNIGHT, {"eait": 3000})])


def test_a_daily_maximum_without_any_value_needs_no_unit(csv_file: Write) -> None:
    path = csv_file(
        *preamble("Puissance maximale quotidienne", unit=""), "Horodate;Valeur", "2026-11-01T00:00:00+01:00;"
    )
    assert read(path) == [Block(Layout.PEAKS, "line 3", PRM, DRAWN, Peaks([]), gaps=1)]


FLAT = (
    "Date de la mesure;Heure de la mesure;Valeur;Statut de la mesure;PRM;Type de données;Date de début;Date de fin;"
    "Grandeur métier;Grandeur physique;Statut demandé;Unité;Pas en minutes"
)


def flat(day: str, time: str, value: str, way: str = "Consommation", minutes: str = "30") -> str:
    return (
        f"{day};{time};{value};Brut;{PRM};Courbe de charge;01/11/2026;02/11/2026;{way};Energie active;Brut;W;{minutes}"
    )


def test_lines_that_each_say_all_of_it_are_a_block_for_each_thing_said(csv_file: Write) -> None:
    path = csv_file(
        FLAT, flat("01/11/2026", "23:30", "600"), flat("01/11/2026", "24:00", ""),
        flat("02/11/2026", "00:30:00", "800"),
        flat("02/11/2026", "00:00", "6", "Production", "10"), flat("02/11/2026", "00:10", "12", "Production", "10"),
        encoding="cp1252",
    )  # fmt: skip
    drawn = Curve(1800, [(at(23), Fraction(300)), (at(24), Fraction(400))], stamps_end=True)
    injected = Curve(600, [(at(24), Fraction(1)), (at(24 + 1 / 6), Fraction(2))])
    assert read(path) == [
        Block(Layout.FLAT, "line 1", PRM, DRAWN, drawn, gaps=1),
        Block(Layout.FLAT, "line 1", PRM, INJECTED, injected),
    ]


def test_the_exchange_format_of_professionals_is_such_a_table_too(csv_file: Write) -> None:
    path = csv_file(
        "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;Horodate;"
        "Valeur;Nature;Pas;Indice de vraisemblance;Etat complémentaire",
        *(f"{PRM};x;y;PA;CONS;BRUT;W;2026-11-01 {time};{value};B;PT30M;0;0"
          for time, value in (("00:30:00", 600), ("01:00:00", 800))),
    )  # fmt: skip
    points = [(at(0), Fraction(300)), (at(0.5), Fraction(400))]
    assert read(path) == [Block(Layout.FLAT, "line 1", PRM, DRAWN, Curve(1800, points, stamps_end=True))]


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_daily_indexes_by_period_in_kwh(separator: str, csv_file: Write) -> None:
    rows = [
        ("Date", "HC (kWh)", "HP (kWh)"),
        ("01/11/2026", "12", "30"),
        ("02/11/2026", "", ""),
        ("03/11/2026", "14", "33"),
    ]
    path = csv_file(*(separator.join(row) for row in rows))
    points = [
        (MIDNIGHT + timedelta(days=n), {"easf01": hc, "easf02": hp, "east": hc + hp})
        for n, hc, hp in ((0, 12_000, 30_000), (2, 14_000, 33_000))
    ]
    assert read(path) == [Block(Layout.INDEX_VIEW, "line 1", "", DRAWN, Indexes(points), gaps=1)]


def test_a_csv_of_daily_energy(csv_file: Write) -> None:
    path = csv_file(*preamble("Injection quotidienne", "Production", ""), "", "Date;Valeur (en Wh)", "2026-11-01;12571")
    assert read(path) == [Block(Layout.DAYS, "line 4", PRM, INJECTED, Days([(date(2026, 11, 1), 12571)]))]


# --- workbooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "days",
    [
        ("01/11/2026", "02/11/2026", "03/11/2026"),
        ("2026-11-01", "2026-11-02", "2026-11-03"),
        tuple(datetime(2026, 11, n) for n in (1, 2, 3)),  # noqa: DTZ001  as a workbook has them
        (46327, 46328, 46329),
        (46327.0, 46328.0, 46329.0),
    ],
    ids=["French text", "ISO text", "dates", "serials", "serials with a fraction"],
)
def test_daily_energy_of_both_ways(days: Sequence[object], tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "no-name-at-all",
        {
            "Export Consommation Quotidienne": daily([(days[0], 6.329), (days[1], "NA"), (days[2], "7,5")]),
            "Export Production Quotidienne": daily([(days[0], 0), (days[1], None), (days[2], "33,53")]),
        },
    )
    first, third = date(2026, 11, 1), date(2026, 11, 3)
    where = "sheet 'Export {} Quotidienne', row 12"
    assert read(path) == [
        Block(Layout.DAYS, where.format("Consommation"), PRM, DRAWN, Days([(first, 6329), (third, 7500)]), gaps=1),
        Block(Layout.DAYS, where.format("Production"), PRM, INJECTED, Days([(first, 0), (third, 33530)]), gaps=1),
    ]


def hourly(rows: Sequence[Sequence[object]]) -> dict[str, Sequence[Sequence[object]]]:
    above: list[Sequence[object]] = [("Point Référence Mesure (PRM) :", PRM), ("Plage horaire",)]
    return {"Consommation Horaire": [*above, ("Début", "Fin", "Valeur (en kW)"), *rows]}


def test_hourly_power_between_begin_and_end(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [
        ("01/11/2026 00:00:00", "01/11/2026 00:30:00", "0,6"),
        ("01/11/2026 00:30:00", "01/11/2026 01:00:00", None),
        (46327 + 1 / 24, datetime(2026, 11, 1, 1, 30), 0.8),  # noqa: DTZ001  as a workbook has it
    ]
    points = [(at(0), Fraction(300)), (at(1), Fraction(400))]
    path = workbook(tmp_path / "x.xlsx", hourly(rows))
    where = "sheet 'Consommation Horaire', row 10"
    assert read(path) == [Block(Layout.SPANS, where, PRM, DRAWN, Curve(1800, points), gaps=1)]


@pytest.mark.parametrize(("day", "number"), [("2026-10-25", 25), ("2026-03-29", 23)])
def test_hourly_power_of_the_nights_when_the_clocks_change(day: str, number: int, tmp_path: Path) -> None:
    midnight = f"{day}T00:00+0{'2' if number == 25 else '1'}:00"
    times = [f"{one:%d/%m/%Y %H:%M:%S}" for one in stamps(midnight, number + 1, 60)]
    rows = [(begin, end, 0.1) for begin, end in pairwise(times)]
    [block] = read(workbook(tmp_path / "x.xlsx", hourly(rows)))
    assert isinstance(block.content, Curve)
    first = datetime.fromisoformat(midnight).astimezone(UTC)
    assert block.content.points == [(first + timedelta(hours=n), Fraction(100)) for n in range(number)]
    assert block.doubtful == 0


def test_a_load_curve_and_a_daily_maximum_in_a_workbook(tmp_path: Path) -> None:
    rows = [("2026-11-01T00:30:00+01:00", 600), ("2026-11-01T01:00:00+01:00", 800)]
    path = workbook(
        tmp_path / "x.xlsx",
        {
            "Export Consommation": daily(rows, "Valeur (en W)"),
            "Puissance maximale": daily([("01/11/2026", "6,2")], "Valeur (en kVA)"),
        },
    )  # fmt: skip
    with pytest.raises(ExchangeError, match=re.escape("sheet 'Puissance maximale', row 12: it does not say whether")):
        read(path)
    points = [(at(0), Fraction(300)), (at(0.5), Fraction(400))]
    one, other = read(path, DRAWN)
    assert (one.layout, one.content) == (Layout.STAMPS, Curve(1800, points, stamps_end=True))
    assert (other.layout, other.content) == (Layout.PEAKS, Peaks([(date(2026, 11, 1), 6200)]))


def test_indexes_by_period_in_a_workbook(tmp_path: Path) -> None:
    header = ("Date", "Heures Creuses Bleu", "Heures Pleines Bleu", "Total")
    rows: list[Sequence[object]] = [("Index (kWh)", ""), ("Unite", "kWh"), header, ("01/11/2026", 1, 2, 3.5)]
    path = workbook(tmp_path / "x.xlsx", {"Index": [("Date de début", "x"), *rows]})
    with pytest.raises(ExchangeError, match="the unit '' is not known"):
        read(path)
    named = tuple(f"{name} (kWh)" for name in header[1:])
    path = workbook(tmp_path / "y.xlsx", {"Index": [("Date", *named), rows[-1]]})
    assert read(path)[0].content == Indexes([(MIDNIGHT, {"easf01": 1000, "easf02": 2000, "east": 3500})])


# --- times ---------------------------------------------------------------------------------------


def local(first: str, number: int, minutes: int = 30) -> list[str]:
    return [flat(f"{one:%d/%m/%Y}", f"{one:%H:%M}", str(n), minutes=str(minutes))
            for n, one in enumerate(stamps(first, number, minutes))]  # fmt: skip


@pytest.mark.parametrize("minutes", [10, 30, 60])
def test_the_october_night_is_told_apart_by_the_order(minutes: int, csv_file: Write) -> None:
    rows = local("2026-10-25T00:00+02:00", 25 * 60 // minutes, minutes)
    [block] = read(csv_file(FLAT, *rows))
    assert isinstance(block.content, Curve)
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    expected = [first + n * timedelta(minutes=minutes) for n in range(25 * 60 // minutes)]
    assert [begin for begin, _ in block.content.points] == expected
    assert block.content.points == read(csv_file(FLAT, *reversed(rows)))[0].content.points


def test_the_october_hour_that_stands_once_is_refused_and_the_rest_is_read(csv_file: Write) -> None:
    rows = local("2026-10-25T00:00+02:00", 50)
    del rows[6:8]
    [block] = read(csv_file(FLAT, *rows))
    assert isinstance(block.content, Curve)
    assert (block.doubtful, len(block.content.points)) == (2, 46)


def test_a_time_that_the_clocks_leave_out_refuses_the_file(csv_file: Write) -> None:
    with pytest.raises(ExchangeError, match=r"line 3: 2026-03-29T02:30:00 is in the hour that the clocks leave out"):
        read(csv_file(FLAT, flat("29/03/2026", "01:30", "1"), flat("29/03/2026", "02:30", "1")))


# --- refused -------------------------------------------------------------------------------------

GOOD = curve("2026-11-01T00:30+01:00", [1, 2, 3, 4, 5, 6])


def changed(number: int, line: str) -> list[str]:
    return [*GOOD[: number - 1], line, *GOOD[number:]]


REFUSED: dict[str, tuple[Sequence[str], str]] = {
    "irregular": (changed(6, "2026-11-01T01:40:00+01:00;3"), "line 6: irregular: 40 minutes after the row before it"),
    "closer": (
        [*GOOD, "2026-11-01T03:10:00+01:00;3"], "line 10: irregular: 10 minutes after the row before it",
    ),
    "off the grid": (curve("2026-11-01T00:40+01:00", [1, 2]), "line 4: irregular: not on a step of 30 minutes"),
    "another step": (
        [*GOOD, *curve("2026-11-01T04:00+01:00", [1] * 5, 60)[3:]], "line 10: steps change from 30 to 60 minutes here",
    ),
    "an odd step": (curve("2026-11-01T00:07+01:00", [1, 2, 3], 7), "line 4: steps of 7 minutes; expected 5, 10, 15"),
    "one row alone": (GOOD[:4], "line 4: steps of 0 minutes; expected 5, 10"),
    "a step that is none": (curve("2026-11-01T00:30+01:00", [1, 2], step="long"), "line 2: 'long' is no length"),
    "back in time": (changed(6, "2026-11-01T00:30:00+01:00;3"), "line 6: 2026-10-31T23:30:00+00:00 stands after"),
    "twice": (changed(5, "2026-11-01T00:30:00+01:00;9"), "line 5: 2026-10-31T23:30:00+00:00 stands twice"),
    "no time": (changed(5, "tomorrow 5;3"), "line 5: 'tomorrow 5' is no time; expected"),
    "an impossible time": (changed(5, "31/02/2026 10:00;3"), "line 5: '31/02/2026 10:00' is no time"),
    "two kinds of times": (changed(5, "2026-11-01T01:00:00;3"), "line 5: times with an offset and times without"),
    "no number": (changed(5, "2026-11-01T01:00:00+01:00;beaucoup"), "line 5: 'beaucoup' is no number"),
    "two commas": (changed(5, "2026-11-01T01:00:00+01:00;1,000,5"), "line 5: '1,000,5' is no number"),
    "negative": (changed(5, "2026-11-01T01:00:00+01:00;-5"), "line 5: '-5' is negative"),
    "a power station": (changed(5, "2026-11-01T01:00:00+01:00;2000000"), "line 5: 2000000 is more than any household"),
    "an unknown unit": (curve("2026-11-01T00:30+01:00", [1, 2], unit="MWh"), "line 2: the unit 'mwh' is not known"),
    "no unit": (curve("2026-11-01T00:30+01:00", [1, 2], unit=""), "line 3: the unit '' is not known"),
    "VA of a curve": (curve("2026-11-01T00:30+01:00", [1, 2], unit="VA"), "line 3: a unit of apparent power; expected"),
    "reactive": (
        [GOOD[0], GOOD[1].replace("active", "reactive"), *GOOD[2:]], "line 2: 'Energie reactive' is no active energy",
    ),
    "an unknown type": (curve("2026-11-01T00:30+01:00", [1, 2], kind="Tension"), "line 2: data of the type 'tension'"),
    "no PRM": (curve("2026-11-01T00:30+01:00", [1, 2], prm="123"), "line 2: '123' is no PRM; expected 14 digits"),
    "neither way": (curve("2026-11-01T00:30+01:00", [1, 2], way=""), "line 3: it does not say whether it is"),
    "both ways": (
        curve("2026-11-01T00:30+01:00", [1, 2], kind="Courbe de charge de production"),
        "line 3: is it production (line 2) or consumption (line 2)?",
    ),
    "a long line": (changed(5, "x" * 10_001), "line 5 has 10003 characters: this is no file of Enedis"),
    "an open quote": (changed(5, '"2026-11-01T01:00:00+01:00;3'), "line 5: it cannot be read as CSV"),
    "an unknown column": (["Date;HC (kWh);Truc", "01/11/2026;1;2"], "line 1: the column 'Truc' is no index that is"),
    "an index of ten digits": (["Date;HC (kWh)", "01/11/2026;1000000"], "line 2: 1000000000 Wh is more than nine"),
    "one index twice": (["Date;HC (kWh);EAS F1 (kWh)", "01/11/2026;1;2"], "line 1: two columns name the same index"),
    "two columns of values": (["Date;Valeur (kWh);Consommation (kWh)", "01/11/2026;1;2"], "line 1: more than one"),
    "a day of a power station": (
        ["Date;Consommation (en kWh)", "01/11/2026;24000"], "line 2: 24000 is more than any household",
    ),
    "only a preamble": ([NAMES], "is of no layout of Enedis that is known; known are load curves"),
    "nothing": ([""], "is of no layout of Enedis that is known; known are load curves"),
    "EDF": (
        ["", "Récapitulatif de mes puissances atteintes en W",
         "Date et heure de relève par le distributeur;Puissance atteinte (W);Nature de la donnée"],
        "line 2: this layout is EDF's (mes-puissances-atteintes-30min and its like); files of suppliers are not taken",
    ),
    "Octopus": (
        ["Période de consommation;Consommation (kWh);Consommation (euros);Option tarifaire", "01/07/2026;4,749;0,62;-"],
        "line 1: this layout is Octopus Energy's (suivi_conso)",
    ),
    "another supplier": (["Date;Consommation (kWh);Montant TTC", "x;y;z"], "line 1: this layout is a supplier's, with"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_right_refuses_the_file_and_names_the_line(
    lines: Sequence[str], reason: str, csv_file: Write
) -> None:
    with pytest.raises(ExchangeError, match=re.escape(reason)):
        read(csv_file(*lines))


def test_a_production_file_is_not_taken_for_consumption(csv_file: Write, tmp_path: Path) -> None:
    path = csv_file(*curve("2026-11-01T00:30+01:00", [1, 2], way="Production"))
    with pytest.raises(ExchangeError, match=r"^line 2: this is production, not consumption$"):
        read(path, DRAWN)
    assert read(path, INJECTED) == read(path)
    book = workbook(tmp_path / "x.xlsx", {"Export Production Quotidienne": daily([("01/11/2026", 1)])})
    with pytest.raises(ExchangeError, match=r"^the name of sheet 'Export Production Quotidienne': this is production"):
        read(book, DRAWN)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("01/11/2026 00:00:00", "01/11/2026 00:30:00", 1), ("01/11/2026 00:30:00", "01/11/2026 01:00:00", 1),
          ("01/11/2026 01:00:00", "01/11/2026 02:00:00", 1)],
         "row 13: a step that ends at 2026-11-01T02:00:00, where all others have 30 minutes"),
        ([("01/11/2026 00:00:00", "01/11/2026 00:30:00", True)], "row 11: True is no number"),
        ([("01/11/2026 00:00:00", "01/11/2026 00:00:00", 1)], "row 11: steps of 0 minutes"),
        ([(5, "01/11/2026 00:30:00", 1)], "row 11: 5 is no time"),
    ],
)  # fmt: skip
def test_a_workbook_names_sheet_and_row(rows: Sequence[Sequence[object]], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=re.escape(f"sheet 'Consommation Horaire', {reason}")):
        read(workbook(tmp_path / "x.xlsx", hourly(rows)))


# --- hostile files -------------------------------------------------------------------------------


def bomb(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        for name, data in members.items():
            archive.writestr(f"xl/{name}.xml", data)
    return path


def test_a_workbook_that_unpacks_to_far_more_is_not_unpacked(tmp_path: Path) -> None:
    path = bomb(tmp_path / "x.xlsx", sheet=b"0" * 50_000_000)
    with pytest.raises(ExchangeError, match=r"x.xlsx unpacks to \d+ times its size: no workbook of numbers does"):
        read(path)


def test_a_workbook_that_is_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.exchange.files.MAX_UNPACKED", 100_000)
    with pytest.raises(ExchangeError, match=r"is too large \(0 MB unpacked\)"):
        read(bomb(tmp_path / "x.xlsx", sheet=bytes(range(256)) * 400))


def test_a_workbook_with_entities_is_not_unpacked(tmp_path: Path) -> None:
    path = bomb(tmp_path / "x.xlsx", sheet=b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(ExchangeError, match="declares XML entities"):
        read(path)


def damaged(path: Path) -> None:
    data = bytearray(workbook(path, {"Export Production Quotidienne": daily([("01/11/2026", 1)])}).read_bytes())
    data[200:900] = bytes(700)
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(workbook(path, {"X": daily([])}).read_bytes()[:3000])


def empty(path: Path) -> None:
    bomb(path)


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (damaged, "is a? ?damaged"), (cut, "is damaged"), (empty, "is a damaged workbook"),
        (other_zip, "is a zip file of other files: unpack it first"),
        (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600)), "is a workbook of before 2007: save it as"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "is a database: did you mean `ticbridge import"),
        (lambda path: path.write_bytes(bytes(100)), "is neither text nor a workbook"),
        (lambda path: None, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_named(make: Callable[[Path], Any], reason: str, tmp_path: Path) -> None:
    make(tmp_path / "x")
    with pytest.raises(ExchangeError, match=reason):
        read(tmp_path / "x")


def test_a_text_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.exchange.files.MAX_TEXT", 1000)
    (tmp_path / "x").write_text("x;y\n" * 300)
    with pytest.raises(ExchangeError, match="has more than 0 MB: take a shorter period"):
        read(tmp_path / "x")


def test_a_sheet_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets_module, "MAX_ROWS", 12)
    path = workbook(tmp_path / "x.xlsx", {"Export Production Quotidienne": daily([("01/11/2026", 1)])})
    with pytest.raises(ExchangeError, match="sheet 'Export Production Quotidienne' has more than 12 rows"):
        read(path)
