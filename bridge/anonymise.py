"""A recorded stream without the numbers that name a household: meter addresses and delivery points.

Each number that stands in a group of its own (ADCO, ADSC, ADS, PRM) gets a made-up one, the same all through the
stream; maker, year and type of an address stay. Checksums are written anew: a group that proved itself still does,
one that did not still does not. Damaged groups are searched for what is left of the numbers. All else stays as it is,
byte for byte; a stream of eight bits keeps its parity, right or wrong.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from itertools import compress, count
from operator import ne
from typing import Final, NamedTuple

from bridge.tic.catalogue import BY_LABEL
from bridge.tic.errors import GroupError
from bridge.tic.groups import HT, Group, checksum, read_group

_LABELS: Final = {b"ADCO": 6, b"ADSC": 6, b"ADS": 6, b"PRM": 0}  # -> leading characters that name nobody
_KNOWN: Final = frozenset(label.encode() for labels in BY_LABEL.values() for label in labels)
_GRAM: Final = 5  # so many digits of a number in a row are hardly there by chance
_TRIES: Final = 100
_REMEMBERED: Final = 4096  # runs, since most of them come again

_DIGITS: Final = b"0123456789"
_RUN: Final = re.compile(rb"[^\n\r\x02\x03\x04]+")  # what may be a group
_TOKEN: Final = re.compile(rb"[^ \t]+")
_NUMBER: Final = re.compile(rb"[0-9]{10,}")  # an index has nine digits
_TOO_LONG: Final = re.compile(rb"(?<![HEhe0-9])[0-9]{11,}")  # neither an index nor a horodate
_NO_LABEL: Final = re.compile(rb"[0-9]{6,}")
_LABELLED: Final = re.compile(rb"(ADCO|ADSC|ADS|PRM)")
_SEVEN_BITS: Final = bytes(n & 0x7F for n in range(256))
_EVEN_CHARACTERS: Final = bytes(n for n in range(256) if not (n & 0x7F).bit_count() & 1)


class Anonymised(NamedTuple):
    """The stream, how many different numbers were replaced in it, and in how many groups."""

    data: bytes
    numbers: int
    groups: int


def anonymise(data: bytes, rng: random.Random) -> Anonymised:
    """Replace each number that names a household; the same `rng` makes up the same ones."""
    seven = data.translate(_SEVEN_BITS)
    runs = [match.span() for match in _RUN.finditer(seven)]
    real = dict(_numbers(seven[begin:end] for begin, end in runs))
    for _ in range(_TRIES):
        scrubber = _Scrubber(real, rng)
        written, groups = bytearray(seven), 0
        for begin, end in runs:
            run = seven[begin:end]
            written[begin:end] = new = scrubber.scrub(run)
            groups += new != run
        if not any(number in written for number in real):
            return Anonymised(_with_bit_seven(data, seven, bytes(written)), len(scrubber.made_up), groups)
    raise AssertionError("each made-up number completes a real one")  # pragma: no cover


def _numbers(runs: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """(number, leading characters that may stay) of the groups that prove themselves."""
    for run in runs:
        group = _read(run)
        if group is not None and group.label.encode() in _LABELS:
            for number in _NUMBER.findall(group.raw.encode()):
                yield number, _LABELS[group.label.encode()]


def _read(run: bytes) -> Group | None:
    try:
        return read_group(run)
    except GroupError:
        return None


class _Scrubber:
    """Makes up numbers and writes them in the place of the real ones."""

    def __init__(self, real: Mapping[bytes, int], rng: random.Random) -> None:
        self._rng = rng
        self._real = real
        self.made_up: dict[bytes, bytes] = {}
        self._taken: set[bytes] = set()
        for number, kept in real.items():
            self._make_up(number, kept)
        longest_first = sorted(real, key=len, reverse=True)
        self._exact = re.compile(b"|".join(longest_first) or rb"(?!)")
        grams = (n[at : at + _GRAM] for n, kept in real.items() for at in range(kept, len(n) - _GRAM + 1))
        self._grams = frozenset(gram for gram in grams if len(set(gram)) > 1)  # noughts are everywhere
        self._done: dict[bytes, bytes] = {}

    def scrub(self, run: bytes) -> bytes:
        """The run as it may be shown, of the same length."""
        if (done := self._done.get(run)) is None:
            if len(self._done) >= _REMEMBERED:
                self._done.clear()
            group = _read(run)
            done = self._done[run] = self._failing(run) if group is None else self._proven(run, group)
        return done

    # --- groups ----------------------------------------------------------------------------------

    def _proven(self, run: bytes, group: Group) -> bytes:
        kept = _LABELS.get(group.label.encode())
        if kept is not None:
            at = len(run) - 2 - len(group.raw)
            new = self._known(run[:at]) + self._data(run[at:-2], kept) + run[-2:-1]
        elif group.label in BY_LABEL[group.mode]:
            new = self._known(run[:-1])
        else:
            new = self._tokens(run[:-2]) + run[-2:-1]
        return new + bytes([checksum(new if new.endswith(HT) else new[:-1])])

    def _failing(self, run: bytes) -> bytes:
        new = self._tokens(run)
        if new != run and _read(new) is not None:  # it must not prove itself by chance
            new = new[:-1] + bytes([(new[-1] - 0x1F & 0x3F) + 0x20])
        return new

    # --- what stands between separators ----------------------------------------------------------

    def _tokens(self, run: bytes) -> bytes:
        new = bytearray(run)
        before = b""
        for match in _TOKEN.finditer(run):
            new[slice(*match.span())] = self._token(match[0], before)
            before = match[0]
        return bytes(new)

    def _token(self, token: bytes, before: bytes) -> bytes:
        for label, kept in _LABELS.items():
            if before.endswith(label):
                return self._data(token, kept)
        first, *glued = _LABELLED.split(token)  # a separator or a line end may be lost
        parts = [self._data(first, 0) if self._is_suspect(first, before) else first]
        for label, data in zip(glued[::2], glued[1::2], strict=True):
            parts += [label, self._data(data, _LABELS[label])]
        return b"".join(parts)

    def _is_suspect(self, token: bytes, before: bytes) -> bool:
        """Whether this may be a number, or part of one, whose label was lost or damaged."""
        digits = len(token) - len(token.translate(None, _DIGITS))
        return (
            self._exact.search(token) is not None
            or _TOO_LONG.search(token) is not None
            or (before not in _KNOWN and digits >= 8 and len(token) >= 10)
            or (not before and _NO_LABEL.match(token) is not None)
            or self._resembles(token, is_first=not before)
        )

    def _known(self, text: bytes) -> bytes:
        """Known numbers replaced, nothing else."""
        return self._exact.sub(lambda found: self.made_up[found[0]], text)

    def _data(self, data: bytes, kept: int) -> bytes:
        """The data of an address or a delivery point: known numbers as everywhere, then what is left."""
        if not self._exact.search(data):
            return self._make_up(data, kept)
        parts, at = [], 0
        for match in self._exact.finditer(data):
            parts += [self._left(data[at : match.start()]), self.made_up[match[0]]]
            at = match.end()
        return b"".join([*parts, self._left(data[at:])])

    def _left(self, part: bytes) -> bytes:
        return self._make_up(part, 0) if self._resembles(part, is_first=True) else part

    def _resembles(self, token: bytes, *, is_first: bool) -> bool:
        """Whether a token holds a good part of a real number; the first of a run may be the end of one."""
        if any(token[at : at + _GRAM] in self._grams for at in range(len(token) - _GRAM + 1)):
            return True
        for number in self._real:
            if is_first and len(token) >= 3 and number.endswith(token):
                return True
            alike = sum(one == other for one, other in zip(token, number, strict=False))
            if len(token) == len(number) and alike > 0.6 * len(number):
                return True
        return False

    def _make_up(self, text: bytes, kept: int) -> bytes:
        """Other digits, once and for all. What masks an address (X, dots) stays, and without digits it names nobody."""
        secret = text[kept:]
        if not any(character in _DIGITS for character in secret):
            return text
        stays = {character for character in secret if character not in _DIGITS and secret.count(character) > 2} | {0}
        while text not in self.made_up:
            new = text[:kept] + bytes(c if c in stays else self._rng.choice(_DIGITS) for c in secret)
            is_number = _NUMBER.search(new) is not None
            if new != text and not (is_number and (new in self._real or new in self._taken)):
                self.made_up[text] = new
                self._taken.add(new)
        return self.made_up[text]


def _with_bit_seven(data: bytes, seven: bytes, written: bytes) -> bytes:
    """Give changed characters the eighth bit of those they replace: the same, or the same parity, right or wrong."""
    if data.isascii():
        return written
    odd = data.translate(None, _EVEN_CHARACTERS)
    set_in_odd = sum(byte >> 7 for byte in odd)
    set_in_even = sum(byte >> 7 for byte in data) - set_in_odd
    parity = 2 * set_in_odd > len(odd) and 2 * set_in_even <= len(data) - len(odd)
    result = bytearray(data)
    for at in compress(count(), map(ne, seven, written)):
        turned = parity and (written[at] ^ seven[at]).bit_count() & 1
        result[at] = written[at] | (data[at] & 0x80) ^ turned << 7
    return bytes(result)
