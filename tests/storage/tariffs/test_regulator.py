"""The regulator's price lists, each layout, and what is refused in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.tariffs.grids import Price
from storage.tariffs.regulator import Grid, RegulatorError, read_grid
from storage.tariffs.shipped import midnight

BASE = """\
DATE_DEBUT;DATE_FIN;P_SOUSCRITE;PART_FIXE_HT;PART_FIXE_TTC;PART_VARIABLE_HT;PART_VARIABLE_TTC
01/02/2024;31/01/2025;6;119,04;151,86;0,1926;0,2516
01/02/2025;;6;129,24;165,17;0,1296;0,2016
"""
HPHC = """\
DATE_DEBUT;DATE_FIN;P_SOUSCRITE;PART_FIXE_HT;PART_FIXE_TTC;PART_VARIABLE_HC_HT;PART_VARIABLE_HC_TTC;PART_VARIABLE_HP_HT;PART_VARIABLE_HP_TTC
01/02/2025;31/07/2025;9;170;217,10;0,1030;0,1696;0,1405;0,2146
"""
TEMPO = """\
DATE_DEBUT;DATE_FIN;P_SOUSCRITE;PART_FIXE_HT;PART_FIXE_TTC;PART_VARIABLE_HCBleu_HT;PART_VARIABLE_HCBleu_TTC;PART_VARIABLE_HPBleu_HT;\
PART_VARIABLE_HPBleu_TTC;PART_VARIABLE_HCBlanc_HT;PART_VARIABLE_HCBlanc_TTC;PART_VARIABLE_HPBlanc_HT;PART_VARIABLE_HPBlanc_TTC;\
PART_VARIABLE_HCRouge_HT;PART_VARIABLE_HCRouge_TTC;PART_VARIABLE_HPRouge_HT;PART_VARIABLE_HPRouge_TTC
01/08/2025;;9;190,1;233,88;;0,1232;;0,1494;;0,1391;;0,1730;;0,1460;;0,6468
01/08/2025;;6;;;;;;;;;;;;;;
"""
FEB24, FEB25, AUG25 = (midnight(date(y, m, 1)) for y, m in ((2024, 2), (2025, 2), (2025, 8)))


def test_base() -> None:
    old = Price("subscription", "", 6, FEB24, FEB25, Decimal("151.86"))
    energy = Price("energy", "base", 6, FEB24, FEB25, Decimal("0.2516"))
    assert read_grid(BASE) == Grid(
        "tarif-bleu-base",
        (
            old, replace(old, start=FEB25, end=None, amount=Decimal("165.17")),
            energy, replace(energy, start=FEB25, end=None, amount=Decimal("0.2016")),
        ),
        0,
    )  # fmt: skip


def test_hphc_with_the_last_day_in() -> None:
    assert read_grid(HPHC) == Grid(
        "tarif-bleu-hphc",
        (
            Price("subscription", "", 9, FEB25, AUG25, Decimal("217.10")),
            Price("energy", "hc", 9, FEB25, AUG25, Decimal("0.1696")),
            Price("energy", "hp", 9, FEB25, AUG25, Decimal("0.2146")),
        ),
        0,
    )


def test_tempo_and_its_empty_prices() -> None:
    grid = read_grid(TEMPO)
    assert (grid.offer, grid.empty) == ("tarif-bleu-tempo", 7)
    assert {(p.kind, p.period, p.power): str(p.amount) for p in grid.prices} == {
        ("subscription", "", 9): "233.88", ("energy", "bleu_hc", 9): "0.1232", ("energy", "bleu_hp", 9): "0.1494",
        ("energy", "blanc_hc", 9): "0.1391", ("energy", "blanc_hp", 9): "0.1730", ("energy", "rouge_hc", 9): "0.1460",
        ("energy", "rouge_hp", 9): "0.6468",
    }  # fmt: skip


def test_a_bom_a_trailing_line_and_windows_line_ends_do_not_matter() -> None:
    assert read_grid("\ufeff" + BASE.replace("\n", "\r\n") + "\r\n;;;;;;\r\n") == read_grid(BASE)


def test_lines_in_any_order_say_the_same() -> None:
    head, *lines = BASE.splitlines()
    assert set(read_grid("\n".join([head, *reversed(lines)])).prices) == set(read_grid(BASE).prices)


def test_a_price_without_an_end_holds_until_the_next_of_the_file() -> None:
    assert read_grid(BASE.replace("31/01/2025", "")) == read_grid(BASE)


def test_more_than_six_places_are_rounded() -> None:
    amounts = [p.amount for p in read_grid(BASE.replace("0,2016", "0,20161251")).prices]
    assert amounts[-1] == Decimal("0.201613")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("01/02/2025", "2025-02-01", "line 3: DATE_DEBUT is '2025-02-01'; expected a day such as 01/08/2025"),
        ("01/02/2025", "31/02/2025", "line 3: DATE_DEBUT is '31/02/2025'; expected a day such as 01/08/2025"),
        ("31/01/2025", "31/01/2023", "line 2: DATE_FIN is '31/01/2023'; expected a day not before 01/02/2024"),
        ("31/01/2025", "01/02/2025", "lines 2 and 3 both give 6 kVA subscription from 2025-02-01: 165.17, one of them"),
        ("01/02/2025", "01/02/2024", "lines 2 and 3 both give subscription 6 kVA from 2024-02-01: 165.17, one of them"),
        ("0,2516", "0.25.16", "line 2: PART_VARIABLE_TTC is '0.25.16'; expected a number such as 0,1952"),
        ("0,2516", "-0,2516", "line 2: PART_VARIABLE_TTC is '-0,2516'; expected EUR from 0 to 10000"),
        ("0,2516", "NaN", "line 2: PART_VARIABLE_TTC is 'NaN'; expected EUR from 0 to 10000"),
        (";6;119", ";7;119", "line 2: P_SOUSCRITE is '7'; expected one of 3, 6, 9, 12, 15, 18, 24, 30, 36 kVA"),
        (";6;119", ";;119", "line 2: P_SOUSCRITE is ''; expected a number such as 0,1952"),
        (";0,2516", "", "line 2: 6 columns where the first line has 7"),
        ("PART_FIXE_TTC", "FIXE", "line 1: not one of the regulator's price lists"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(RegulatorError) as raised:
        read_grid(BASE.replace(old, new))
    assert str(raised.value).startswith(said.replace("6 kVA subscription", "subscription 6 kVA"))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RegulatorError, match="line 1"):
        read_grid(text)


def test_what_is_no_csv_is_refused() -> None:
    with pytest.raises(RegulatorError, match="the file is no CSV"):
        read_grid(BASE + "x" * 200_000)
    with pytest.raises(RegulatorError, match="the file is larger than"):
        read_grid(BASE + " " * 20_000_000)
