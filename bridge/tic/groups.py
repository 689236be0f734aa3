"""A frame's bytes to its groups: label, stamp, data, checksum verdict.

Source: Enedis-NOI-CPT_54E v3, sections 5.2 (historique) and 5.3.6 (standard).
"""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

from bridge.tic.catalogue import Mode
from bridge.tic.errors import GroupError, Reason

STX: Final = b"\x02"
ETX: Final = b"\x03"
EOT: Final = b"\x04"
LF: Final = b"\n"
CR: Final = b"\r"
HT: Final = b"\t"
SP: Final = b" "

MAX_GROUP: Final = 128  # the longest real one, PJOURF+1, has 109 characters
BAD_PARITY: Final = 0  # what stands in a stream for a character whose parity failed

_TO_LF: Final = bytes.maketrans(CR + STX + ETX + EOT, LF * 4)


class Group(NamedTuple):
    """A group whose checksum is right: which mode it is written in, and its text."""

    mode: Mode
    label: str
    stamp: str | None  # the field between label and data, when there is one (standard only)
    raw: str


_edge: Final = re.compile(b"[" + CR + LF + STX + ETX + EOT + b"]").search


def is_one_group(piece: bytes) -> bool:
    """Whether what stands between CR LF and CR LF is one group, and not none or several: see `split_groups`."""
    return bool(piece) and _edge(piece) is None


def split_groups(frame: bytes) -> list[bytes]:
    """The groups of a frame, without LF, CR, STX, ETX and EOT; one of LF and CR is enough to tell two apart."""
    return [group for group in frame.translate(_TO_LF).split(LF) if group]


def checksum(area: bytes) -> int:
    """The checksum character of an area: six bits of the sum of its bytes, raised into 0x20..0x5F."""
    # adler32's low half is 1 + the sum of the bytes: one call in C instead of a loop over them.
    return ((zlib.adler32(area) - 1) & 0x3F) + 0x20


def read_group(group: bytes) -> Group:
    """Take a group apart; `GroupError` when it does not prove itself.

    The separator before the checksum tells the mode, and so the area that the checksum covers: up to the last
    data character (historique), or up to and including the last HT (standard).
    """
    if BAD_PARITY in group:
        raise GroupError(Reason.PARITY)
    if not 4 <= len(group) <= MAX_GROUP:
        raise GroupError(Reason.SHAPE)
    separator = group[-2:-1]
    if separator == HT:
        area = group[:-1]
    elif separator == SP:
        area = group[:-2]
    else:
        raise GroupError(Reason.SHAPE)
    if checksum(area) != group[-1]:
        raise GroupError(Reason.CHECKSUM)
    try:
        text = group[:-2].decode("ascii")
    except UnicodeDecodeError:
        raise GroupError(Reason.CHARACTERS) from None
    if separator == SP:
        label, found, raw = text.partition(" ")
        parts = [label, raw] if found else [label]
    else:
        parts = text.split("\t")
    if not 2 <= len(parts) <= 3 or not parts[0]:
        raise GroupError(Reason.SHAPE)
    # Label, stamp and data hold 0x20..0x7E only; the checksum cannot tell all else apart.
    if not "".join(parts).isprintable():
        raise GroupError(Reason.CHARACTERS)
    mode = Mode.HISTORIQUE if separator == SP else Mode.STANDARD
    return Group(mode, parts[0], parts[1] if len(parts) == 3 else None, parts[-1])
