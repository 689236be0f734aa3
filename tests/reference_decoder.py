"""A decoder of its own, one byte at a time, straight from the note: what the product's decoder is measured against.

Nothing here is imported from `bridge`, and nothing is shared with it: tables and rules are written out again from
Enedis-NOI-CPT_54E v3 and 02E v6 (as told in the project's references), so that a mistake would have to be made twice.
It is slow and obvious on purpose. `python -m tests.reference_decoder NAME.tic ...` writes NAME.json beside each
capture: an array of one object for each frame, in the shape of `ticbridge decode --json --no-guard`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

STX, ETX, EOT, LF, CR, HT, SP = 0x02, 0x03, 0x04, 0x0A, 0x0D, 0x09, 0x20

# label -> (kind, characters); a slug is the label in lower case, with +1 as _next and -1 as _prev
HISTORIQUE = {
    "ADCO": ("id", 12), "OPTARIF": ("option", 4), "ISOUSC": ("int", 2), "BASE": ("int", 9), "HCHC": ("int", 9),
    "HCHP": ("int", 9), "EJPHN": ("int", 9), "EJPHPM": ("int", 9), "BBRHCJB": ("int", 9), "BBRHPJB": ("int", 9),
    "BBRHCJW": ("int", 9), "BBRHPJW": ("int", 9), "BBRHCJR": ("int", 9), "BBRHPJR": ("int", 9), "PEJP": ("int", 2),
    "PTEC": ("period", 4), "DEMAIN": ("tomorrow", 4), "IINST": ("int", 3), "IINST1": ("int", 3), "IINST2": ("int", 3),
    "IINST3": ("int", 3), "ADPS": ("int", 3), "IMAX": ("int", 3), "IMAX1": ("int", 3), "IMAX2": ("int", 3),
    "IMAX3": ("int", 3), "PMAX": ("int", 5), "PAPP": ("int", 5), "HHPHC": ("text", 1), "MOTDETAT": ("text", 6),
    "PPOT": ("hex", 2), "ADIR1": ("int", 3), "ADIR2": ("int", 3), "ADIR3": ("int", 3),
}  # fmt: skip
STANDARD = {
    "ADSC": ("id", 12), "VTIC": ("id", 2), "DATE": ("date", 0), "NGTF": ("text", 16), "LTARF": ("text", 16),
    "EAST": ("int", 9), **{f"EASF{n:02}": ("int", 9) for n in range(1, 11)},
    **{f"EASD{n:02}": ("int", 9) for n in range(1, 5)}, "EAIT": ("int", 9),
    **{f"ERQ{n}": ("int", 9) for n in range(1, 5)}, **{f"IRMS{n}": ("int", 3) for n in (1, 2, 3)},
    **{f"URMS{n}": ("int", 3) for n in (1, 2, 3)}, "PREF": ("int", 2), "PCOUP": ("int", 2), "SINSTS": ("int", 5),
    "SINST1": ("int", 5), **{f"SINSTS{n}": ("int", 5) for n in (1, 2, 3)}, "SMAXSN": ("int", 5), "SMAXN": ("int", 5),
    **{f"SMAXSN{n}": ("int", 5) for n in (1, 2, 3)}, "SMAXSN-1": ("int", 5), "SMAXN-1": ("int", 5),
    **{f"SMAXSN{n}-1": ("int", 5) for n in (1, 2, 3)}, "SINSTI": ("int", 5), "SMAXIN": ("int", 5),
    "SMAXIN-1": ("int", 5), "CCASN": ("int", 5), "CCASN-1": ("int", 5), "CCAIN": ("int", 5), "CCAIN-1": ("int", 5),
    "UMOY1": ("int", 3), "UMOY2": ("int", 3), "UMOY3": ("int", 3), "STGE": ("hex", 8),
    "DPM1": ("date", 2), "FPM1": ("date", 2), "DPM2": ("date", 2), "FPM2": ("date", 2), "DPM3": ("date", 2),
    "FPM3": ("date", 2), "MSG1": ("text", 32), "MSG2": ("text", 16), "PRM": ("id", 14), "RELAIS": ("relays", 3),
    "NTARF": ("int", 2), "NJOURF": ("int", 2), "NJOURF+1": ("int", 2), "PJOURF+1": ("profile", 98),
    "PPOINTE": ("profile", 98),
}  # fmt: skip
DATED = {
    "DATE", "DPM1", "FPM1", "DPM2", "FPM2", "DPM3", "FPM3", "CCASN", "CCASN-1", "CCAIN", "CCAIN-1", "UMOY1", "UMOY2",
    "UMOY3", "SMAXN", "SMAXN-1",
} | {label for label in STANDARD if label.startswith(("SMAXSN", "SMAXIN"))}  # fmt: skip
LIMITS = {"NTARF": (1, 10), "NJOURF": (0, 9), "NJOURF+1": (0, 9)}  # 54E sections 6.2.3.20 and 6.2.3.21
PERIODS = {
    "TH..": "TH", "HC..": "HC", "HP..": "HP", "HN..": "HN", "PM..": "PM", "HCJB": "HCJB", "HCJW": "HCJW",
    "HCJR": "HCJR", "HPJB": "HPJB", "HPJW": "HPJW", "HPJR": "HPJR",
}  # fmt: skip
LIMITS = {"NTARF": (1, 10), "NJOURF": (0, 9), "NJOURF+1": (0, 9)}
TOMORROW = {"----": None, "BLEU": "bleu", "BLAN": "blanc", "ROUG": "rouge"}
CONTACTS = {0: "unchanged", 1: "tempo", 2: "open", 3: "closed"}


class Refusal(Exception):  # noqa: N818  a verdict, not an error
    """A group is not let through."""


class ReferenceDecoder:
    """Bytes in, one at a time; `frames` holds what came out."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self._order: list[tuple[str, str, str | None, str, Any, datetime | None]] = []
        self._refused: list[dict[str, str]] = []
        self._unknown: list[tuple[str, str, str]] = []
        self._modes: list[str] = []  # of the groups that proved themselves, as they came
        self._seen: set[str] = set()
        self._group = bytearray()
        self._whole = False  # this frame began with STX
        self._lines = 0  # LF and CR of this frame: bytes without any are noise, not a frame

    def feed(self, data: bytes) -> None:
        for byte in data:
            self._byte(byte)

    def end(self) -> None:
        self._end_group()
        self._end_frame(complete=False)

    def _byte(self, byte: int) -> None:
        if byte == STX:
            self._end_group()
            self._end_frame(complete=False)
            self._whole = True
        elif byte == ETX:
            self._end_group()
            self._end_frame(complete=self._whole)
        elif byte == EOT:
            self._end_group()
            self._end_frame(complete=False)
        elif byte in (LF, CR):
            self._end_group()
            self._lines += 1
        else:
            self._group.append(byte)

    # --- groups ----------------------------------------------------------------------------------

    def _end_group(self) -> None:
        group, self._group = bytes(self._group), bytearray()
        if not group:
            return
        label, raw = "", ""
        try:
            mode, label, stamp, raw = self._take_apart(group)
            table = STANDARD if mode == "standard" else HISTORIQUE
            if label not in table:
                self._modes.append(mode)
                self._unknown.append((mode, label, raw))
                return
            at = self._when(label, stamp)
            value = self._value(*table[label], raw)
            if label in LIMITS and not LIMITS[label][0] <= value <= LIMITS[label][1]:
                raise Refusal("value")
            self._modes.append(mode)
            self._order.append((mode, label, stamp, raw, at if table[label][0] == "date" else value, at))
        except Refusal as refusal:
            self._refused.append({"label": label or likely(group), "raw": raw or shown(group), "reason": str(refusal)})

    def _take_apart(self, group: bytes) -> tuple[str, str, str | None, str]:
        if 0 in group:
            raise Refusal("parity")
        if len(group) < 4 or len(group) > 128 or group[-2] not in (HT, SP):
            raise Refusal("shape")
        standard = group[-2] == HT
        total = 0
        for byte in group[: -1 if standard else -2]:
            total += byte
        if (total & 0x3F) + 0x20 != group[-1]:
            raise Refusal("checksum")
        fields: list[bytearray] = []
        field = bytearray()
        for byte in group[:-2]:
            if byte == (HT if standard else SP) and (standard or not fields):
                fields.append(field)
                field = bytearray()
            else:
                field.append(byte)
        fields.append(field)
        if any(byte < 0x20 or byte > 0x7E for field in fields for byte in field) and not group.isascii():
            raise Refusal("characters")
        if len(fields) < 2 or len(fields) > 3 or not fields[0]:
            raise Refusal("shape")
        if any(byte < 0x20 or byte > 0x7E for field in fields for byte in field):
            raise Refusal("characters")
        texts = [bytes(field).decode("ascii") for field in fields]
        stamp = texts[1] if standard and len(texts) == 3 else None
        return ("standard" if standard else "historique"), texts[0], stamp, texts[-1]

    def _when(self, label: str, stamp: str | None) -> datetime | None:
        if stamp is None:
            if label in DATED:
                raise Refusal("stamp")
            return None
        if label not in DATED:
            raise Refusal("shape")
        if stamp[:1] == " " and label[1:3] != "PM":
            raise Refusal("stamp")  # 54E section 6.2.1.1: DPMn and FPMn only
        digits = stamp[1:]
        if len(stamp) != 13 or stamp[0] not in "HEhe " or any(c not in "0123456789" for c in digits):
            raise Refusal("stamp")
        parts = [int(digits[n : n + 2]) for n in range(0, 12, 2)]
        zone: Any = ZoneInfo("Europe/Paris")
        if stamp[0] in "Hh":
            zone = timezone(timedelta(hours=1))
        elif stamp[0] in "Ee":
            zone = timezone(timedelta(hours=2))
        try:
            year, month, day, hour, minute, second = parts
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            raise Refusal("stamp") from None

    def _value(self, kind: str, size: int, raw: str) -> Any:
        if kind == "profile":
            return profile(raw)
        if len(raw) != size:
            raise Refusal("length")
        if kind in ("int", "id", "relays"):
            if any(c not in "0123456789" for c in raw):
                raise Refusal("characters")
            if kind == "relays" and int(raw) > 255:
                raise Refusal("value")
            return raw if kind == "id" else int(raw)
        if kind == "date":
            return None  # what it says is its horodate
        if kind == "hex":
            if any(c not in "0123456789ABCDEF" for c in raw):
                raise Refusal("characters")
            return raw
        if kind == "text":
            return " ".join(word for word in raw.split(" ") if word)
        return word(kind, raw)

    # --- frames ----------------------------------------------------------------------------------

    def _end_frame(self, *, complete: bool) -> None:
        order, self._order = self._order, []
        refused, self._refused = self._refused, []
        unknown, self._unknown = self._unknown, []
        lines, self._lines = self._lines, 0
        modes, self._modes = self._modes, []
        self._whole = False
        if not lines:
            return
        mode = max(dict.fromkeys(modes), key=modes.count) if modes else None
        if any(label == "TRAME" and raw.strip() == "TEST" for _, label, raw in unknown):  # a PME-PMI under test
            refused.append({"label": "TRAME", "raw": "TEST", "reason": "test_frame"})
            order, unknown = [], []
        twice = {
            label for _, label, stamp, _, value, _ in order
            if any((o[4], o[2]) != (value, stamp) for o in order if o[1] == label)
        }  # fmt: skip
        values: dict[str, Any] = {}
        stamps: dict[str, str] = {}
        for its_mode, label, stamp, raw, value, _ in order:
            if label in twice or its_mode != mode:
                reason = "repeated" if label in twice else "mode"
                refused.append({"label": label, "raw": raw, "reason": reason})
                continue
            values[slug(label)] = value.isoformat() if isinstance(value, datetime) else value
            if stamp is not None:
                stamps[slug(label)] = stamp
        extra = {}
        for _, label, raw in unknown:
            if label in self._seen:
                extra[label] = raw
            else:
                self._seen.add(label)
                refused.append({"label": label, "raw": raw, "reason": "unknown_label"})
        said = bool(values or extra)
        self.frames.append(
            {
                "frame": len(self.frames) + 1,
                "complete": said and complete and not twice,
                "mode": mode if said else None,
                "meter": values.get("adsc", values.get("adco")),
                "values": values,
                "stamps": stamps,
                "extra": extra,
                "refused": refused,
            }
        )


