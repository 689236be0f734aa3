"""The table against the note (tic.md sections 5 and 6) and against the contracts of design.md section 5."""

from __future__ import annotations

import re

import pytest

from bridge.tic.catalogue import BY_LABEL, BY_SLUG, DERIVED, FIELDS, Field, Mode, Quantity
from bridge.tic.values import StatusRegister

# label, characters, unit and quantity; then H dated, T three-phase only, P producer only, W only while it holds
NOTE = {
    Mode.HISTORIQUE: """
        ADCO     12 -    identifier
        OPTARIF   4 -    word
        ISOUSC    2 A    current
        BASE      9 Wh   energy
        HCHC      9 Wh   energy
        HCHP      9 Wh   energy
        EJPHN     9 Wh   energy
        EJPHPM    9 Wh   energy
        BBRHCJB   9 Wh   energy
        BBRHPJB   9 Wh   energy
        BBRHCJW   9 Wh   energy
        BBRHPJW   9 Wh   energy
        BBRHCJR   9 Wh   energy
        BBRHPJR   9 Wh   energy
        PEJP      2 min  duration        W
        PTEC      4 -    word
        DEMAIN    4 -    word
        IINST     3 A    current
        IINST1    3 A    current         T
        IINST2    3 A    current         T
        IINST3    3 A    current         T
        ADPS      3 A    current         W
        ADIR1     3 A    current         TW
        ADIR2     3 A    current         TW
        ADIR3     3 A    current         TW
        IMAX      3 A    current
        IMAX1     3 A    current         T
        IMAX2     3 A    current         T
        IMAX3     3 A    current         T
        PMAX      5 VA   apparent_power
        PAPP      5 VA   apparent_power
        HHPHC     1 -    text
        MOTDETAT  6 -    text
        PPOT      2 -    phase_loss
    """,
    Mode.STANDARD: """
        ADSC      12 -    identifier
        VTIC       2 -    identifier
        DATE       0 -    instant          H
        NGTF      16 -    text
        LTARF     16 -    text
        EAST       9 Wh   energy
        EASF01     9 Wh   energy
        EASF02     9 Wh   energy
        EASF03     9 Wh   energy
        EASF04     9 Wh   energy
        EASF05     9 Wh   energy
        EASF06     9 Wh   energy
        EASF07     9 Wh   energy
        EASF08     9 Wh   energy
        EASF09     9 Wh   energy
        EASF10     9 Wh   energy
        EASD01     9 Wh   energy
        EASD02     9 Wh   energy
        EASD03     9 Wh   energy
        EASD04     9 Wh   energy
        EAIT       9 Wh   energy           P
        ERQ1       9 varh reactive_energy  P
        ERQ2       9 varh reactive_energy  P
        ERQ3       9 varh reactive_energy  P
        ERQ4       9 varh reactive_energy  P
        IRMS1      3 A    current
        IRMS2      3 A    current          T
        IRMS3      3 A    current          T
        URMS1      3 V    voltage
        URMS2      3 V    voltage          T
        URMS3      3 V    voltage          T
        PREF       2 kVA  apparent_power
        PCOUP      2 kVA  apparent_power
        SINSTS     5 VA   apparent_power
        SINST1     5 VA   apparent_power
        SINSTS1    5 VA   apparent_power   T
        SINSTS2    5 VA   apparent_power   T
        SINSTS3    5 VA   apparent_power   T
        SMAXSN     5 VA   apparent_power   H
        SMAXN      5 VA   apparent_power   H
        SMAXSN1    5 VA   apparent_power   HT
        SMAXSN2    5 VA   apparent_power   HT
        SMAXSN3    5 VA   apparent_power   HT
        SMAXSN-1   5 VA   apparent_power   H
        SMAXN-1    5 VA   apparent_power   H
        SMAXSN1-1  5 VA   apparent_power   HT
        SMAXSN2-1  5 VA   apparent_power   HT
        SMAXSN3-1  5 VA   apparent_power   HT
        SINSTI     5 VA   apparent_power   P
        SMAXIN     5 VA   apparent_power   HP
        SMAXIN-1   5 VA   apparent_power   HP
        CCASN      5 W    active_power     H
        CCASN-1    5 W    active_power     H
        CCAIN      5 W    active_power     HP
        CCAIN-1    5 W    active_power     HP
        UMOY1      3 V    voltage          H
        UMOY2      3 V    voltage          HT
        UMOY3      3 V    voltage          HT
        STGE       8 -    status_register
        DPM1       2 -    instant          HW
        FPM1       2 -    instant          HW
        DPM2       2 -    instant          HW
        FPM2       2 -    instant          HW
        DPM3       2 -    instant          HW
        FPM3       2 -    instant          HW
        MSG1      32 -    text
        MSG2      16 -    text             W
        PRM       14 -    identifier
        RELAIS     3 -    relays
        NTARF      2 -    number
        NJOURF     2 -    number
        NJOURF+1   2 -    number
        PJOURF+1  98 -    day_profile
        PPOINTE   98 -    day_profile      W
    """,
}

