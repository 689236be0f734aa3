"""`reading` messages that no bridge of ours sends: whoever may write to the topic can."""

from __future__ import annotations

import json
from typing import Any, Final

METER: Final = "021861000001"
EPOCH: Final = "11111111-2222-4333-8444-555555555555"
TOPIC: Final = f"linky/{METER}/reading"


def body(seq: int, **changes: Any) -> bytes:  # any JSON value
    """A reading that is right, but for the changes."""
    reading = {
        "v": 1, "meter": METER, "bridge": "pi", "epoch": EPOCH, "seq": seq, "floor": 1,
        "ts": "2026-11-21T10:00:00.250Z", "clock": "host", "tz": "Europe/Paris", "replay": False, "mode": "standard",
        "values": {"east": 1000 + seq, "ltarf": "HP"}, "derived": {}, "stamps": {}, "extra": {"GAZ": "1"}, **changes,
    }  # fmt: skip
    return json.dumps(reading, ensure_ascii=False).encode()


def _with(old: str, new: str | bytes) -> bytes:
    """The right reading with a piece of its text replaced: what json.dumps would not write."""
    text = body(9)
    assert text.count(old.encode()) == 1
    return text.replace(old.encode(), new if isinstance(new, bytes) else new.encode())


_DEEP: Final = 100_000

# what is wrong -> (topic, body, how the reason begins)
HOSTILE: Final[dict[str, tuple[str, bytes, str]]] = {
    "larger than 64 KiB": (TOPIC, body(9, extra={"GAZ": "1" * 70_000}), "70"),
    "100 000 brackets": (TOPIC, b"[" * _DEEP + b"]" * _DEEP, "200000 bytes, more than 65536"),
    "30 000 brackets": (TOPIC, b"[" * 30_000 + b"]" * 30_000, "message: Invalid JSON: recursion limit exceeded"),
    "30 000 brackets in a value": (
        TOPIC, _with("1009", "[" * 30_000 + "]" * 30_000), "message: Invalid JSON: recursion limit exceeded",
    ),
    "10 000 objects": (
        TOPIC, _with("1009", '{"a":' * 10_000 + "1" + "}" * 10_000), "message: Invalid JSON: recursion limit exceeded",
    ),
    "a value of 5000 digits": (TOPIC, _with("1009", "9" * 5000), "message: Invalid JSON: number out of range"),
    "a seq of 5000 digits": (TOPIC, _with('"seq": 9', f'"seq": {"9" * 5000}'), "message: Invalid JSON: number out of"),
    "a seq of 100 digits": (TOPIC, _with('"seq": 9', f'"seq": {"9" * 100}'), "seq: Input should be less than"),
    "a float too large": (TOPIC, _with("1009", "1e999"), "values.east"),
    "NaN": (TOPIC, _with("1009", "NaN"), "values.east"),
    "Infinity": (TOPIC, _with("1009", "Infinity"), "values.east"),
    "-Infinity": (TOPIC, _with("1009", "-Infinity"), "values.east"),
    "a key twice": (TOPIC, _with('"seq": 9', '"seq": 9, "seq" : 8'), "a key stands twice"),
    "a value twice": (TOPIC, _with('"east": 1009', '"east": 1, "\\u0065ast": 2'), "a key stands twice"),
    "another meter": (TOPIC, body(9, meter="other"), "the meter in the topic is not the meter in the message"),
    "another meter's topic": ("linky/other/reading", body(9), "the meter in the topic is not the meter in the message"),
    "the topic of an acknowledgement": (f"{TOPIC}/ack", body(9), "the meter in the topic is not the meter in the mess"),
    "another base topic": (f"maison/{METER}/reading", body(9), "the meter in the topic is not the meter in the m"),
    "a NUL in the topic": (f"{TOPIC}\x00", body(9), "the meter in the topic is not the meter in the message"),
    "an unknown key": (TOPIC, body(9, password="x"), "password: Extra inputs are not permitted"),
    "a key that writes a log line": (TOPIC, body(9, **{"x\n2026 ERROR": 1}), "x\ufffd2026 ERROR: Extra inputs"),
    "a key that paints": (TOPIC, body(9, **{"\x1b[31m": 1}), "\ufffd[31m: Extra inputs"),
    "a key with a NUL": (TOPIC, _with('"v"', '"v\\u0000"'), "v\ufffd: Extra inputs"),
    "a slug with a NUL": (TOPIC, _with('"east"', '"ea\\u0000st"'), "values.ea\ufffdst.[key]: String should match"),
    "a key of 30 000 characters": (TOPIC, _with('"east"', f'"{"a" * 30_000}"'), f"values.{'a' * 73}: String should"),
    "a NUL in a value": (TOPIC, _with('"HP"', '"H\\u0000"'), "values.ltarf"),
    "a NUL in an unknown label": (TOPIC, _with('"GAZ"', '"G\\u0000"'), "extra.G\ufffd.[key]: String should match"),
    "a NUL in an unknown label's text": (TOPIC, body(9, extra={"GAZ": "\x00"}), "extra.GAZ: String should match"),
    "a bare NUL": (TOPIC, _with('"HP"', b'"\x00"'), "message: Invalid JSON: control character"),
    "half of a surrogate pair": (TOPIC, _with('"HP"', '"\\ud800"'), "message: Invalid JSON: "),
    "the other half": (TOPIC, _with('"HP"', '"\\udc00\\ud800"'), "message: Invalid JSON: lone leading surrogate"),
    "half of a pair as bytes": (TOPIC, _with('"HP"', b'"\xed\xa0\x80"'), "message: Invalid JSON: invalid unicode"),
    "bytes that are not UTF-8": (TOPIC, _with('"HP"', b'"\xff\xfe"'), "message: Invalid JSON: invalid unicode"),
    "UTF-16": (TOPIC, body(9).decode().encode("utf-16"), "message: Invalid JSON: expected value"),
    "too many fields": (TOPIC, body(9, values={f"x{n}": n for n in range(161)}), "values: Dictionary should have at"),
    "too many unknown labels": (TOPIC, body(9, extra={f"X{n}": "" for n in range(33)}), "extra: Dictionary should"),
    "nothing": (TOPIC, b"", "message: Invalid JSON: EOF"),
    "null": (TOPIC, b"null", "message: Input should be an object"),
    "two readings": (TOPIC, body(9) + body(10), "message: Invalid JSON: trailing characters"),
    "a year that no zone can show": (TOPIC, body(9, ts="9999-12-31T23:59:59.000Z"), "ts: String should match pattern"),
    "the first year": (TOPIC, body(9, ts="0001-01-01T00:00:00.000Z"), "ts: String should match pattern"),
    "digits of another script": (TOPIC, body(9, ts="२०२६-11-21T10:00:00.250Z"), "ts: String should match pattern"),
    "a day that is none": (TOPIC, body(9, ts="2026-02-30T10:00:00.250Z"), "ts: day is out of range for month"),
}  # fmt: skip


