"""One group: accepted with its typed value, unknown, or refused and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from zlib import adler32
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import BY_LABEL, Field, Mode, Quantity
from bridge.tic.errors import GroupError, Reason, Refused
from bridge.tic.groups import HT, MAX_GROUP, SP, Group, read_group
from bridge.tic.values import (
    ALL_RELAYS,
    NUMERIC,
    Relays,
    Stamp,
    StatusRegister,
    Value,
    fold,
    read_stamp,
    read_value,
)

_RAW_SHOWN: Final = 120


class Accepted(NamedTuple):
    """A known label's value."""

    field: Field
    group: bytes
    value: Value
    stamp: Stamp | None

    @property
    def raw(self) -> str:
        """The data as sent."""
        return read_group(self.group).raw


class Unknown(NamedTuple):
    """A group whose checksum is right and whose label the catalogue does not know."""

    mode: Mode
    label: str
    raw: str


Verdict = Accepted | Unknown | Refused
# Reads a group that should be of one label: its value, with its stamp where the label is dated; NO when it takes a
# closer look to say why not.
Reader = Callable[[bytes], Any]
NO: Final = object()


def judge(group: bytes, zone: ZoneInfo) -> Verdict:
    """The verdict on a group, without LF and CR."""
    label, _, _ = group.partition(HT if group[-2:-1] == HT else SP)
    row = _ROWS[Mode.STANDARD if group[-2:-1] == HT else Mode.HISTORIQUE].get(label)
    if row is not None and (read := reader(row, zone)(group)) is not NO:
        return Accepted(row, group, *(read if row.dated else (read, None)))
    return examine(group, zone)


@cache
def reader(row: Field, zone: ZoneInfo) -> Reader:
    """What proves and reads the groups of a label, in as few steps as can be.

    It checks all that `examine` checks; a test holds the two against each other.
    """
    separator = SP if row.mode is Mode.HISTORIQUE else HT
    prefix = (row.label or "").encode("ascii") + separator
    left_out = separator[0] if row.mode is Mode.HISTORIQUE else 0  # of the sum (54E sections 5.2 and 5.3.6)
    if row.dated:
        return _dated_reader(row, prefix, zone)
    if row.quantity in NUMERIC:
        return _number_reader(row, prefix, separator[0], left_out)
    if row.quantity in _CONVERTERS:
        return _exact_reader(prefix, row.digits, separator[0], left_out, _CONVERTERS[row.quantity])
    return _other_reader(row, prefix, separator, left_out)


# In each reader adler32's low half is 1 + the sum of the bytes: one call in C instead of a loop over them. What they
# have in common stands in each: a call more would cost as much as all the rest.


def _number_reader(row: Field, prefix: bytes, separator: int, left_out: int) -> Reader:
    start, size = len(prefix), len(prefix) + row.digits + 2
    covered = left_out + 1
    lowest, highest = row.limits or (0, 10**row.digits)

    def read(group: bytes) -> Any:
        if len(group) != size or group[:start] != prefix:
            return NO
        raw, last = group[start:-2], group[-1]
        if (adler32(group) - last - covered & 0x3F) + 0x20 != last or not raw.isdigit() or group[-2] != separator:
            return NO
        value = int(raw)
        return value if lowest <= value <= highest else NO

    return read


def _dated_reader(row: Field, prefix: bytes, zone: ZoneInfo) -> Reader:
    start, size = len(prefix), len(prefix) + 14 + row.digits + 2
    middle = start + 13
    is_instant = row.quantity is Quantity.INSTANT
    seasons = b"HEhe " if row.seasonless else b"HEhe"

    def read(group: bytes) -> Any:
        if len(group) != size or group[:start] != prefix:
            return NO
        raw, last = group[middle + 1 : -2], group[-1]
        if (adler32(group) - last - 1 & 0x3F) + 0x20 != last or group[middle] != 9 or group[-2] != 9:
            return NO
        if group[start] not in seasons:
            return NO
        stamp = _stamp(group[start:middle], zone)
        if stamp is None:
            return NO
        if is_instant:
            return (stamp.at, stamp) if raw.isascii() and raw.decode().isprintable() else NO
        return (int(raw), stamp) if raw.isdigit() else NO

    return read


