"""The meter's characters to typed values, and back."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.tic.catalogue import BY_LABEL, Field, Mode
from bridge.tic.errors import GroupError, Reason
from bridge.tic.values import (
    PARIS,
    DayProfile,
    PhaseLoss,
    Relays,
    StatusRegister,
    Switch,
    Value,
    read_stamp,
    read_value,
    to_json,
    write_stamp,
    write_value,
)

H, S = Mode.HISTORIQUE, Mode.STANDARD


# --- horodates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "instant", "degraded"),
    [
        ("E190922173134", "2019-09-22T17:31:34+02:00", False),
        ("H200213085118", "2020-02-13T08:51:18+01:00", False),
        # the hour that October repeats: the letter alone tells which
        ("E201025023000", "2020-10-25T02:30:00+02:00", False),
        ("H201025023000", "2020-10-25T02:30:00+01:00", False),
        # a degraded clock: the same instant, and a doubt
        ("e190922173134", "2019-09-22T17:31:34+02:00", True),
        ("h200213085118", "2020-02-13T08:51:18+01:00", True),
        # a letter that contradicts the calendar is believed
        ("H200714120000", "2020-07-14T12:00:00+01:00", False),
        ("E200114120000", "2020-01-14T12:00:00+02:00", False),
        # DPMn and FPMn have no season: the rules of the zone
        (" 200214060000", "2020-02-14T06:00:00+01:00", False),
        (" 200714060000", "2020-07-14T06:00:00+02:00", False),
        ("H000229000000", "2000-02-29T00:00:00+01:00", False),
    ],
)
def test_the_season_letter_tells_the_offset(raw: str, instant: str, degraded: bool) -> None:
    stamp = read_stamp(raw)
    assert (stamp.raw, stamp.at.isoformat(), stamp.degraded) == (raw, instant, degraded)


def test_outside_french_legal_time_the_zone_tells_the_offset() -> None:
    stamp = read_stamp("e200714120000", ZoneInfo("Indian/Reunion"))
    assert (stamp.raw, stamp.at.isoformat(), stamp.degraded) == ("e200714120000", "2020-07-14T12:00:00+04:00", True)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "E19092217313",  # twelve characters
        "E1909221731344",
        "X190922173134",
        "1909221731340",
        "E19092217313A",
        "E19092217313٤",  # a digit, but not one of the meter's
        "E191322173134",  # month 13
        "E190230173134",  # 30 February
        "E190922243134",  # hour 24
        "E190922176034",
        "H000000000000",
    ],
)
def test_what_is_no_horodate_is_refused(raw: str) -> None:
    with pytest.raises(GroupError) as caught:
        read_stamp(raw)
    assert caught.value.reason is Reason.STAMP


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001  aware by timezones
def test_an_instant_written_as_the_meter_would_reads_back(at: datetime) -> None:
    at = at.replace(microsecond=0)
    assert read_stamp(write_stamp(at)).at == at


def test_both_instants_of_the_repeated_hour_are_written_with_their_letter() -> None:
    first = datetime(2020, 10, 25, 0, 30, tzinfo=UTC)
    assert [write_stamp(first), write_stamp(first + timedelta(hours=1))] == ["E201025023000", "H201025023000"]


# --- the status register -------------------------------------------------------------------------

PARTS = (
    "dry_contact_closed", "breaker", "terminal_cover", "overvoltage", "over_power", "role", "energy_direction",
    "tariff_index", "distributor_tariff", "clock_degraded", "tic_output", "euridis", "plc", "plc_synchronised",
    "tempo_today", "tempo_tomorrow", "peak_notice", "peak",
)  # fmt: skip
AT_REST = {
    "dry_contact_closed": True, "breaker": "closed", "terminal_cover": False, "overvoltage": False,
    "over_power": False, "role": "consumer", "energy_direction": "drawn", "tariff_index": 1, "distributor_tariff": 1,
    "clock_degraded": False, "tic_output": "historique", "euridis": "off", "plc": "new_unlock",
    "plc_synchronised": False, "tempo_today": None, "tempo_tomorrow": None, "peak_notice": None, "peak": None,
}  # fmt: skip
BREAKER = [
    "closed", "over_power", "over_voltage", "load_shedding", "order", "overheating_high", "overheating_low", "unknown",
]  # fmt: skip
# what the captures share: standard output, secured Euridis, an older meter's power line state
ON_THE_WIRE = {**AT_REST, "tic_output": "standard", "euridis": "secured", "plc": "new_lock"}


def parts(register: StatusRegister) -> dict[str, object]:
    return {part: getattr(register, part) for part in PARTS}


def test_every_part_of_the_register_is_tested() -> None:
    named = [name for name, member in vars(StatusRegister).items() if isinstance(member, property)]
    assert sorted(named) == sorted(PARTS)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("00000000", AT_REST),
        ("003A0001", {**ON_THE_WIRE, "dry_contact_closed": False}),
        (
            "463A0800",
            {**ON_THE_WIRE, "tariff_index": 3, "tempo_today": "blanc", "tempo_tomorrow": "bleu", "peak": "pm1"},
        ),
        (
            "2D3A8000",
            {
                **ON_THE_WIRE,
                "distributor_tariff": 3,
                "tempo_today": "bleu",
                "tempo_tomorrow": "rouge",
                "peak_notice": "pm2",
            },
        ),
        (
            "833AD501",
            {
                **ON_THE_WIRE,
                "dry_contact_closed": False,
                "role": "producer",
                "tariff_index": 6,
                "distributor_tariff": 4,
                "tempo_today": "rouge",
                "peak": "pm2",
            },
        ),
        (
            "000A4411",
            {
                **AT_REST,
                "dry_contact_closed": False,
                "terminal_cover": True,
                "tariff_index": 2,
                "distributor_tariff": 2,
                "tic_output": "standard",
                "euridis": "open",
            },
        ),
        (
            "003AC301",
            {
                **ON_THE_WIRE,
                "dry_contact_closed": False,
                "role": "producer",
                "energy_direction": "injected",
                "distributor_tariff": 4,
            },
        ),
        (
            "FFFFFFFF",
            {
                "dry_contact_closed": False, "breaker": "unknown", "terminal_cover": True, "overvoltage": True,
                "over_power": True, "role": "producer", "energy_direction": "injected", "tariff_index": None,
                "distributor_tariff": 4, "clock_degraded": True, "tic_output": "standard", "euridis": "secured",
                "plc": "unknown", "plc_synchronised": True, "tempo_today": "rouge", "tempo_tomorrow": "rouge",
                "peak_notice": "pm3", "peak": "pm3",
            },
        ),
    ],
)  # fmt: skip
def test_a_status_register_says_each_of_its_parts(raw: str, said: dict[str, object]) -> None:
    register = StatusRegister(int(raw, 16))
    assert (str(register), parts(register)) == (raw, said)


@pytest.mark.parametrize(
    ("low", "width", "part", "words"),
    [
        (0, 1, "dry_contact_closed", [True, False]),
        (1, 3, "breaker", BREAKER),
        (4, 1, "terminal_cover", [False, True]),
        (6, 1, "overvoltage", [False, True]),
        (7, 1, "over_power", [False, True]),
        (8, 1, "role", ["consumer", "producer"]),
        (9, 1, "energy_direction", ["drawn", "injected"]),
        (10, 4, "tariff_index", [*range(1, 11), *[None] * 6]),
        (14, 2, "distributor_tariff", [1, 2, 3, 4]),
        (16, 1, "clock_degraded", [False, True]),
        (17, 1, "tic_output", ["historique", "standard"]),
        (19, 2, "euridis", ["off", "open", "unknown", "secured"]),
        (21, 2, "plc", ["new_unlock", "new_lock", "registered", "unknown"]),
        (23, 1, "plc_synchronised", [False, True]),
        (24, 2, "tempo_today", [None, "bleu", "blanc", "rouge"]),
        (26, 2, "tempo_tomorrow", [None, "bleu", "blanc", "rouge"]),
        (28, 2, "peak_notice", [None, "pm1", "pm2", "pm3"]),
        (30, 2, "peak", [None, "pm1", "pm2", "pm3"]),
    ],
)
def test_a_part_reads_its_own_bits_and_no_others(low: int, width: int, part: str, words: list[object]) -> None:
    said = [parts(StatusRegister(code << low)) for code in range(1 << width)]
    assert said == [{**AT_REST, part: word} for word in words]


# --- relays, phases, day profiles ----------------------------------------------------------------


@pytest.mark.parametrize(("bits", "closed"), [(0, []), (1, [1]), (140, [3, 4, 8]), (255, [1, 2, 3, 4, 5, 6, 7, 8])])
def test_relays_are_numbered_from_one(bits: int, closed: list[int]) -> None:
    assert [number for number in range(1, 9) if Relays(bits).closed(number)] == closed


@pytest.mark.parametrize(
    ("bits", "missing"),
    [(0x00, ()), (0x02, (1,)), (0x04, (2,)), (0x08, (3,)), (0x0E, (1, 2, 3)), (0x01, ())],
)
def test_a_set_bit_is_a_missing_phase(bits: int, missing: tuple[int, ...]) -> None:
    assert PhaseLoss(bits).missing == missing


@pytest.mark.parametrize(
    ("block", "index", "contact", "virtual"),
    [
        (0xC001, 1, "closed", ()),
        (0x8002, 2, "open", ()),
        (0x4001, 1, "tempo", ()),
        (0x0000, None, "unchanged", ()),
        (0x000A, 10, "unchanged", ()),
        (0x000B, None, "unchanged", ()),
        (0x0010, None, "unchanged", (1,)),
        (0x0400, None, "unchanged", (7,)),
        (0x3800, None, "unchanged", ()),  # bits 13 to 11 are unused
        (0xFFFF, None, "closed", (1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_a_switch_sets_index_and_contacts(
    block: int, index: int | None, contact: str, virtual: tuple[int, ...]
) -> None:
    switch = Switch("06:00", block)
    assert (switch.index, switch.contact, switch.virtual) == (index, contact, virtual)


# --- each quantity, read and written -------------------------------------------------------------

FREE = " NONUTILE"
PROFILE = DayProfile.of((Switch("00:00", 0xC001), Switch("06:20", 0x8002), Switch("22:20", 0xC001)))


@pytest.mark.parametrize(
    ("mode", "label", "raw", "value", "json"),
    [
        (H, "ADCO", "021861000001", "021861000001", "021861000001"),
        (S, "VTIC", "02", "02", "02"),
        (S, "PRM", "01234567890123", "01234567890123", "01234567890123"),
        (H, "BASE", "000000042", 42, 42),
        (S, "ERQ1", "002970842", 2970842, 2970842),
        (H, "PAPP", "01095", 1095, 1095),
        (S, "PREF", "09", 9, 9),
        (S, "NTARF", "10", 10, 10),
        (S, "NTARF", "01", 1, 1),
        (S, "NJOURF+1", "09", 9, 9),
        (S, "RELAIS", "255", Relays(255), 255),
        (H, "HHPHC", "A", "A", "A"),
        (H, "MOTDETAT", "400000", "400000", "400000"),
        (H, "PTEC", "HP..", "HP", "HP"),
        (H, "PTEC", "HCJW", "HCJW", "HCJW"),
        (H, "OPTARIF", "BASE", "BASE", "BASE"),
        (H, "OPTARIF", "EJP.", "EJP", "EJP"),
        (H, "OPTARIF", "BBR(", "BBR", "BBR"),
        (H, "DEMAIN", "ROUG", "rouge", "rouge"),
        (H, "DEMAIN", "----", None, None),
        (H, "PPOT", "0E", PhaseLoss(0x0E), "0E"),
        (S, "STGE", "003A0001", StatusRegister(0x003A0001), "003A0001"),
        (S, "RELAIS", "140", Relays(140), 140),
        (S, "NGTF", "      BASE      ", "BASE", "BASE"),
        (S, "LTARF", "     HP  BLEU   ", "HP BLEU", "HP BLEU"),
        (S, "MSG2", " " * 16, "", ""),
        (
            S,
            "PJOURF+1",
            "0000C001 06208002 2220C001" + FREE * 8,
            PROFILE,
            [
                {"at": "00:00", "index": 1, "contact": "closed", "virtual": []},
                {"at": "06:20", "index": 2, "contact": "open", "virtual": []},
                {"at": "22:20", "index": 1, "contact": "closed", "virtual": []},
            ],
        ),
        (S, "PPOINTE", FREE.strip() + FREE * 10, DayProfile.of(()), []),
    ],
)
def test_a_value_is_read_as_what_it_is(mode: Mode, label: str, raw: str, value: Value, json: object) -> None:
    read = read_value(BY_LABEL[mode][label], raw, None)
    assert (read, to_json(read)) == (value, json)


def test_an_instants_value_is_its_horodate() -> None:
    stamp = read_stamp("E190922173134")
    read = [read_value(BY_LABEL[S]["DATE"], "", stamp), read_value(BY_LABEL[S]["DPM1"], "00", stamp)]
    assert [to_json(value) for value in read] == ["2019-09-22T17:31:34+02:00"] * 2


def test_the_hosts_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        written = write_stamp(datetime(2020, 1, 1, 12, 0, tzinfo=UTC))
    time.tzset()
    assert written == "H200101130000"


def test_a_profile_is_the_text_of_its_blocks() -> None:
    assert DayProfile.of((Switch("00:00", 0xC001), Switch("06:20", 2))) == DayProfile("0000C001 06200002")


def test_blocks_in_use_are_kept_wherever_the_free_ones_stand() -> None:
    read = read_value(BY_LABEL[S]["PJOURF+1"], "00004001 NONUTILE 06004002 NONUTILE", None)
    assert read == DayProfile("00004001 06004002")


def test_blocks_that_are_free_may_stand_first() -> None:
    read = read_value(BY_LABEL[S]["PJOURF+1"], "NONUTILE 00004001 NONUTILE", None)
    assert read == DayProfile("00004001")


def test_a_profile_may_have_fewer_than_eleven_blocks() -> None:
    read = read_value(BY_LABEL[S]["PJOURF+1"], "00004001 NONUTILE", None)
    assert (read, str(read)) == (DayProfile.of((Switch("00:00", 0x4001),)), "00004001")


@pytest.mark.parametrize(
    ("mode", "label", "raw", "reason"),
    [
        (H, "ADCO", "02186100000", Reason.LENGTH),
        (H, "ADCO", "02186100000q", Reason.CHARACTERS),  # the flipped bit 6 that no checksum sees
        (H, "ADCO", "02186100000²", Reason.CHARACTERS),  # a digit to Python
        (H, "BASE", "12345678", Reason.LENGTH),
        (H, "BASE", "0123456789", Reason.LENGTH),
        (H, "BASE", " 12345678", Reason.CHARACTERS),
        (H, "PAPP", "-0530", Reason.CHARACTERS),
        (H, "PTEC", "HP.", Reason.LENGTH),
        (H, "PTEC", "XX..", Reason.VALUE),
        (H, "OPTARIF", "BBX(", Reason.VALUE),
        (H, "DEMAIN", "VERT", Reason.VALUE),
        (H, "HHPHC", "AB", Reason.LENGTH),
        (H, "PPOT", "0", Reason.LENGTH),
        (H, "PPOT", "0g", Reason.CHARACTERS),
        (S, "STGE", "003A001", Reason.LENGTH),
        (S, "STGE", "003a0001", Reason.CHARACTERS),
        (S, "STGE", "+03A0001", Reason.CHARACTERS),
        (S, "NTARF", "00", Reason.VALUE),
        (S, "NTARF", "11", Reason.VALUE),
        (S, "RELAIS", "256", Reason.VALUE),
        (S, "RELAIS", "1.0", Reason.CHARACTERS),
        (S, "DATE", "00", Reason.LENGTH),
        (S, "DPM1", "", Reason.LENGTH),
        (S, "LTARF", "HP BLEU", Reason.LENGTH),
        (S, "PJOURF+1", "", Reason.LENGTH),
        (S, "PJOURF+1", "0000C001  06208002", Reason.LENGTH),
        (S, "PJOURF+1", "NONUTILE" + FREE * 11, Reason.LENGTH),
        (S, "PJOURF+1", "0000C00", Reason.LENGTH),
        (S, "PJOURF+1", "0000Cé01", Reason.CHARACTERS),
        (S, "PJOURF+1", "0000C00G", Reason.CHARACTERS),
        (S, "PJOURF+1", "00x0C001", Reason.CHARACTERS),
        (S, "PJOURF+1", "2400C001", Reason.VALUE),
        (S, "PJOURF+1", "0060C001", Reason.VALUE),
        (S, "PJOURF+1", "0000C001 2400C001", Reason.VALUE),
        (S, "PJOURF+1", "0000G001", Reason.CHARACTERS),
        (S, "PJOURF+1", "0000C00g" + FREE * 10, Reason.CHARACTERS),
    ],
)
def test_data_that_is_not_the_labels_is_refused(mode: Mode, label: str, raw: str, reason: Reason) -> None:
    with pytest.raises(GroupError) as caught:
        read_value(BY_LABEL[mode][label], raw, None)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("mode", "label", "value", "raw"),
    [
        (H, "BASE", 42, "000000042"),
        (H, "ADCO", "021861000001", "021861000001"),
        (H, "OPTARIF", "BBR", "BBR("),
        (H, "OPTARIF", "HC", "HC.."),
        (H, "DEMAIN", None, "----"),
        (H, "PPOT", PhaseLoss(0x0E), "0E"),
        (S, "STGE", StatusRegister(0x003A0001), "003A0001"),
        (S, "RELAIS", Relays(1), "001"),
        (S, "LTARF", "HP BLEU", "    HP BLEU     "),
        (S, "DATE", datetime(2019, 9, 22, 17, 31, 34, tzinfo=PARIS), ""),
        (S, "DPM1", datetime(2019, 9, 22, 6, 0, 0, tzinfo=PARIS), "00"),
        (S, "PJOURF+1", PROFILE, "0000C001 06208002 2220C001" + FREE * 8),
    ],
)
def test_a_value_is_written_as_the_meter_sends_it(mode: Mode, label: str, value: Value, raw: str) -> None:
    assert write_value(BY_LABEL[mode][label], value) == raw


@given(st.sampled_from([row for mode in Mode for row in BY_LABEL[mode].values()]), st.text(max_size=120))
def test_no_data_whatever_gives_more_than_a_refusal(row: Field, raw: str) -> None:
    with suppress(GroupError):
        read_value(row, raw, None)