CANONICAL = {
    "adco": "adsc", "papp": "sinsts", "sinst1": "sinsts", "smaxn": "smaxsn", "smaxn_prev": "smaxsn_prev",
    "iinst": "irms1", "iinst1": "irms1", "iinst2": "irms2", "iinst3": "irms3", "base": "east",
    "hchc": "easf01", "hchp": "easf02", "ejphn": "easf01", "ejphpm": "easf02", "bbrhcjb": "easf01",
    "bbrhpjb": "easf02", "bbrhcjw": "easf03", "bbrhpjw": "easf04", "bbrhcjr": "easf05", "bbrhpjr": "easf06",
}  # fmt: skip

REGISTER_WORDS = {
    "breaker": (1, 3), "role": (8, 1), "energy_direction": (9, 1), "tic_output": (17, 1), "euridis": (19, 2),
    "plc": (21, 2), "tempo_today": (24, 2), "tempo_tomorrow": (26, 2), "peak_notice": (28, 2), "peak": (30, 2),
}  # fmt: skip


def _as_in_the_note(row: Field) -> str:
    flags = {"H": row.dated, "T": row.phase, "P": row.producer, "W": row.transient}
    said = "".join(flag for flag, holds in flags.items() if holds)
    return f"{row.label} {row.digits} {row.unit or '-'} {row.quantity.value} {said}".strip()


@pytest.mark.parametrize("mode", Mode)
def test_every_label_of_the_note_is_in_the_table_and_no_other(mode: Mode) -> None:
    note = [" ".join(line.split()) for line in NOTE[mode].strip().splitlines()]
    assert sorted(_as_in_the_note(row) for row in BY_LABEL[mode].values()) == sorted(note)


def test_labels_that_say_the_same_share_a_canonical_slug() -> None:
    assert {row.slug: row.same_as for row in FIELDS if row.same_as} == CANONICAL


def test_a_canonical_slug_is_a_row_of_its_own_that_measures_the_same() -> None:
    pairs = [(row, BY_SLUG[row.canonical]) for row in FIELDS]
    strange = [
        row.slug
        for row, canonical in pairs
        if canonical.same_as or (row.quantity, row.unit) != (canonical.quantity, canonical.unit)
    ]
    assert strange == []


def test_only_the_delivery_point_is_personal() -> None:
    assert [row.slug for row in FIELDS if row.personal] == ["prm"]


def test_no_two_rows_share_a_slug() -> None:
    assert len(BY_SLUG) == len(FIELDS)


def test_a_slug_is_its_label_in_lower_case_fit_for_a_topic_level() -> None:
    rows = [row for row in FIELDS if row.label]
    assert {row.slug for row in rows} == {
        (row.label or "").lower().replace("+1", "_next").replace("-1", "_prev") for row in rows
    }
    assert [row.slug for row in FIELDS if not re.fullmatch(r"[a-z0-9_]{1,32}", row.slug)] == []


def test_derived_rows_have_neither_label_nor_mode_and_all_others_both() -> None:
    assert {(row.derived, row.label is None, row.mode is None) for row in FIELDS} == {
        (True, True, True),
        (False, False, False),
    }
    assert dict(DERIVED) == {row.slug: row for row in FIELDS if row.label is None}


def test_only_words_have_a_list_of_words() -> None:
    assert [row.slug for row in FIELDS if (row.words is not None) != (row.quantity is Quantity.WORD)] == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_two_values_of_a_mode_share_a_name(language: str) -> None:
    for mode in Mode:
        rows = [row for row in FIELDS if row.mode in (mode, None)]
        names = {(row.canonical, getattr(row, language)) for row in rows}
        assert len({name for _, name in names}) == len(names)


def test_names_never_repeat_the_device_name() -> None:
    assert [row.slug for row in FIELDS if "linky" in f"{row.fr} {row.en}".lower()] == []


@pytest.mark.parametrize("part", REGISTER_WORDS)
def test_every_word_of_the_status_register_is_in_the_table(part: str) -> None:
    low, width = REGISTER_WORDS[part]
    said = {getattr(StatusRegister(code << low), part) for code in range(1 << width)} - {None}
    assert said == set((BY_SLUG[part].words or {}).values())