@lru_cache(maxsize=256)
def _stamp(raw: bytes, zone: ZoneInfo) -> Stamp | None:
    """What 13 characters of a horodate say; remembered, since the labels of a frame share many."""
    try:
        return read_stamp(raw.decode("ascii"), zone)
    except (GroupError, UnicodeDecodeError):
        return None


def _exact_reader(prefix: bytes, digits: int, separator: int, left_out: int, convert: Callable[[bytes], Any]) -> Reader:
    start, size = len(prefix), len(prefix) + digits + 2
    covered = left_out + 1

    def read(group: bytes) -> Any:
        if len(group) != size or group[:start] != prefix:
            return NO
        last = group[-1]
        if (adler32(group) - last - covered & 0x3F) + 0x20 != last or group[-2] != separator:
            return NO
        return convert(group[start:-2])

    return read


def _text(raw: bytes) -> Any:
    text = raw.decode("ascii", "replace")
    return fold(text) if text.isprintable() and raw.isascii() else NO


def _identifier(raw: bytes) -> Any:
    return raw.decode() if raw.isdigit() else NO


def _relays(raw: bytes) -> Any:
    return Relays(bits) if raw.isdigit() and (bits := int(raw)) <= ALL_RELAYS else NO


def _status(raw: bytes) -> Any:
    return NO if raw.strip(_HEX) else StatusRegister(int(raw, 16))


_HEX: Final = b"0123456789ABCDEF"
_CONVERTERS: Final = {
    Quantity.TEXT: _text,
    Quantity.IDENTIFIER: _identifier,
    Quantity.RELAYS: _relays,
    Quantity.STATUS_REGISTER: _status,
}


def _other_reader(row: Field, prefix: bytes, separator: bytes, left_out: int) -> Reader:
    start, covered = len(prefix), left_out + 1

    def read(group: bytes) -> Any:
        if group[:start] != prefix or group[-2:-1] != separator or len(group) < start + 3 or len(group) > MAX_GROUP:
            return NO
        last = group[-1]
        if (adler32(group) - last - covered & 0x3F) + 0x20 != last:
            return NO
        try:
            raw = group[start:-2].decode("ascii")
            return read_value(row, raw, None) if raw.isprintable() else NO
        except (GroupError, UnicodeDecodeError):
            return NO

    return read


def examine(group: bytes, zone: ZoneInfo) -> Verdict:
    """The verdict on a group, step by step, with the reason of a refusal."""
    label, raw = "", ""
    try:
        read = read_group(group)
        label, raw = read.label, read.raw
        row = BY_LABEL[read.mode].get(label)
        if row is None:
            return Unknown(read.mode, label, raw)
        return _accept(row, group, read, zone)
    except GroupError as error:
        return Refused(label or _likely_label(group), raw or _shown(group), error.reason)


def _accept(row: Field, group: bytes, read: Group, zone: ZoneInfo) -> Accepted:
    if row.dated is (read.stamp is None):
        raise GroupError(Reason.STAMP if row.dated else Reason.SHAPE)
    stamp = None if read.stamp is None else read_stamp(read.stamp, zone)
    if stamp is not None and stamp.raw[0] == " " and not row.seasonless:
        raise GroupError(Reason.STAMP)
    return Accepted(row, group, read_value(row, read.raw, stamp), stamp)


def _shown(group: bytes) -> str:
    return group[:_RAW_SHOWN].decode("ascii", "backslashreplace")


def _likely_label(group: bytes) -> str:
    """The known label that a refused group seems to carry, for the counts; else nothing."""
    for separator, mode in ((b"\t", Mode.STANDARD), (b" ", Mode.HISTORIQUE)):
        row = _ROWS[mode].get(group.partition(separator)[0])
        if row is not None:
            return row.label or ""
    return ""


_ROWS: Final = {mode: {label.encode("ascii"): row for label, row in BY_LABEL[mode].items()} for mode in Mode}
