"""How each field is shown: the tables of home-assistant.md section 10."""

from __future__ import annotations

import pytest

from bridge.tic.catalogue import BY_SLUG, FIELDS, Field
from homeassistant.mapping import PLACES, Look, enabled, look

# slugs: class, state class, precision; D diagnostic, off, binary; icon where the note names one
NOTE = """
    adsc adco                     : -                -                -  D off
    vtic                          : -                -                -  D off          mdi:tag
    date                          : timestamp        -                -  D off
    ngtf                          : -                -                -  D              mdi:calendar-text
    ltarf                         : -                -                -                 mdi:cash-clock
    ntarf                         : -                -                -  D off          mdi:numeric
    east base                     : energy           total_increasing 0
    easf01 easf02 easf03 easf04 easf05 easf06 easf07 easf08 easf09 easf10 : energy total_increasing 0
    hchc hchp ejphn ejphpm bbrhcjb bbrhpjb bbrhcjw bbrhpjw bbrhcjr bbrhpjr : energy total_increasing 0
    easd01 easd02 easd03 easd04   : energy           total_increasing 0  D off
    eait                          : energy           total_increasing 0
    erq1 erq2 erq3 erq4           : reactive_energy  total_increasing 0  D off
    irms1 irms2 irms3             : current          measurement      0
    iinst iinst1 iinst2 iinst3    : current          measurement      0
    urms1 urms2 urms3             : voltage          measurement      0
    pref                          : apparent_power   -                0  D
    pcoup                         : apparent_power   -                0  D off
    sinsts sinst1 papp            : apparent_power   measurement      0
    sinsts1 sinsts2 sinsts3       : apparent_power   measurement      0
    smaxsn smaxn smaxin           : apparent_power   -                0
    smaxsn1 smaxsn2 smaxsn3       : apparent_power   -                0  off
    smaxsn_prev smaxn_prev        : apparent_power   -                0  D off
    smaxsn1_prev smaxsn2_prev smaxsn3_prev smaxin_prev : apparent_power - 0 D off
    sinsti                        : apparent_power   measurement      0
    ccasn ccasn_prev ccain ccain_prev : power        -                0  D off
    umoy1 umoy2 umoy3             : voltage          measurement      0  D off
    stge                          : -                -                -  D off          mdi:state-machine
    dpm1 fpm1 dpm2 fpm2 dpm3 fpm3 : timestamp        -                -  off
    msg1                          : -                -                -  D              mdi:message-text
    msg2                          : -                -                -  D off          mdi:message-text
    prm                           : -                -                -  D off          mdi:identifier
    relais                        : -                -                -  D off          mdi:electric-switch
    njourf njourf_next            : -                -                -  D off          mdi:calendar-today
    pjourf_next ppointe           : -                -                -  D off          mdi:calendar-clock
    optarif                       : enum             -                -  D
    isousc                        : current          -                0  D
    pejp                          : duration         -                0
    ptec demain                   : enum             -                -
    adps adir1 adir2 adir3        : current          -                0  off
    imax imax1 imax2 imax3        : current          -                0  D off
    pmax                          : apparent_power   -                0  D off
    ppot                          : -                -                -  D off          mdi:flash-triangle
    hhphc                         : -                -                -  D off          mdi:clock-outline
    motdetat                      : -                -                -  D off          mdi:file-word-box
    breaker                       : enum             -                -  D
    terminal_cover                : tamper           -                -  D off binary
    overvoltage over_power        : problem          -                -  binary
    role energy_direction         : enum             -                -  D off
    tariff_index distributor_tariff : -              -                -  D off
    clock_degraded                : problem          -                -  D binary
    tic_output euridis plc        : enum             -                -  D off
    plc_synchronised              : connectivity     -                -  D off binary
    tempo_today tempo_tomorrow    : enum             -                -
    peak_notice peak              : enum             -                -  D off
    relay_1                       : -                -                -  binary         mdi:electric-switch
    relay_2 relay_3 relay_4 relay_5 relay_6 relay_7 relay_8 : - - - D off binary
"""
# Not in the note: of our own.
OWN = """
    tariff_period                 : -                -                -  D off
    over_power_1 over_power_2 over_power_3 : problem - -              off binary
    next_tariff_change            : timestamp        -                -
    active_power_mean             : power            measurement      0
    breaker_margin                : apparent_power   measurement      0                 mdi:gauge
    breaker_seconds_to_trip       : duration         -                0                 mdi:timer-alert-outline
    power_used_percent            : -                measurement      0  off            mdi:gauge
    last_frame                    : timestamp        -                -  D off
    refused_groups                : -                total_increasing 0  D off          mdi:counter
    link_quality frames_per_minute : -               measurement      0  D off
"""
# The note enables these too; fifteen places do not suffice (docs/how-to/home-assistant.md).
NO_PLACE = {
    "ngtf", "pref", "smaxin", "msg1", "optarif", "isousc", "demain", "breaker", "clock_degraded", "relay_1",
    "breaker_seconds_to_trip",
}  # fmt: skip


def _rows(table: str) -> dict[str, str]:
    lines = [line.partition(":") for line in table.strip().splitlines()]
    return {slug: " ".join(said.split()) for slugs, _, said in lines for slug in slugs.split()}


def _as_in_the_note(shown: Look, *, on: bool, icon: bool) -> str:
    precision = None if shown.precision is None else str(shown.precision)
    words = [shown.device_class or "-", shown.state_class or "-", precision or "-"]
    words += ["D"] * shown.diagnostic + ["off"] * (not on) + ["binary"] * shown.binary
    return " ".join([*words, shown.icon or "no icon"] if icon else words)


SHOWN = {**_rows(NOTE), **_rows(OWN)}


def test_every_row_of_the_catalogue_is_in_the_tables_and_no_other() -> None:
    assert set(SHOWN) == set(BY_SLUG)


@pytest.mark.parametrize("slug", SHOWN)
def test_a_field_is_shown_as_the_note_says(slug: str) -> None:
    on = slug in NO_PLACE or BY_SLUG[slug].canonical in enabled({BY_SLUG[slug].canonical})
    assert _as_in_the_note(look(BY_SLUG[slug]), on=on, icon="mdi:" in SHOWN[slug]) == SHOWN[slug]


def _has_a_class_or_an_icon(row: Field) -> bool:
    shown = look(row)
    return bool(shown.device_class or shown.icon)


def test_what_has_no_class_has_an_icon() -> None:
    assert [row.slug for row in FIELDS if not _has_a_class_or_an_icon(row)] == []


def test_what_gets_no_place_is_never_on() -> None:
    assert NO_PLACE.isdisjoint(enabled(BY_SLUG))


def test_a_group_gets_its_places_whole_or_not_at_all() -> None:
    tempo = {"sinsts", "east", *(f"easf{n:02}" for n in range(1, 7)), "ltarf", "tempo_today", "over_power", "irms1"}
    late = {"tempo_tomorrow", "next_tariff_change", "active_power_mean"}  # their places are kept
    assert enabled(tempo) == tempo | late
    # of three currents one would have fitted
    assert enabled({*tempo, "irms2", "irms3"}) == (tempo | late) - {"irms1"}
    assert len(enabled({row.canonical for row in FIELDS})) <= PLACES
