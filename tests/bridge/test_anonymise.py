"""A recorded stream without the numbers that name a household."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.anonymise import anonymise
from bridge.simulated.contract import Contract
from bridge.simulated.damage import corrupt
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from bridge.tic.errors import GroupError
from bridge.tic.groups import read_group
from tests.bridge.simulated import frames
from tests.bridge.wire import checksum, cut, frame, historique, standard
from tests.reference_decoder import decode

ADDRESS, POINT = "021861794834", "09374916479703"
ADSC, PRM, ADCO = standard("ADSC", ADDRESS), standard("PRM", POINT), historique("ADCO", ADDRESS)
VTIC = standard("VTIC", "02")


def scrubbed(data: bytes, seed: int = 1) -> bytes:
    return anonymise(data, random.Random(seed)).data


def groups(data: bytes) -> list[bytes]:
    """The lines of a stream, without control characters."""
    return [line for line in re.split(rb"[\n\r\x02\x03\x04]", data) if line]


def is_valid(group: bytes) -> bool:
    try:
        read_group(group)
    except GroupError:
        return False
    return True


def number_in(group: bytes) -> str:
    return read_group(group).raw


# --- numbers of their own ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "kept"),
    [
        (ADCO, 6),
        (ADSC, 6),
        (historique("ADS", "021036123456"), 6),
        (standard("ADS", "021036123456"), 6),
        (PRM, 0),
        (standard("ADSC", "12345678900"), 6),  # a digit short, the checksum right
    ],
)
def test_a_number_is_replaced_and_its_group_still_proves_itself(group: bytes, kept: int) -> None:
    done = anonymise(frame(group, VTIC), random.Random(1))
    new, other = groups(done.data)
    before, after = number_in(group), number_in(new)
    assert (len(after), after.isdigit(), after[:kept], after != before) == (len(before), True, before[:kept], True)
    assert (other, done.numbers, done.groups) == (VTIC, 1, 1)
    assert done.data == frame(new, VTIC)


def test_a_number_is_the_same_all_through_the_stream() -> None:
    data = frame(ADSC, PRM) + frame(ADCO) + frame(ADSC, standard("ADSC", "021861000003"), PRM)
    done = anonymise(data, random.Random(1))
    first, point, second, third, other, again = map(number_in, groups(done.data))
    assert (first, first, point) == (second, third, again)
    assert len({first, other, point, ADDRESS, "021861000003", POINT}) == 6
    assert (done.numbers, done.groups) == (3, 6)


def test_the_same_seed_makes_up_the_same_numbers() -> None:
    data = frame(ADSC, PRM)
    assert scrubbed(data, 1) == scrubbed(data, 1)
    assert scrubbed(data, 1) != scrubbed(data, 2)


def test_what_is_masked_names_nobody() -> None:
    masked = frame(historique("ADCO", "XXXXXXXXXX"), b"ADSC\tXXXXXXXXXXXX\t*", b"ADSC\t81187xxxxxx\tM")
    assert anonymise(masked, random.Random(1)) == (masked, 0, 0)


def test_the_digits_of_a_half_masked_number_are_replaced() -> None:
    [new] = groups(scrubbed(frame(b"PRM\t2145499yyyyyyyy\t4")))
    assert re.fullmatch(rb"PRM\t(?!2145499)[0-9]{7}yyyyyyyy\t.", new)


def test_nothing_to_replace_changes_nothing() -> None:
    assert anonymise(b"", random.Random(1)) == (b"", 0, 0)
    assert anonymise(frame(VTIC), random.Random(1)) == (frame(VTIC), 0, 0)


# --- numbers elsewhere ---------------------------------------------------------------------------


def test_a_number_in_another_groups_text_is_replaced_too() -> None:
    message = standard("MSG1", f"PRM {POINT}".ljust(32))
    unknown = historique("CONTRAT", f"N{ADDRESS}")
    prm, said, adco, contract = groups(scrubbed(frame(PRM, message) + frame(ADCO, unknown)))
    assert number_in(said) == f"PRM {number_in(prm)}".ljust(32)
    assert number_in(contract) not in (f"N{ADDRESS}", "")
    assert is_valid(contract)
    assert number_in(adco) != ADDRESS


def test_a_number_in_a_horodate_is_replaced_too() -> None:
    twin = "191003112233"  # an address that reads as a date
    address, other, stamped = groups(
        scrubbed(frame(standard("ADSC", twin), standard("SMAXSN", f"E{twin}", "01234"), standard("ADSC", twin, twin)))
    )
    assert twin.encode() not in address + other + stamped
    assert all(map(is_valid, (address, other, stamped)))


def test_a_group_of_the_meters_own_values_is_left_alone_although_it_looks_alike() -> None:
    index = standard("EAST", "061794834")  # the address's last digits, in an index that proves itself
    assert groups(scrubbed(frame(ADSC, index)))[1] == index


class Noughts(random.Random):
    """Throws six noughts before it plays fair."""

    thrown = 0

    def choice(self, seq: Any) -> Any:  # as declared by random
        self.thrown += 1
        return ord("0") if self.thrown <= 6 else super().choice(seq)


def test_a_made_up_number_may_not_complete_a_real_one() -> None:
    other = "9021861000000"
    data = frame(ADCO, historique("ADCO", other), standard("MSG1", f"9{ADDRESS}"))
    new = anonymise(data, Noughts(1)).data
    assert [number for number in (ADDRESS, other) if number.encode() in new] == []


def test_a_made_up_number_differs_from_the_real_one() -> None:
    [new] = groups(anonymise(frame(historique("ADCO", "021861000000")), Noughts(1)).data)
    assert number_in(new) != "021861000000"


def test_a_long_stream_of_many_groups_is_searched_whole() -> None:
    many = frame(*(standard("EAST", f"{n:09}") for n in range(5000)))
    new = scrubbed(frame(ADSC) + many + frame(ADSC))
    assert new[len(frame(ADSC)) : -len(frame(ADSC))] == many
    assert new.startswith(new[-len(frame(ADSC)) :])


# --- damage --------------------------------------------------------------------------------------


def damaged(group: bytes) -> bytes:
    """The same with a checksum that fails."""
    return group[:-1] + bytes([(group[-1] - 0x20 + 7) % 64 + 0x20])


@pytest.mark.parametrize(
    "group",
    [
        damaged(ADSC),
        damaged(ADCO),
        damaged(PRM),
        ADSC.replace(b"\t", b"\x08", 1),  # HT with a bit lost
        ADSC.replace(b"\t", b" "),
        b"ADSC" + ADDRESS.encode() + b"\tI",  # HT lost
        b"DSC\t" + ADDRESS.encode() + b"\tI",
        b"\tADXSC\t" + ADDRESS.encode() + b"\tI",
        b"ADSC\t0218617948y4\tI",
        b"ADSC\t02186179484\tI",
        b"ADSC\t0218617948344\tI",
        b"ADSC\t021861\x00794834\tI",
        b"AESC\t02186179y834\tI",  # label and number
        b"XX\t0218617948y4\tI",
        ADSC + VTIC,  # merged
        VTIC + ADSC,
        b"NGTF      B0" + ADDRESS.encode() + b"794834 x",
        b"PAPP 0084" + b"794834 L",
        b"PAPP 02x8617y4834 q",
        b"794834\tI",  # its beginning lost
        b"834\tI",
        b"ADSC\t02186179",  # its end lost
        b"ADSC\t" + ADDRESS.encode(),
        ADDRESS.encode(),
    ],
)
def test_a_damaged_group_keeps_failing_and_keeps_no_digits_of_the_number(group: bytes) -> None:
    data = frame(group, VTIC, ADSC, PRM)
    new, *others = groups(scrubbed(data))
    assert len(new) == len(group)
    assert not is_valid(new)
    assert [is_valid(other) for other in others] == [True, True, True]
    if b"79" in group:
        assert new != group
    secrets = (b"794834", b"79483", b"94834", b"7948", b"4834", b"9484", POINT.encode())
    assert [secret for secret in secrets if secret in new] == []


def test_a_group_broken_by_a_line_end_keeps_no_digits() -> None:
    parts = groups(scrubbed(frame(ADSC, b"ADSC\t0218617948\r34\tI", b"ADSC\t02\n1861794834\tI")))
    assert not any(re.search(rb"7948|4834", part) for part in parts)


def test_damaged_numbers_that_never_prove_themselves_are_replaced_alike() -> None:
    author = b"ADCO 123456891234 I"  # its author changed the number and not the checksum
    first, second = groups(scrubbed(frame(author) + frame(author)))
    assert first == second
    assert re.fullmatch(rb"ADCO 123456(?!891234)[0-9]{6} .", first)
    assert not is_valid(first)


def test_a_long_number_in_a_damaged_group_is_replaced_although_nothing_tells_what_it_is() -> None:
    [new, stamp] = groups(scrubbed(frame(b'ALCO"042161794834 H', b"SMAXSN\tE190922090032\t02110\tx")))
    assert b"794834" not in new
    assert stamp == b"SMAXSN\tE190922090032\t02110\tx"
    assert groups(scrubbed(b"2161794834 H\r\n" + VTIC))[0] not in (b"2161794834 H", b"")


def test_a_damaged_group_never_proves_itself_by_chance() -> None:
    for seed in range(300):
        [new] = groups(scrubbed(frame(b"ADCO 123456891234 I"), seed))
        assert not is_valid(new)


def test_other_damage_is_left_as_it_is() -> None:
    wreck = b"\x00\x00\nEAST  0021849106\t.\rEASF09\t 00000000\t*\nxx\x04\x02\nHHPHC A"
    assert scrubbed(wreck + frame(ADSC))[: len(wreck)] == wreck


# --- eight bits ----------------------------------------------------------------------------------


def with_parity(data: bytes) -> bytes:
    return bytes(byte | (byte.bit_count() & 1) << 7 for byte in data)


def test_a_stream_with_parity_keeps_it() -> None:
    data = frame(ADSC, PRM, VTIC) * 3
    assert scrubbed(with_parity(data)) == with_parity(scrubbed(data))


def test_a_wrong_parity_stays_wrong() -> None:
    data = bytearray(with_parity(frame(ADSC, VTIC) * 3))
    for at in (7, 14, 16):  # in the kept part of the address, and twice in the other
        data[at] ^= 0x80
    new = scrubbed(bytes(data))
    assert [byte.bit_count() & 1 for byte in new] == [byte.bit_count() & 1 for byte in data]


@pytest.mark.parametrize("bits", [lambda byte: byte | 0x80, lambda byte: byte])
def test_a_stream_whose_eighth_bit_says_nothing_keeps_it(bits: object) -> None:
    assert callable(bits)
    data = frame(ADSC, PRM, VTIC)
    assert scrubbed(bytes(map(bits, data))) == bytes(map(bits, scrubbed(data)))


def test_single_bits_set_by_noise_stay() -> None:
    data = bytearray(frame(ADSC, PRM, VTIC) * 3)
    data[30] ^= 0x80
    new = scrubbed(bytes(data))
    assert (new[30] & 0x80, sum(byte >> 7 for byte in new)) == (0x80, 1)


# --- properties ----------------------------------------------------------------------------------

NUMBERS = st.sampled_from([ADDRESS, "021861348498", "000000000000", "111111111111", "200101120000"])
POINTS = st.sampled_from([POINT, "00000000000000", "12345678901234", "20010112000020"])
TEXT = st.text(st.sampled_from("0123456789 ABX"), max_size=40)
LABELS = st.sampled_from(["ADSC", "ADCO", "ADS", "PRM", "EAST", "MSG1", "ADPS", "AD", "X"])
SOUND = (
    st.builds(standard, st.sampled_from(["ADSC", "ADS"]), NUMBERS)
    | st.builds(historique, st.sampled_from(["ADCO", "ADS"]), NUMBERS)
    | st.builds(standard, st.just("PRM"), POINTS)
    | st.builds(lambda label, *parts: standard(label, "".join(parts)), LABELS, NUMBERS | TEXT, POINTS | TEXT)
    | st.builds(lambda label, *parts: historique(label, "".join(parts)), LABELS, NUMBERS | TEXT, NUMBERS | TEXT)
    | st.builds(lambda number: standard("SMAXSN", f"H{number}", "01234"), NUMBERS)
)
BROKEN = st.builds(lambda group, seed: corrupt(group, random.Random(seed)), SOUND, st.integers(0, 9999))
LOOSE = (NUMBERS | POINTS | TEXT).map(str.encode) | st.binary(max_size=20)
STREAM = st.lists(st.lists(SOUND | BROKEN | LOOSE, max_size=6).map(lambda some: frame(*some)) | LOOSE, max_size=5).map(
    b"".join
)


@settings(max_examples=1500)
@given(STREAM, st.integers(0, 9999), st.booleans(), st.data())
def test_no_number_that_proves_itself_survives_anywhere(
    data: bytes, seed: int, eight: bool, draw: st.DataObject
) -> None:
    data = data[draw.draw(st.integers(0, 40)) : len(data) - draw.draw(st.integers(0, 40))]
    seven = bytes(byte & 0x7F for byte in data)
    data = with_parity(seven) if eight else data
    real = {
        number
        for group in groups(seven)
        if is_valid(group) and read_group(group).label in ("ADSC", "ADCO", "ADS", "PRM")
        for number in re.findall("[0-9]{10,}", number_in(group))
    }
    new = scrubbed(data, seed)
    shown = bytes(byte & 0x7F for byte in new)
    assert [number for number in real if number.encode() in shown] == []
    assert len(new) == len(data)
    controls = re.compile(rb"[^\n\r\x02\x03\x04]")
    assert controls.sub(b".", shown) == controls.sub(b".", seven)
    assert [is_valid(group) for group in groups(shown)] == [is_valid(group) for group in groups(seven)]
    if not data.isascii():  # without an odd character nothing tells that parity is there
        assert not eight or new == with_parity(shown)


@settings(max_examples=100)
@given(
    st.builds(
        Plan, st.sampled_from(Contract), st.sampled_from(Mode), st.sampled_from([1, 3]), seed=st.integers(1, 10**6)
    ),
    st.integers(0, 9999),
)
def test_all_else_decodes_to_the_same(plan: Plan, seed: int) -> None:
    data = b"".join(frames(plan, number=4))
    before, after = decode(data), decode(scrubbed(data, seed))
    for old, new in zip(before, after, strict=True):
        assert new["meter"] != old["meter"]
        for frame_said in (old, new):
            for slug in ("adsc", "adco", "prm"):
                frame_said["values"].pop(slug, None)
            del frame_said["meter"]
        assert new == old


@settings(max_examples=300)
@given(st.lists(st.integers(0, 9999), min_size=3, max_size=3), st.integers(0, 3000), st.sampled_from(Mode))
def test_a_damaged_stream_keeps_its_refusals_and_not_its_address(seeds: list[int], begin: int, mode: Mode) -> None:
    *sent, sound = frames(Plan(mode=mode, seed=794_834), number=4)
    broken = b"".join(corrupt(one, random.Random(seed)) for one, seed in zip(sent, seeds, strict=True))
    data = broken[begin:] + sound
    done = groups(scrubbed(data))
    assert list(map(is_valid, done)) == list(map(is_valid, groups(data)))
    assert [group for group in done if b"794834" in group] == []


def test_noise_without_an_end_takes_no_more_time_than_its_length() -> None:
    noise = b"PRM01" * 20_000 + b"x1" * 20_000
    assert len(scrubbed(noise)) == len(noise)


def test_pieces_of_a_stream_hide_the_number_as_the_whole_does() -> None:
    data = frame(ADSC, PRM, VTIC) * 3
    for piece in cut(data, [55, 70]):
        assert ADDRESS.encode() not in scrubbed(piece)
        assert POINT.encode() not in scrubbed(piece)


def test_the_checksum_of_the_tests_is_that_of_the_note() -> None:
    assert checksum(b"ADCO 021861794834") == b"L"