def word(kind: str, raw: str) -> str | None:
    """OPTARIF, PTEC, DEMAIN."""
    if kind == "option":
        for start, option in (("BASE", "BASE"), ("HC..", "HC"), ("EJP.", "EJP"), ("BBR", "BBR")):
            if raw.startswith(start):
                return option
    elif kind == "period" and raw in PERIODS:
        return PERIODS[raw]
    elif kind == "tomorrow" and raw in TOMORROW:
        return TOMORROW[raw]
    raise Refusal("value")


def profile(raw: str) -> list[dict[str, Any]]:
    """PJOURF+1, PPOINTE: 1 to 11 blocks HHMMSSSS or NONUTILE."""
    blocks = raw.split(" ")
    if len(blocks) > 11 or any(len(block) != 8 for block in blocks):
        raise Refusal("length")
    used = [block for block in blocks if block != "NONUTILE"]
    for block in used:
        if any(c not in "0123456789" for c in block[:4]) or any(c not in "0123456789ABCDEF" for c in block[4:]):
            raise Refusal("characters")
    switches = []
    for block in used:
        if int(block[:2]) > 23 or int(block[2:4]) > 59:
            raise Refusal("value")
        bits = int(block[4:], 16)
        index = bits % 16
        switches.append(
            {
                "at": f"{block[:2]}:{block[2:4]}",
                "index": index if 1 <= index <= 10 else None,
                "contact": CONTACTS[bits // 0x4000],
                "virtual": [n for n in range(1, 8) if bits // 2 ** (n + 3) % 2],
            }
        )
    return switches


def slug(label: str) -> str:
    """The name of a label in topics and JSON."""
    return label.lower().replace("+1", "_next").replace("-1", "_prev")


def likely(group: bytes) -> str:
    """The known label that a refused group begins with."""
    text = group.decode("ascii", "replace")
    if text.split("\t")[0] in STANDARD:
        return text.split("\t")[0]
    return text.split(" ")[0] if text.split(" ")[0] in HISTORIQUE else ""


def shown(group: bytes) -> str:
    """A refused group as text."""
    return group[:120].decode("ascii", "backslashreplace")


def decode(data: bytes) -> list[dict[str, Any]]:
    """All frames of a capture."""
    decoder = ReferenceDecoder()
    decoder.feed(data)
    decoder.end()
    return decoder.frames


def written(data: bytes) -> str:
    """The expected JSON of a capture: one line for each frame."""
    frames = ",\n".join(json.dumps(frame, ensure_ascii=False) for frame in decode(data))
    return f"[\n{frames}\n]\n"


def main(paths: list[str]) -> None:
    """Write the expected JSON beside each capture."""
    for path in map(Path, paths):
        path.with_suffix(".json").write_text(written(path.read_bytes()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
