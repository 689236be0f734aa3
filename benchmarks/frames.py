"""Frames to measure with: a standard meter's 38 groups, about three of them changing from one frame to the next."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bridge.tic.catalogue import Mode
from bridge.tic.encode import encode_frame, encode_group
from bridge.tic.values import PARIS, write_stamp

START: Final = datetime(2026, 1, 15, 7, 30, tzinfo=PARIS)
CARRIAGE_RETURN: Final = 0x0D
PERIOD: Final = 1.08  # seconds from one frame to the next

_STEADY: Final = (
    ("ADSC", "021861000001"), ("VTIC", "02"), ("DATE", ""), ("NGTF", "H PLEINE/CREUSE "), ("LTARF", " HEURE  PLEINE  "),
    ("EAST", ""), ("EASF01", ""), ("EASF02", ""), *((f"EASF{n:02}", "000000000") for n in range(3, 11)),
    ("EASD01", ""), *((f"EASD{n:02}", "000000000") for n in range(2, 5)),
    ("IRMS1", "007"), ("URMS1", "232"), ("PREF", "09"), ("PCOUP", "09"), ("SINSTS", "01640"), ("SMAXSN", "03280"),
    ("SMAXSN-1", "04480"), ("CCASN", "01410"), ("CCASN-1", "01230"), ("UMOY1", "231"), ("STGE", "003A4401"),
    ("MSG1", "PAS DE          MESSAGE         "), ("PRM", "00000000000000"), ("RELAIS", "001"), ("NTARF", "02"),
    ("NJOURF", "00"), ("NJOURF+1", "00"), ("PJOURF+1", "0000C001 06208002 2220C001" + " NONUTILE" * 8),
)  # fmt: skip
_STAMPED: Final = {
    "SMAXSN": -1800, "SMAXSN-1": -40_000, "CCASN": -600, "CCASN-1": -2400, "UMOY1": -300,
}  # fmt: skip
_HISTORIQUE: Final = (
    ("ADCO", "021861000001"), ("OPTARIF", "HC.."), ("ISOUSC", "45"), ("HCHC", ""), ("HCHP", ""), ("PTEC", "HP.."),
    ("IINST", "007"), ("IMAX", "090"), ("PAPP", ""), ("HHPHC", "A"), ("MOTDETAT", "000000"),
)  # fmt: skip


def standard(number: int, seed: int = 1) -> Iterator[bytes]:
    """Frames of 38 groups, 865 bytes; DATE changes always, the indexes and the power often: three in the mean."""
    rng = random.Random(seed)  # noqa: S311  frames to measure with
    drawn, peak, power = 20_240_587.0, 12_176_090.0, 1640
    for n in range(number):
        now = START + timedelta(seconds=n * PERIOD)
        drawn, peak = drawn + power * PERIOD / 3600, peak + power * PERIOD / 3600
        if rng.random() < 0.5:
            power = max(100, min(8000, power + rng.randrange(-150, 151, 10)))
        data = {
            "EAST": f"{int(drawn):09}", "EASF01": f"{int(drawn) - int(peak):09}", "EASF02": f"{int(peak):09}",
            "EASD01": f"{int(drawn):09}", "SINSTS": f"{power:05}", "IRMS1": f"{power // 232:03}",
        }  # fmt: skip
        yield encode_frame(_group(label, data.get(label, steady), now) for label, steady in _STEADY)


def _group(label: str, data: str, now: datetime, start: datetime = START) -> bytes:
    stamp = None
    if label == "DATE":
        stamp = write_stamp(now)
    elif label in _STAMPED:
        stamp = write_stamp(start + timedelta(seconds=_STAMPED[label]))
    return encode_group(Mode.STANDARD, label, data, stamp)


def historique(number: int, seed: int = 1) -> Iterator[bytes]:
    """Frames of 11 groups, 170 bytes; the index of the running period and the power change."""
    rng = random.Random(seed)  # noqa: S311  as above
    peak, power = 12_176_090.0, 1640
    for _ in range(number):
        peak += power * 1.44 / 3600
        if rng.random() < 0.5:
            power = max(100, min(8000, power + rng.randrange(-150, 151, 10)))
        data = {"HCHC": "008064497", "HCHP": f"{int(peak):09}", "PAPP": f"{power:05}"}
        yield encode_frame(
            encode_group(Mode.HISTORIQUE, label, data.get(label, steady)) for label, steady in _HISTORIQUE
        )


def all_new(number: int, seed: int = 1) -> Iterator[bytes]:
    """Standard frames of which no group but the meter's address is the same as in the frame before."""
    rng = random.Random(seed)  # noqa: S311  as above
    indexes = dict.fromkeys((label for label, _ in _STEADY if label.startswith("EAS")), 1_000_000)
    for n in range(number):
        data = {label: f"{indexes[label] + n:09}" for label in indexes}
        data |= {label: f"{rng.randrange(10**digits):0{digits}}" for label, digits in _NUMBERS.items()}
        data |= {
            "SINSTS": f"{n % 9000:05}", "IRMS1": f"{n % 90:03}", "URMS1": f"{220 + n % 20:03}", "VTIC": f"{n % 100:02}",
            "NGTF": f"CALENDRIER {n:05}", "LTARF": f" HEURE  {n:07} ", "MSG1": f"{n:032}", "PRM": f"{n:014}",
            "STGE": f"{n:08X}", "RELAIS": f"{n % 256:03}", "NTARF": f"{n % 10 + 1:02}", "NJOURF": f"{n % 10:02}",
            "NJOURF+1": f"{n % 10:02}", "PREF": f"{n % 30 + 6:02}", "PCOUP": f"{n % 30 + 6:02}",
            "PJOURF+1": f"0000{n:04X} 06208002 2220C001" + " NONUTILE" * 8,
        }  # fmt: skip
        now = START + timedelta(seconds=n * PERIOD)
        yield encode_frame(_group(label, data.get(label, steady), now, now) for label, steady in _STEADY)


_NUMBERS: Final = {"SMAXSN": 5, "SMAXSN-1": 5, "CCASN": 5, "CCASN-1": 5, "UMOY1": 3}


def with_parity(data: bytes) -> bytes:
    """The bytes as a line of eight bits delivers them: bit 7 makes the number of ones even."""
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in data)


def damaged(frames: list[bytes], share: float, seed: int = 1) -> list[bytes]:
    """Frames as `with_parity` gives them, one bit flipped on the line in a share of their groups."""
    rng = random.Random(seed)  # noqa: S311  as above
    result = []
    for frame in frames:
        hurt = bytearray(frame)
        start = 2
        while start < len(frame) - 2:
            end = start
            while frame[end] & 0x7F != CARRIAGE_RETURN:
                end += 1
            if rng.random() < share:
                hurt[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
            start = end + 2
        result.append(bytes(hurt))
    return result
