"""What hypothesis may do to a meter's bytes: bits, characters and edges, with checksums that hold all the same."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from bridge.tic.catalogue import BY_SLUG, Mode, Quantity
from bridge.tic.encode import encode_values
from bridge.tic.values import Value
from tests.bridge.readings import stamp_of, values_of
from tests.bridge.wire import HISTORIQUE_FRAME, STANDARD_FRAME, checksum

EDGES = st.sampled_from([b"\x02", b"\x03", b"\x04", b"\n", b"\r", b"\r\n", b"\t", b" ", b"\x00"])
_EDIT = st.tuples(st.integers(0, 10_000), st.sampled_from(["flip", "lose", "double", "insert", "put"]), EDGES)
EDITS = st.lists(_EDIT, max_size=4)


def hurt(data: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    """The bytes after these edits; each place is counted round and round."""
    damaged = bytearray(data)
    for place, kind, edge in edits:
        if not damaged:
            break
        at = place % len(damaged)
        if kind == "flip":
            damaged[at] ^= 1 << place % 7
        elif kind == "lose":
            del damaged[at]
        elif kind == "double":
            damaged.insert(at, damaged[at])
        elif kind == "insert":
            damaged[at:at] = edge
        else:
            damaged[at : at + 1] = edge
    return bytes(damaged)


def proven(group: bytes) -> bytes:
    """The group, its checksum made right for what it says now."""
    area = group[:-1] if group[-2:-1] == b"\t" else group[:-2]
    return group[:-1] + checksum(area)


def repaired(stream: bytes) -> bytes:
    """The stream with the checksum of each group made right: damage that only length and characters can tell."""
    return re.sub(rb"(?<=[\n\r])[^\n\r]{3,}(?=[\n\r])", lambda found: proven(found[0]), stream)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of any selection of labels."""
    values: dict[str, Value] = draw(st.sampled_from(Mode).flatmap(values_of))
    stamp = draw(stamp_of(BY_SLUG["smaxsn"]))
    dated = (slug for slug in values if BY_SLUG[slug].dated and BY_SLUG[slug].quantity is not Quantity.INSTANT)
    return encode_values(values, dict.fromkeys(dated, stamp))


@st.composite
def sequences(draw: st.DrawFn) -> list[bytes]:
    """Frames much like each other, as a meter sends them, and what a bad line makes of them."""
    known = draw(st.lists(st.sampled_from([HISTORIQUE_FRAME, STANDARD_FRAME]) | frames(), min_size=1, max_size=2))
    sent = []
    for _ in range(draw(st.integers(1, 6))):
        whole = hurt(draw(st.sampled_from(known)), draw(EDITS))
        sent.append(repaired(whole) if draw(st.booleans()) else whole)
    return sent
