"""Who made a meter, when, and of which type."""

from __future__ import annotations

import pytest

from bridge.tic.identity import Identity, identify


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("021861000001", Identity("Sagemcom", 2018, "61", "Linky", 1, "G3")),
        ("031861941630", Identity("Itron (Schlumberger, Actaris)", 2018, "61", "Linky", 1, "G3")),
        ("042176000001", Identity("Landis+Gyr", 2021, "76", "Linky", 3, "G3")),
        ("811560000001", Identity("Sagemcom", 2015, "60", "Linky", 1, "G1")),
        ("011267000001", Identity("Crouzet / Monetel", 2012, "67", "Linky", 1, "pilote")),
        ("391871000001", Identity("ZIV", 2018, "71", "Linky", 3, "essai")),
        ("040528000001", Identity("Landis+Gyr", 2005, "28", "CBEMM", 1, "")),
        ("070031000001", Identity("MAEC", 2000, "31", "CBETM", 3, "")),
        ("821436000001", Identity("Landis+Gyr", 2014, "36", "PME-PMI", 3, "")),
        ("822086000001", Identity("Landis+Gyr", 2020, "86", "SEI", 0, "")),
        # unknown codes are no error
        ("991899000001", Identity("", 2018, "99", "", 0, "")),
        ("123456789012", Identity("", 2034, "56", "", 0, "")),
    ],
)
def test_an_address_tells_maker_year_and_type(address: str, identity: Identity) -> None:
    assert identify(address) == identity


@pytest.mark.parametrize("address", ["", "02186100000", "0218610000011", "02186100000q", "02186100000²"])
def test_what_is_no_address_tells_nothing(address: str) -> None:
    assert identify(address) is None


LINKY = {"60": 1, "61": 1, "62": 1, "63": 3, "64": 1, "65": 1, "67": 1, "68": 3, "70": 1, "71": 3, "75": 1, "76": 3}
OLDER = {
    "CBEMM": "01 05 15 20 22 23 25 28 29", "CBETM": "09 21 26 27 30 31 32", "CJE": "06 10 33", "ICE": "07 12 34",
    "PME-PMI": "36", "SEI": "86 87",
}  # fmt: skip
PHASES = {"CBEMM": 1, "CBETM": 3, "CJE": 3, "ICE": 3, "PME-PMI": 3, "SEI": 0}


def test_every_type_of_the_euridis_list_is_known() -> None:
    known = [identify(f"0218{code:02}000001") for code in range(100)]
    assert {i.code: (i.model, i.phases) for i in known if i and i.model} == {
        **{code: ("Linky", phases) for code, phases in LINKY.items()},
        **{code: (model, PHASES[model]) for model, codes in OLDER.items() for code in codes.split()},
    }


MAKERS = "01 02 03 04 05 06 07 08 10 11 18 27 30 34 36 39 70 81 82 83 84 85"


def test_every_maker_of_the_euridis_list_is_known() -> None:
    known = [identify(f"{code:02}1861000001") for code in range(100)]
    assert " ".join(f"{code:02}" for code, maker in enumerate(known) if maker and maker.maker) == MAKERS
