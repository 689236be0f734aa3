"""One group: accepted with its typed value, unknown, or refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from zlib import adler32
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import BY_LABEL, Field, Mode, Quantity
from bridge.tic.errors import GroupError, Reason, Refused
from bridge.tic.groups import BAD_PARITY, HT, SP, Group, read_group
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
NO: Final = object()  # what a converter says to data that is not its label's


# What the groups of a label look like, byte for byte. A plain tuple, which Python takes apart fastest:
# slug; label and separator; where what follows them begins; size of the whole group (None when it may differ); what
# adler32's low half counts beside the checksum's area; separator before the checksum; data to a value (with its stamp
# when dated) or NO, None for a plain number; whether dated.
Form = tuple[str, bytes, int, int | None, int, int, Callable[[bytes], Any] | None, bool]


def judge(group: bytes, zone: ZoneInfo) -> Verdict:
    """The verdict on a group, without LF and CR."""
    label, _, _ = group.partition(HT if group[-2:-1] == HT else SP)
    row = _ROWS[Mode.STANDARD if group[-2:-1] == HT else Mode.HISTORIQUE].get(label)
    if row is not None:
        values: dict[str, Any] = {}
        stamps: dict[str, Stamp] = {}
        if not read_groups((group,), (0,), (form(row, zone),), values, stamps):
            return Accepted(row, group, values[row.slug], stamps.get(row.slug))
    return examine(group, zone)


def read_groups(
    groups: Sequence[bytes],
    places: Iterable[int],
    forms: Sequence[Form | None],
    values: dict[str, Any],
    stamps: dict[str, Stamp],
) -> list[int]:
    """Prove and read the groups at some places, into `values` and `stamps`; return the places that need a closer look.

    It checks all that `examine` checks; a test holds the two against each other. Calls are what a group costs most, so
    there is none for a number.
    """
    failed = []
    for n in places:
        group, form = groups[n], forms[n]
        if form is None:
            failed.append(n)
            continue
        slug, prefix, start, size, covered, separator, convert, dated = form
        if (len(group) != size and size is not None) or group[:start] != prefix or group[-2] != separator:
            failed.append(n)
            continue
        last = group[-1]
        # adler32's low half is 1 + the sum of the bytes: one call in C instead of a loop over them
        if (adler32(group) - last - covered & 0x3F) + 0x20 != last:
            failed.append(n)
            continue
        raw = group[start:-2]
        if convert is None:
            if raw.isdigit():
                values[slug] = int(raw)
            else:
                failed.append(n)
            continue
        value = convert(raw)
        if value is NO:
            failed.append(n)
        elif dated:
            values[slug], stamps[slug] = value
        else:
            values[slug] = value
    return failed


@cache
def form(row: Field, zone: ZoneInfo) -> Form:
    """The form of a label's groups; horodates are read in `zone`."""
    separator = SP if row.mode is Mode.HISTORIQUE else HT
    prefix = (row.label or "").encode("ascii") + separator
    data = row.digits + 14 if row.dated else row.digits
    return (
        row.slug,
        prefix,
        len(prefix),
        None if row.quantity is Quantity.DAY_PROFILE else len(prefix) + data + 2,
        # adler32 begins at 1; in mode historique the last separator does not enter the sum (54E sections 5.2, 5.3.6)
        1 + (separator[0] if separator == SP else 0),
        separator[0],
        _converter(row, zone),
        row.dated,
    )


# --- the data of one label to its value ----------------------------------------------------------


def _converter(row: Field, zone: ZoneInfo) -> Callable[[bytes], Any] | None:
    if row.dated:
        return _dated(row, zone)
    if row.quantity in NUMERIC:
        return None if row.limits is None else _limited(*row.limits)
    return _CONVERTERS.get(row.quantity) or _as_examined(row)


def _limited(lowest: int, highest: int) -> Callable[[bytes], Any]:
    return lambda raw: value if raw.isdigit() and lowest <= (value := int(raw)) <= highest else NO


def _dated(row: Field, zone: ZoneInfo) -> Callable[[bytes], Any]:
    """Of a horodate, HT and the data."""
    is_instant = row.quantity is Quantity.INSTANT
    seasons = b"HEhe " if row.seasonless else b"HEhe"

    def convert(raw: bytes) -> Any:
        data = raw[14:]
        if raw[13] != HT[0] or raw[0] not in seasons or (stamp := _stamp(raw[:13], zone)) is None:
            return NO
        if is_instant:
            return (stamp.at, stamp) if data.isascii() and data.decode().isprintable() else NO
        return (int(data), stamp) if data.isdigit() else NO

    return convert


@lru_cache(maxsize=256)
def _stamp(raw: bytes, zone: ZoneInfo) -> Stamp | None:
    """What 13 characters of a horodate say; remembered, since the labels of a frame share many."""
    try:
        return read_stamp(raw.decode("ascii"), zone)
    except (GroupError, UnicodeDecodeError):
        return None


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


def _as_examined(row: Field) -> Callable[[bytes], Any]:
    """What comes too rarely to be worth a way of its own."""

    def convert(raw: bytes) -> Any:
        try:
            text = raw.decode("ascii")
            return read_value(row, text, None) if text.isprintable() else NO
        except (GroupError, UnicodeDecodeError):
            return NO

    return convert


# --- why not -------------------------------------------------------------------------------------


def examine(group: bytes, zone: ZoneInfo) -> Verdict:
    """The verdict on a group, step by step, with the reason of a refusal."""
    if BAD_PARITY in group:  # nearly all that is refused; the way below says the same, at the price of an exception
        return Refused(_likely_label(group), _shown(group), Reason.PARITY)
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
    for separator, labels in _LABELS:
        if (label := labels.get(group.partition(separator)[0])) is not None:
            return label
    return ""


_ROWS: Final = {mode: {label.encode("ascii"): row for label, row in BY_LABEL[mode].items()} for mode in Mode}
_LABELS: Final = [
    (separator, {label.encode("ascii"): label for label in BY_LABEL[mode]})
    for separator, mode in ((HT, Mode.STANDARD), (SP, Mode.HISTORIQUE))
]
