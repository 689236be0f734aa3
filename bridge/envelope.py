"""The `reading` message as the store reads it. The bridge writes it without this: see `bridge/body.py`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.tic.catalogue import Mode
from bridge.topics import LEVEL, MAX_PAYLOAD, Epoch, Message, Topics


class EnvelopeError(ValueError):
    """A `reading` message that cannot be used; the text says why."""


_Level = Annotated[str, Field(pattern=LEVEL)]
_Slug = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
# No NUL: PostgreSQL keeps none in a text.
_Label = Annotated[str, Field(pattern=r"^[^\x00]{1,128}$")]
_Text = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=128)]
_Int = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Float = Annotated[float, Field(ge=-(2**31), lt=2**31)]  # else an integer too large would pass as one
_Seq = Annotated[int, Field(ge=1, lt=2**53)]
_BLANKS: Final = (b'" ', b'"\t', b'"\r', b'"\n')
_TS: Final = (
    r"^(19[7-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"  # years that any zone can show
)


class ProfileSwitch(BaseModel):
    """One switch of a day profile, in a reading message."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at: Annotated[str, Field(pattern=r"^[0-9]{2}:[0-9]{2}$")]
    index: Annotated[int, Field(ge=1, le=10)] | None
    contact: Literal["unchanged", "tempo", "open", "closed"]
    virtual: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)]


_Scalar = bool | _Int | _Float | _Text | None
_Value = _Scalar | Annotated[list[ProfileSwitch], Field(max_length=11)]


class Envelope(BaseModel):
    """A `reading` message: everything that one frame said, numbered. Strict and bounded: it comes from outside."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    v: Literal[1] = 1
    meter: _Level
    bridge: _Level
    epoch: Epoch  # one per bridge start
    seq: _Seq  # 1, 2, 3 ... per meter inside an epoch
    floor: _Seq  # the oldest seq that the bridge still holds
    since: _Seq = 1  # the first seq that was promised: what lies before it is not missed
    ts: Annotated[str, Field(pattern=_TS)]  # UTC
    clock: Literal["host", "meter", "unsure"] = "host"
    tz: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
    replay: bool = False
    mode: Mode = Field(strict=False)
    values: Annotated[dict[_Slug, _Value], Field(max_length=160)]
    derived: Annotated[dict[_Slug, _Scalar], Field(max_length=80)] = {}
    stamps: Annotated[dict[_Slug, Annotated[str, Field(pattern=r"^[HEhe ][0-9]{12}$")]], Field(max_length=80)] = {}
    extra: Annotated[dict[_Label, _Text], Field(max_length=32)] = {}

    @property
    def moment(self) -> datetime:
        """`ts` as an aware instant."""
        return datetime.fromisoformat(self.ts)


def reading_message(topics: Topics, envelope: Envelope) -> Message:
    """The message that carries a reading to the store."""
    return Message(topics.meter(envelope.meter, "reading"), envelope.model_dump_json(), retain=False, qos=1)


def read_envelope(topics: Topics, topic: str, body: bytes) -> Envelope:
    """Parse a `reading` message; `EnvelopeError` says what is wrong with it."""
    if len(body) > MAX_PAYLOAD:
        raise EnvelopeError(f"{len(body)} bytes, more than {MAX_PAYLOAD}")
    try:
        envelope = Envelope.model_validate_json(body)
        if not _is_plain(body, envelope):
            json.loads(body, object_pairs_hook=_each_once)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = printable(".".join(str(part) for part in first["loc"]), 80) or "message"
        raise EnvelopeError(f"{where}: {first['msg']}") from None
    try:
        _ = envelope.moment
    except ValueError as error:
        raise EnvelopeError(f"ts: {error}") from None
    if topic != topics.meter(envelope.meter, "reading"):
        raise EnvelopeError("the meter in the topic is not the meter in the message")
    return envelope


def _is_plain(body: bytes, envelope: Envelope) -> bool:
    """Whether each key surely stands once: then there are as many as were read, and reading it again is spared.

    A key ends with a quote and a colon. A text may hold these two as well, or a blank may part them: who writes so is
    read again.
    """
    keys = len(envelope.model_fields_set) + len(envelope.values) + len(envelope.derived)
    keys += len(envelope.stamps) + len(envelope.extra)
    switches = [one for value in envelope.values.values() if type(value) is list for one in value]
    keys += len(switches) * len(ProfileSwitch.model_fields)
    return body.count(b'":') == keys and not any(blank in body for blank in _BLANKS)


def _each_once(pairs: list[tuple[str, Any]]) -> None:  # any JSON value
    """Which of two would count is up to each reader of JSON: a message that two may read differently is none."""
    keys = {key for key, _ in pairs}
    if len(keys) < len(pairs):
        raise EnvelopeError("a key stands twice")


def printable(text: str, most: int) -> str:
    """Text from outside as a log line or a column may hold it: cut, no control characters, no half of a pair."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:most])


class Name(BaseModel):
    """Whose a message is, where the rest of it cannot be read: a bridge of another version may have sent it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    meter: _Level
    bridge: _Level
    epoch: Epoch
    seq: _Seq
    floor: _Seq
    since: _Seq = 1


def read_name(topics: Topics, topic: str, body: bytes) -> Name | None:
    """The name of a message that `read_envelope` refuses, if it has one."""
    if len(body) > MAX_PAYLOAD:
        return None
    try:
        name = Name.model_validate_json(body)
        json.loads(body, object_pairs_hook=_each_once)
    except ValueError:
        return None
    return name if topic == topics.meter(name.meter, "reading") else None