def mark(**changes: Any) -> bytes:  # any JSON value
    """A watermark that is right, but for the changes."""
    return json.dumps({"epoch": EPOCH, "seq": 9, "batch_seconds": 10.0, **changes}).encode()


# what is wrong -> (topic, body) of a watermark
HOSTILE_MARKS: Final[dict[str, tuple[str, bytes]]] = {
    "larger than 1 KiB": (f"{TOPIC}/ack", mark(seq=9) + b" " * 1024),
    "100 000 brackets": (f"{TOPIC}/ack", b"[" * _DEEP + b"]" * _DEEP),
    "500 brackets": (f"{TOPIC}/ack", b"[" * 500 + b"]" * 500),
    "a seq of 900 digits": (f"{TOPIC}/ack", mark().replace(b"9", b"9" * 900)),
    "a seq below zero": (f"{TOPIC}/ack", mark(seq=-1)),
    "a seq that no bridge counts to": (f"{TOPIC}/ack", mark(seq=2**53)),
    "a seq that is a fact": (f"{TOPIC}/ack", mark(seq=True)),
    "a seq that is a text": (f"{TOPIC}/ack", mark(seq="9")),
    "a seq that is a float": (f"{TOPIC}/ack", mark(seq=9.0)),
    "NaN": (f"{TOPIC}/ack", mark(batch_seconds=float("nan"))),
    "Infinity": (f"{TOPIC}/ack", mark(batch_seconds=float("inf"))),
    "a batch of more than a day": (f"{TOPIC}/ack", mark(batch_seconds=86_401)),
    "an epoch that is none": (f"{TOPIC}/ack", mark(epoch="../../etc")),
    "an epoch with a NUL": (f"{TOPIC}/ack", mark(epoch=f"{EPOCH[:-1]}\x00")),
    "an epoch with a line end": (f"{TOPIC}/ack", mark(epoch=f"{EPOCH}\n")),
    "an unknown key": (f"{TOPIC}/ack", mark(meter=METER)),
    "bytes that are not UTF-8": (f"{TOPIC}/ack", mark().replace(b"1111", b"\xff\xfe\xff\xfe", 1)),
    "nothing": (f"{TOPIC}/ack", b""),
    "null": (f"{TOPIC}/ack", b"null"),
    "the topic of a reading": (TOPIC, mark()),
    "another base topic": (f"maison/{METER}/reading/ack", mark()),
    "a deeper topic": (f"{TOPIC}/ack/x", mark()),
    "a topic of no meter": ("linky/bridge/reading/ack", mark()),
    "a meter that is none": ("linky/a b/reading/ack", mark()),
}
