"""A meter's bytes, written straight from the specification: nothing here comes from the code under test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def checksum(area: bytes) -> bytes:
    """54E section 5.3.6: the low six bits of the sum, plus 0x20."""
    return bytes([(sum(area) & 0x3F) + 0x20])


def historique(label: str, data: str) -> bytes:
    """`label SP data SP checksum`, the checksum over label and data."""
    area = f"{label} {data}".encode("ascii")
    return area + b" " + checksum(area)


def standard(label: str, *fields: str) -> bytes:
    """`label HT [horodate HT] data HT checksum`, the checksum over all that stands before it."""
    area = "\t".join((label, *fields, "")).encode("ascii")
    return area + checksum(area)


def frame(*groups: bytes) -> bytes:
    """STX, each group between LF and CR, ETX."""
    return b"\x02" + b"".join(b"\n" + group + b"\r" for group in groups) + b"\x03"


def cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """`data` in pieces of these sizes, then the rest."""
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


METER = "021861000001"

HISTORIQUE_FRAME = frame(
    historique("ADCO", METER),
    historique("OPTARIF", "HC.."),
    historique("ISOUSC", "30"),
    historique("HCHC", "014460852"),
    historique("HCHP", "012506372"),
    historique("PTEC", "HP.."),
    historique("IINST", "002"),
    historique("IMAX", "090"),
    historique("PAPP", "00530"),
    historique("HHPHC", "A"),
    historique("MOTDETAT", "000000"),
)

STANDARD_FRAME = frame(
    standard("ADSC", METER),
    standard("VTIC", "02"),
    standard("DATE", "E190922173134", ""),
    standard("LTARF", " HEURE  CREUSE  "),
    standard("EAST", "026967005"),
    standard("SINSTS", "00530"),
    standard("SMAXSN", "E190922090032", "02110"),
    standard("STGE", "003A0001"),
    standard("RELAIS", "000"),
)
