"""The eighth bit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.tic.parity import WINDOW, Parity
from tests.bridge.wire import STANDARD_FRAME

SEVEN = st.binary(max_size=3 * WINDOW).map(lambda data: bytes(byte & 0x7F for byte in data))


def with_parity(data: bytes) -> bytes:
    """What an adapter of eight bits hands over: bit 7 makes the number of ones even."""
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in data)


def started() -> Parity:
    """A line that was seen to deliver its parity."""
    parity = Parity()
    line = with_parity(STANDARD_FRAME * (WINDOW // len(STANDARD_FRAME) + 1))
    parity.feed(line[:WINDOW])
    assert parity.given
    return parity


@given(SEVEN)
def test_a_line_of_seven_bits_passes_unchanged(data: bytes) -> None:
    parity = Parity()
    assert (parity.feed(data), parity.given) == (data, False)


@given(SEVEN)
def test_the_parity_is_taken_off(data: bytes) -> None:
    assert Parity().feed(with_parity(data)) == data


def test_a_character_that_fails_becomes_nul_once_the_line_is_known() -> None:
    parity = started()
    line = bytearray(with_parity(b"\nEAST\t000000001\t"))
    line[9] ^= 0x04
    assert parity.feed(bytes(line)) == b"\nEAST\t000\x0000001\t"


def test_before_that_nothing_is_refused() -> None:
    line = bytearray(with_parity(b"\nEAST\t000000001\t"))
    line[9] ^= 0x04
    assert Parity().feed(bytes(line)) == b"\nEAST\t000400001\t"


def test_a_noisy_line_still_delivers_its_parity() -> None:
    parity = Parity()
    line = bytearray(with_parity(STANDARD_FRAME * 10)[:WINDOW])
    for at in range(0, WINDOW, 5):
        line[at] ^= 0x01
    parity.feed(bytes(line))
    assert parity.given


def test_pure_noise_changes_nothing() -> None:
    noise = bytes((n * 151 + n * n * 7) % 256 for n in range(WINDOW))
    parity = Parity()
    parity.feed(noise)
    known = started()
    known.feed(noise)
    assert (parity.given, known.given) == (False, True)


def test_a_line_that_stops_to_deliver_parity_is_read_on() -> None:
    parity = started()
    plain = (STANDARD_FRAME * 10)[:WINDOW]
    parity.feed(plain)
    assert (parity.given, parity.feed(plain)) == (False, plain)


@given(st.binary(max_size=3 * WINDOW), st.lists(st.integers(1, 90)))
def test_pieces_do_not_matter(data: bytes, sizes: list[int]) -> None:
    whole, split = Parity(), Parity()
    taken, rest = b"", data
    for size in sizes:
        taken, rest = taken + split.feed(rest[:size]), rest[size:]
    assert (taken + split.feed(rest), split.given) == (whole.feed(data), whole.given)
